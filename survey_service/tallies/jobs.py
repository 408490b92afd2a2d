"""Queue entries of the tally."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.jobs import run_each
from survey_service.tallies import service
from survey_service.tallies.queries import dirty_campaigns

log = logging.getLogger(__name__)


def rebuild_dirty(campaign_id: int) -> None:
    """Recount for all marks that are there; a ballot that comes meanwhile brings a job of its own.

    Who waited for the last one would never come to the scores as long as people vote.
    """
    total, taken = 0, service.MARKS_PER_ROUND
    while taken == service.MARKS_PER_ROUND:
        with unit_of_work() as session:
            taken = service.rebuild_dirty(session, campaign_id=campaign_id, now=clock.now())
        total += taken
    if total:
        log.info("rebuilt tallies of campaign %d for %d ballots", campaign_id, total)


def sweep_dirty() -> None:
    """Recount what a lost queue has forgotten."""
    with reading() as session:
        campaign_ids = dirty_campaigns(session)
    run_each(rebuild_dirty, campaign_ids)
