"""The sweep of reminders."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.jobs import run_each
from survey_service.reminders.queries import campaigns_to_remind
from survey_service.reminders.rules import is_office_hour
from survey_service.reminders.service import remind_branches

log = logging.getLogger(__name__)


def sweep_reminders() -> None:
    """Remind secretaries of open campaigns, in office hours, a batch of each campaign at a time."""
    now = clock.now()
    if not is_office_hour(now.astimezone(clock.SHANGHAI)):
        return
    with reading() as session:
        waiting = campaigns_to_remind(session, now=now)
    run_each(_remind, waiting)


def _remind(campaign_id: int) -> None:
    with unit_of_work() as session:
        number = remind_branches(session, campaign_id=campaign_id, now=clock.now())
    log.info("reminders: campaign %d, %d branches", campaign_id, number)
