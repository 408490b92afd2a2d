"""The daily run of the schedule."""

import logging
from collections.abc import Sequence

from flask import current_app

from survey_service.core import clock
from survey_service.core.config import Settings
from survey_service.core.db import reading, unit_of_work
from survey_service.retention import service
from survey_service.retention.rules import Rule, schedule

log = logging.getLogger(__name__)


def current_schedule() -> Sequence[Rule]:
    """Return the schedule of the running application."""
    settings: Settings = current_app.extensions["settings"]
    return schedule(
        credential_days=settings.retention_credential_days,
        text_years=settings.retention_text_years,
        original_days=settings.retention_original_days,
    )


def sweep_retention() -> None:
    """Run the schedule at the first sweep of a day."""
    now = clock.now()
    with reading() as session:
        if not service.is_due(session, now=now):
            return
    with unit_of_work() as session:
        if not service.is_due(session, now=now, is_locked=True):
            return
        purged = service.run_schedule(session, schedule=current_schedule(), now=now)
    log.info("retention: %s", ", ".join(f"{one.rule.kind} {one.number}" for one in purged))
