"""Paper in the demonstration: a pile that was counted, and one in which two people read something else."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign, list_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.entrances.service import create_entrances
from survey_service.organizations.models import Organization
from survey_service.paper_entry.closing import close_batch
from survey_service.paper_entry.keying import finish_keying, key_lines
from survey_service.paper_entry.rules import Keying, ListKind
from survey_service.paper_entry.service import forms_of, open_batch
from survey_service.staff.models import StaffAccount

COUNTED, OPEN = 6, 7
"""The places of villages in the order of the campaign."""
SHEETS, RETURNED = 20, 12
SPOILED, BLANK, MISREAD = 4, 9, 3
"""Places in the pile: a ballot spoiled as a whole, a blank one, and one that two people read differently."""


class _Own(TypedDict):
    """Which look at which list somebody keys."""

    campaign_id: int
    batch_id: int
    kind: ListKind
    keying: Keying


def load_paper(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> None:
    """Key the paper of two villages by the town and the county; close that of the first."""
    subjects = list_subjects(session, campaign_id)
    if len(subjects) <= OPEN:
        return
    county = session.execute(
        select(StaffAccount, Organization)
        .join(Organization, Organization.id == StaffAccount.organization_id)
        .where(StaffAccount.username == "county")
    ).one()
    second = Identity(
        county[0].id, county[0].display_name, county[0].role, county[1].id, county[1].path, "county"
    )
    people = (staff, second)
    counted = _key(session, people, campaign_id, subjects[COUNTED].organization_code, now, is_misread=False)
    close_batch(
        session, staff=staff, keyring=current_keyring(), campaign_id=campaign_id, batch_id=counted, now=now
    )
    _key(session, people, campaign_id, subjects[OPEN].organization_code, now, is_misread=True)


def _key(
    session: Session,
    people: Sequence[Identity],
    campaign_id: int,
    organization_code: str,
    now: datetime,
    *,
    is_misread: bool,
) -> int:
    """Let two people key a pile of a village, and return its batch."""
    batch = open_batch(
        session,
        staff=people[0],
        campaign_id=campaign_id,
        organization_code=organization_code,
        rater_class=RaterClass.VILLAGER,
        mode=Mode.PAPER,
        issued=SHEETS,
        now=now,
    )
    codes = create_entrances(
        session,
        staff=people[0],
        keyring=current_keyring(),
        campaign_id=campaign_id,
        organization_codes=[organization_code],
        mode=Mode.HOUSEHOLD,
        rater_class=RaterClass.VILLAGER,
        count=RETURNED,
        now=now,
    )
    form, _ = forms_of(session, get_campaign(session, campaign_id))
    ballots = _ballots(len(form.columns))
    for keying, person in zip((Keying.FIRST, Keying.SECOND), people, strict=True):
        if is_misread and keying is Keying.SECOND:
            ballots[MISREAD] = "2" * len(form.columns)
        for kind, lines in ((ListKind.STUBS, [one.code for one in codes]), (ListKind.BALLOTS, ballots)):
            own = _Own(campaign_id=campaign_id, batch_id=batch.id, kind=kind, keying=keying)
            key_lines(session, staff=person, keyring=current_keyring(), lines=lines, **own)
            finish_keying(session, staff=person, **own)
    return batch.id


def _ballots(width: int) -> list[str]:
    """Return a pile as it comes in: most are content, one is spoiled, one is blank."""
    ballots = [str(1 + (number * 7) % 3 // 2) * width for number in range(RETURNED)]
    ballots[SPOILED], ballots[BLANK] = "*", "0" * width
    return ballots
