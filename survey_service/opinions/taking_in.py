"""Texts of ballots become opinions: once, after the last ballot, from ten upwards, sorted by content.

A text has no link to its ballot, and an opinion has none to its text: between the two stand a random id and
the words themselves. Below the number of `MIN_TEXTS` nobody reads any of them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from survey_service.ballots.models import BallotText
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import lock_campaign
from survey_service.campaigns.rules import State, campaign_target
from survey_service.core import clock
from survey_service.core.audit import OPERATOR, record
from survey_service.core.plain_text import is_clean
from survey_service.core.privacy import Keyring
from survey_service.opinions.author_acts import await_coming
from survey_service.opinions.models import OpinionIntake
from survey_service.opinions.receiving import Draft, Origin, store_anonymous
from survey_service.opinions.rules import MAX_TEXT_LENGTH, MIN_TEXTS, Policy, Source, is_meaningful
from survey_service.opinions.statements import insert_once
from survey_service.organizations.models import Organization, Subject


def list_waiting(session: Session, *, now: datetime) -> Sequence[int]:
    """Return the campaigns whose last ballot has come and whose texts have not been taken in."""
    is_taken = exists().where(OpinionIntake.campaign_id == Campaign.id)
    candidates = select(Campaign).where(Campaign.launched_at.is_not(None), ~is_taken).order_by(Campaign.id)
    return [campaign.id for campaign in session.scalars(candidates) if _is_over(campaign, now)]


def _is_over(campaign: Campaign, now: datetime) -> bool:
    """Tell whether no ballot can come any more."""
    state = campaign.window.state(now)
    return state is State.SEALED or (state is State.CLOSED and now > campaign.window.accepts_until)


def take_in_texts(
    session: Session, *, keyring: Keyring, policy: Policy, campaign_id: int, now: datetime
) -> int:
    """Make opinions of a campaign's texts, once, and return how many; 0 where a ballot can still come."""
    campaign = lock_campaign(session, campaign_id)
    today = clock.local_day(now)
    row = {"campaign_id": campaign_id, "taken_on": today}
    if not _is_over(campaign, now) or not insert_once(session, OpinionIntake, row):
        return 0
    least = max(MIN_TEXTS, campaign.min_cell)
    drafts = [
        (Draft(text=text), Origin(organization, Source.BALLOT))
        for organization, texts in _texts(session, campaign_id).items()
        for text in _readable(texts, least)
    ]
    for draft, origin in drafts:
        opinion_id = store_anonymous(
            session, keyring=keyring, policy=policy, draft=draft, origin=origin, today=today
        )
        await_coming(session, opinion_id=opinion_id, path=origin.organization.path, today=today)
    facts = {"texts": len(drafts)}
    record(session, "opinions.take_in", campaign_target(campaign_id), after=facts, actor=OPERATOR)
    return len(drafts)


def _texts(session: Session, campaign_id: int) -> Mapping[Organization, Mapping[str, Sequence[str]]]:
    """Return the texts by organization and question, sorted by content."""
    found: dict[Organization, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    rows = session.execute(
        select(Organization, BallotText.item, BallotText.text)
        .join(Subject, Subject.organization_id == Organization.id)
        .join(BallotText, BallotText.subject_id == Subject.id)
        .where(BallotText.campaign_id == campaign_id)
        .order_by(BallotText.text)
    )
    for organization, item, text in rows:
        found[organization][item].append(text)
    return found


def _readable(texts: Mapping[str, Sequence[str]], least: int) -> Sequence[str]:
    """Return the texts of those questions that enough people have answered in words."""
    enough = (words for words in texts.values() if len(words) >= least)
    return [
        text[:MAX_TEXT_LENGTH] for words in enough for text in words if is_meaningful(text) and is_clean(text)
    ]
