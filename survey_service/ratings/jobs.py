"""Queue entries of ratings: drafts follow what is filled in, and the mass evaluation."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.jobs import run_each
from survey_service.ratings import service, warnings
from survey_service.ratings.queries import outdated_cycles

log = logging.getLogger(__name__)


def refresh_draft(cycle_id: int) -> None:
    """Work out the grades of a cycle whose inputs have changed."""
    with unit_of_work() as session:
        count = service.refresh_draft(session, cycle_id=cycle_id)
    if count:
        log.info("worked out %d grades of rating cycle %d", count, cycle_id)


def take_in_scores(campaign_id: int) -> None:
    """Let a campaign's new scores flow into the drafts that rest on them."""
    with unit_of_work() as session:
        service.take_in_scores(session, campaign_id=campaign_id)


def sweep_drafts() -> None:
    """Refresh what a lost queue has forgotten."""
    with reading() as session:
        outdated = outdated_cycles(session)
    run_each(refresh_draft, outdated)


def sweep_warnings() -> None:
    """Look through every running cycle once a day, and at what its draft follows from."""
    with reading() as session:
        waiting = warnings.cycles_to_watch(session, now=clock.now())
    run_each(_watch, waiting)


def _watch(cycle_id: int) -> None:
    with unit_of_work() as session:
        service.renew_draft(session, cycle_id=cycle_id)
        standing = warnings.watch_cycle(session, cycle_id=cycle_id, now=clock.now())
    if standing:
        log.info("%d warnings stand in rating cycle %d", standing, cycle_id)
