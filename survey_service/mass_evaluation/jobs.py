"""Queue entries of the score."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict
from survey_service.core.jobs import run_each
from survey_service.mass_evaluation import service
from survey_service.mass_evaluation.queries import campaigns_to_release, campaigns_to_score

log = logging.getLogger(__name__)


def score_changed(campaign_id: int) -> None:
    """Score the subjects whose tally has changed."""
    with unit_of_work() as session:
        count = service.score_campaign(session, campaign_id=campaign_id, now=clock.now())
    if count:
        log.info("scored %d subjects of campaign %d", count, campaign_id)


def score_everything(campaign_id: int) -> None:
    """Score all subjects, for example when closing makes every figure exact."""
    try:
        with unit_of_work() as session:
            service.score_campaign(session, campaign_id=campaign_id, now=clock.now(), is_everything=True)
    except Conflict:
        log.info("campaign %d has been sealed meanwhile: its scores stay", campaign_id)


def sweep_scores() -> None:
    """Score what a lost queue has forgotten."""
    with reading() as session:
        outdated = campaigns_to_score(session)
        lagging = campaigns_to_release(session, now=clock.now())
    run_each(score_changed, outdated)
    run_each(score_everything, lagging)
