"""The queue entry of webhooks."""

import logging
import time

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.privacy import current_keyring
from survey_service.webhooks import queries, service
from survey_service.webhooks.reach import current_reach
from survey_service.webhooks.rules import sign
from survey_service.webhooks.transport import post

log = logging.getLogger(__name__)

SLICE_SECONDS = 5.0
"""A worker has ballots to count as well, and receivers may be slow: after so long the next sweep goes on."""


def send_deliveries() -> None:
    """Send what is due; what fails is tried again later, each time later."""
    with reading() as session:
        if not queries.is_anything_due(session, now=clock.now()):
            return
    end = time.monotonic() + SLICE_SECONDS
    sent = 0
    while _send_next():
        sent += 1
        if time.monotonic() >= end:
            break
    log.info("webhooks: %d attempts", sent)


def _send_next() -> bool:
    with unit_of_work() as session:
        claim = service.claim_delivery(session, keyring=current_keyring(), now=clock.now())
    if claim is None:
        return False
    headers = sign(claim.secret, message_id=claim.message_id, sent_at=clock.now(), body=claim.body)
    started = time.monotonic()
    attempt = post(claim.url, body=claim.body, headers=headers, reach=current_reach())
    milliseconds = int(1e3 * (time.monotonic() - started))
    with unit_of_work() as session:
        service.note_attempt(
            session, claim=claim, attempt=attempt, milliseconds=milliseconds, now=clock.now()
        )
    return True
