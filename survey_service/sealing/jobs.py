"""Queue entry of sealing."""

from datetime import timedelta

from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.jobs import run_each
from survey_service.sealing.queries import interrupted_sealings
from survey_service.sealing.running import seal_campaign

PATIENCE = timedelta(minutes=15)
"""No step of a living process takes so long, and a failing one is not tried more often."""


def sweep_sealings() -> None:
    """Finish what was interrupted: a promise half kept is none."""
    with reading() as session:
        interrupted = interrupted_sealings(session, before=clock.now() - PATIENCE)
    run_each(_go_on, interrupted)


def _go_on(campaign_id: int) -> None:
    seal_campaign(campaign_id, staff=None)
