"""Reads of scores."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.mass_evaluation.models import MassScore
from survey_service.tallies.models import TallyHead


def list_scores(session: Session, campaign_id: int) -> dict[int, MassScore]:
    """Return the released scores of a campaign by subject."""
    scores = session.scalars(select(MassScore).where(MassScore.campaign_id == campaign_id))
    return {score.subject_id: score for score in scores}


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
    """Return the campaigns with a tally that no score has looked at."""
    return sorted({head.campaign_id for head in session.scalars(_outdated())})


def campaigns_to_release(session: Session, *, now: datetime) -> list[int]:
    """Return the campaigns whose window has ended while a release still lags behind its tally."""
    lagging = (
        select(Campaign.id)
        .join(MassScore, MassScore.campaign_id == Campaign.id)
        .join(TallyHead, and_(*_same_subject()))
        .where(TallyHead.returned != MassScore.as_of_returned)
        .where(or_(Campaign.closed_at.is_not(None), Campaign.closes_at < now))
        .distinct()
    )
    return list(session.scalars(lagging))


def subjects_to_score(session: Session, campaign_id: int) -> list[TallyHead]:
    """Return, and hold, the heads of a campaign's tallies that no score has looked at."""
    waiting = _outdated().where(TallyHead.campaign_id == campaign_id)
    return list(session.scalars(waiting.with_for_update(of=TallyHead, skip_locked=True)))
