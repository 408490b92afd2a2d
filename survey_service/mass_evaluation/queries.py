"""Reads of scores."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.queries import lock_subjects
from survey_service.campaigns.rules import LiveScores
from survey_service.mass_evaluation.models import MassScore, MassTotal
from survey_service.tallies.models import TallyHead


def list_scores(session: Session, campaign_id: int) -> dict[int, MassScore]:
    """Return the released scores of a campaign by subject."""
    scores = session.scalars(select(MassScore).where(MassScore.campaign_id == campaign_id))
    return {score.subject_id: score for score in scores}


def list_totals(session: Session, campaign_id: int) -> dict[int, MassTotal]:
    """Return the totals of a campaign by organization."""
    totals = session.scalars(select(MassTotal).where(MassTotal.campaign_id == campaign_id))
    return {total.organization_id: total for total in totals}


def get_score(session: Session, campaign_id: int, subject_id: int) -> MassScore | None:
    """Return one subject's released score."""
    return session.get(MassScore, (campaign_id, subject_id))


def _same_subject() -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return MassScore.campaign_id == TallyHead.campaign_id, MassScore.subject_id == TallyHead.subject_id


def _outdated() -> Select[TallyHead]:
    return (
        select(TallyHead)
        .outerjoin(MassScore, and_(*_same_subject()))
        .where(or_(MassScore.tally_revision.is_(None), MassScore.tally_revision != TallyHead.revision))
    )


def campaigns_to_score(session: Session) -> list[int]:
    """Return the campaigns with a tally that no score has looked at; a sealed one is looked at no more."""
    unsealed = _outdated().join(Campaign, Campaign.id == TallyHead.campaign_id)
    unsealed = unsealed.where(Campaign.sealed_at.is_(None))
    return list(session.scalars(unsealed.with_only_columns(TallyHead.campaign_id).distinct()))


def campaigns_to_release(session: Session, *, now: datetime) -> list[int]:
    """Return the campaigns with a release from before the closing, or from before the end of late ballots."""
    ended_at = case((Campaign.closed_at < Campaign.closes_at, Campaign.closed_at), else_=Campaign.closes_at)
    lagging = (
        select(Campaign.id)
        .join(MassScore, MassScore.campaign_id == Campaign.id)
        .where(
            or_(
                and_(
                    Campaign.live_scores == LiveScores.STEPWISE,
                    ended_at < now,
                    MassScore.released_at < ended_at,
                ),
                and_(Campaign.accepts_until < now, MassScore.released_at <= Campaign.accepts_until),
            )
        )
        .where(Campaign.sealed_at.is_(None))
        .distinct()
    )
    return list(session.scalars(lagging))


def take_turn(session: Session, campaign_id: int) -> None:
    """Wait until nobody else scores a campaign, so that what follows is read as he left it.

    The row of its first subject stands for the campaign's own, which ballots hold.
    """
    first = select(func.min(CampaignSubject.subject_id)).where(CampaignSubject.campaign_id == campaign_id)
    lock_subjects(session, campaign_id, session.scalars(first).all())


def hold_heads(session: Session, campaign_id: int, *, is_everything: bool) -> list[TallyHead]:
    """Return, and hold, the heads of a campaign's tallies: all, or those that no score has looked at.

    What a rebuild is counting just now is left out: it is scored when it has been counted.
    """
    heads = select(TallyHead) if is_everything else _outdated()
    waiting = heads.where(TallyHead.campaign_id == campaign_id)
    return list(session.scalars(waiting.with_for_update(of=TallyHead, skip_locked=True)))
