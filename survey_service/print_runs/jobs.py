"""Queue entries of printing. A job prints for some seconds and then lets others go first."""

import logging
import time

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.events import publish
from survey_service.core.http import public_url
from survey_service.core.jobs import run_each
from survey_service.core.privacy import current_keyring
from survey_service.core.typesetting import PrintError
from survey_service.print_runs import printing, service
from survey_service.print_runs.queries import outdated_campaigns, waiting_runs
from survey_service.print_runs.rules import PrintingWaits

SLICE_SECONDS = 3.0
"""A worker has ballots to count as well: after so long a run goes to the end of the queue."""

log = logging.getLogger(__name__)


def print_parts(run_id: int) -> None:
    """Print parts of a run for a while; what is left goes on in the next job."""
    end = time.monotonic() + SLICE_SECONDS
    printed = 0
    while _print_next(run_id):
        printed += 1
        if time.monotonic() >= end:
            with unit_of_work() as session:
                publish(session, PrintingWaits(run_id))
            break
    log.info("print run %s: %s parts", run_id, printed)


def _print_next(run_id: int) -> bool:
    """Print one part; tell whether there was one."""
    taken_at = clock.now()
    with unit_of_work() as session:
        number = printing.take_part(session, run_id=run_id, now=taken_at)
    if number is None:
        return False
    part = {"run_id": run_id, "number": number}
    with reading() as session:
        sheet = printing.prepare_part(session, **part, keyring=current_keyring(), public_url=public_url())
    try:
        pdf = printing.render(sheet) if sheet is not None else None
    except PrintError:
        with unit_of_work() as session:
            printing.give_up_part(session, **part, taken_at=taken_at)
        return True
    with unit_of_work() as session:
        printing.keep_part(
            session, **part, taken_at=taken_at, pdf=pdf, keyring=current_keyring(), now=clock.now()
        )
    return True


def drop_parts(campaign_id: int) -> None:
    """Delete what was printed of codes that were handed out."""
    with unit_of_work() as session:
        service.drop_parts(session, campaign_id=campaign_id)


def renew_parts(campaign_id: int) -> None:
    """Print again what holds codes that were revoked."""
    with unit_of_work() as session:
        service.renew_parts(session, campaign_id=campaign_id)


def sweep_printing() -> None:
    """Go on with runs whose process was killed, or whose job was lost."""
    with reading() as session:
        outdated = outdated_campaigns(session)
    run_each(renew_parts, outdated)
    with reading() as session:
        waiting = waiting_runs(session, now=clock.now())
    run_each(print_parts, waiting)
