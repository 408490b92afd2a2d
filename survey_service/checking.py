"""Recount: bring every figure up to date, and compare each with what the ballots say."""

from collections.abc import Iterator

from sqlalchemy import select

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign
from survey_service.core.db import reading, see_one_snapshot
from survey_service.mass_evaluation.jobs import sweep_scores
from survey_service.mass_evaluation.service import find_score_difference
from survey_service.sealing.verification import find_sealed_difference
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
        see_one_snapshot(session)
        is_sealed = get_campaign(session, campaign_id).sealed_at is not None
        find_other = find_sealed_difference if is_sealed else find_score_difference
        found = find_difference(session, campaign_id=campaign_id) or find_other(
            session, campaign_id=campaign_id
        )
    if found is not None:
        yield _line(campaign_id, found)


def _line(campaign_id: int, found: Difference) -> str:
    return f"campaign {campaign_id}: {found.what}: stored {found.stored}, recounted {found.recounted}"
