"""Queue entries of opinions."""

import logging

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.jobs import run_each
from survey_service.core.privacy import current_keyring
from survey_service.opinions import allowances, author_acts, letters, taking_in
from survey_service.opinions.policy import current_policy

log = logging.getLogger(__name__)


def take_in_texts(campaign_id: int) -> None:
    """Make opinions of the texts of a campaign that is over."""
    with unit_of_work() as session:
        number = taking_in.take_in_texts(
            session,
            keyring=current_keyring(),
            policy=current_policy(),
            campaign_id=campaign_id,
            now=clock.now(),
        )
    if number:
        log.info("took %d texts of campaign %d in as opinions", number, campaign_id)


def sweep_texts() -> None:
    """Take in the texts of campaigns whose last ballot has come."""
    with reading() as session:
        waiting = taking_in.list_waiting(session, now=clock.now())
    run_each(take_in_texts, waiting)


def stir_allowances(campaign_id: int) -> None:
    """Write what is left of having written anew, apart from what was written."""
    with unit_of_work() as session:
        allowances.stir_allowances(session, campaign_id=campaign_id)


def sweep_allowances() -> None:
    """Forget who has written through what is over, and write anew what a lost job left as it came."""
    now = clock.now()
    with reading() as session:
        is_due = allowances.has_old(session, now=now)
        unstirred = allowances.list_unstirred(session)
    run_each(stir_allowances, unstirred)
    if is_due:
        with unit_of_work() as session:
            allowances.forget_old(session, now=now)


def sweep_author_acts() -> None:
    """Write what authors did on days that are over into the audit trail."""
    now, number = clock.now(), 1
    with reading() as session:
        are_waiting = author_acts.are_waiting(session, now=now)
    while are_waiting and number:
        with unit_of_work() as session:
            number = author_acts.record_acts(session, now=now)


def follow_letter(letter_id: int) -> None:
    """Open or close the box of a letter."""
    with unit_of_work() as session:
        letters.follow_letter(session, letter_id=letter_id, now=clock.now())


def sweep_letters() -> None:
    """Follow the letters whose events were lost."""
    with reading() as session:
        waiting = letters.letters_to_follow(session)
    run_each(follow_letter, waiting)
