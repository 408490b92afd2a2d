"""Queue entry of the audit trail."""

import logging

from flask import current_app

from survey_service.auditing import queries, service
from survey_service.auditing.webhook import post_signed
from survey_service.core import clock
from survey_service.core.config import Settings
from survey_service.core.db import reading, unit_of_work

log = logging.getLogger(__name__)


def send_audit_head() -> None:
    """Send the head to the webhook once a day; a failed sending is tried again, later each time."""
    settings: Settings = current_app.extensions["settings"]
    if settings.audit_webhook_url is None:
        return
    with reading() as session:
        if not service.is_due(queries.get_delivery(session), now=clock.now()):
            return
    _send(settings, settings.audit_webhook_url)


def _send(settings: Settings, url: str) -> None:
    now = clock.now()
    with unit_of_work() as session:
        head = service.claim_delivery(session, now=now)
    if head is None:
        return
    values = {"service": settings.public_url, "at": now.isoformat(), "seq": head.seq, "digest": head.digest}
    attempt = post_signed(url, secret=settings.audit_webhook_secret, values=values)
    if not attempt.is_accepted:
        log.warning("the head of the audit trail was not sent (%s)", attempt.fault or attempt.status)
        return
    with unit_of_work() as session:
        service.confirm_delivery(session, head=head, now=now)
    log.info("sent the head of the audit trail: entry %d", head.seq)
