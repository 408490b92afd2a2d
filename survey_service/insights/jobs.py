"""Queue entries: keep the index, and look at everything once an hour."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.insights import batch, indexing, queries, service, warnings
from survey_service.insights.rules import hour_of
from survey_service.opinions.policy import current_policy

log = logging.getLogger(__name__)


def index_new(campaign_id: int = 0) -> None:
    """Index what was written or covered since, wherever it came from."""
    del campaign_id
    _index()


def index_changed(opinion_id: int) -> None:
    """Index what was covered by hand, and whatever else waits."""
    del opinion_id
    _index()


def _index() -> None:
    number = 1
    while number:
        with unit_of_work() as session:
            number = indexing.index_opinions(session)


def sweep_insights() -> None:
    """Look at everything at the first sweep of an hour."""
    now = clock.now()
    with reading() as session:
        if queries.last_look(session) == hour_of(now):
            return
    with unit_of_work() as session:
        if not service.claim_hour(session, now=now):
            return
    look_at_everything()


def look_at_everything() -> None:
    """Renew index, groups, words and warnings, and tell other systems."""
    now = clock.now()
    _index()
    with unit_of_work() as session:
        indexing.forget_deleted(session)
    with reading() as session:
        recent = batch.read_recent(session, today=clock.local_day(now))
    likenesses, words = list(batch.find_likenesses(recent)), list(batch.find_words(recent))
    with unit_of_work() as session:
        batch.replace_findings(session, likenesses=likenesses, words=words)
    with unit_of_work() as session:
        raised = warnings.raise_warnings(session, calendar=current_policy().calendar, now=now)
    told = 0
    while True:
        with unit_of_work() as session:
            number = warnings.tell_cases(session, now=now)
        told += number
        if not number:
            break
    log.info("opinions: looked at %d, %d warnings raised, %d cases told", len(recent), raised, told)
