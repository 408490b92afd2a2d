"""Queue entry of entrances: keys whose time is over."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.entrances.batches import destroy_due_keys, has_due_keys

log = logging.getLogger(__name__)


def sweep_batch_keys() -> None:
    """Destroy the keys of batches that were printed a week ago, or whose campaign has ended."""
    now = clock.now()
    with reading() as session:
        if not has_due_keys(session, now=now):
            return
    with unit_of_work() as session:
        destroyed = destroy_due_keys(session, now=now)
    log.info("destroyed the keys of %s batches of codes", destroyed)
