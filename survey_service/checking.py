"""Recount: bring every figure up to date, and compare each with what the ballots say."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.core.db import is_sqlite, reading
from survey_service.mass_evaluation.jobs import sweep_scores
from survey_service.mass_evaluation.service import find_score_difference
from survey_service.tallies.jobs import sweep_dirty
from survey_service.tallies.service import Difference, find_difference


def check_everything(*, is_thorough: bool) -> list[str]:
    """Count what is marked; when thorough, recount every campaign and return the differences as lines."""
    sweep_dirty()
    sweep_scores()
    if not is_thorough:
        return []
    with reading() as session:
        campaign_ids = list(session.scalars(select(Campaign.id).where(Campaign.launched_at.is_not(None))))
    return [line for campaign_id in campaign_ids for line in _check_campaign(campaign_id)]


def _check_campaign(campaign_id: int) -> Iterator[str]:
    with reading() as session:
        _see_one_snapshot(session)
        found = find_difference(session, campaign_id=campaign_id) or find_score_difference(
            session, campaign_id=campaign_id
        )
    if found is not None:
        yield _line(campaign_id, found)


def _see_one_snapshot(session: Session) -> None:
    """Let the whole check see one moment; SQLite gives that to every transaction by itself."""
    if not is_sqlite(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _line(campaign_id: int, found: Difference) -> str:
    return f"campaign {campaign_id}: {found.what}: stored {found.stored}, recounted {found.recounted}"
