"""Sealing from beginning to end: step by step, each committed before the next one begins."""

import logging
from collections.abc import Callable, Mapping

from flask import current_app

from survey_service.core import clock
from survey_service.core.db import current_database, unit_of_work
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.sealing import service
from survey_service.sealing.cleaning import clean_files
from survey_service.sealing.rules import Step

log = logging.getLogger(__name__)


def seal_campaign(campaign_id: int, *, staff: Identity | None) -> None:
    """Seal a closed campaign, or go on where an earlier attempt was interrupted.

    Raises Conflict `wrong_state` and `counts_differ` as the steps do, and Unavailable when the files of the
    database are busy; it can be called again after each of them.
    """
    with unit_of_work() as session:
        step = service.begin_sealing(session, campaign_id=campaign_id, staff=staff, now=clock.now())
    while (take_next := _NEXT.get(step)) is not None:
        step = take_next(campaign_id)
        log.info("sealing of campaign %d: %s", campaign_id, step)


def _record(campaign_id: int) -> Step:
    with unit_of_work() as session:
        return service.record_snapshot(
            session, campaign_id=campaign_id, keyring=current_keyring(), now=clock.now()
        )


def _unlink(campaign_id: int) -> Step:
    with unit_of_work() as session:
        step = service.unlink_ballots(session, campaign_id=campaign_id, now=clock.now())
    current_app.extensions["campaign_keys"].pop(campaign_id, None)
    return step


def _finish(campaign_id: int) -> Step:
    clean_files(current_database().engine, now=clock.now())
    with unit_of_work() as session:
        return service.finish_sealing(session, campaign_id=campaign_id, now=clock.now())


_NEXT: Mapping[Step, Callable[[int], Step]] = {
    Step.FROZEN: _record,
    Step.RECORDED: _unlink,
    Step.UNLINKED: _finish,
}
