"""Use cases of webhooks: register a receiver, queue a message, send what is due, send again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring, new_key
from survey_service.core.texts import text
from survey_service.organizations.queries import get_organization
from survey_service.webhooks import queries
from survey_service.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery, WebhookTopic
from survey_service.webhooks.rules import (
    Attempt,
    DeliveryQueued,
    DeliveryState,
    Reach,
    Topic,
    check_url,
    next_attempt,
    show_secret,
    write_body,
)


def secret_label(webhook_id: int) -> str:
    """Return what binds a wrapped secret to its receiver."""
    return f"webhook:{webhook_id}"


@dataclass(frozen=True)
class Registered:
    """A receiver, and the secret that is shown this once."""

    webhook: Webhook
    secret: str


def register_webhook(
    session: Session,
    *,
    staff: Identity,
    organization_code: str,
    title: str,
    url: str,
    topics: Collection[Topic],
    reach: Reach,
    keyring: Keyring,
    now: datetime,
) -> Registered:
    """Register a receiver for what happens in a sub-tree of one's own; raises Invalid for a bad address."""
    organization = get_organization(session, code=organization_code)
    staff.require(organization.path)
    if (fault := check_url(url, reach)) is not None:
        raise Invalid(errors={"url": [text(f"webhooks.url_{fault}")]})
    webhook = Webhook(organization=organization, title=title, url=url, staff_id=staff.id, created_at=now)
    webhook.topics = [WebhookTopic(topic=topic) for topic in sorted({*topics, Topic.PING})]
    session.add(webhook)
    session.flush()
    secret = _give_secret(webhook, keyring)
    facts = {"organization": organization.code, "url": url, "topics": sorted(topics)}
    record(session, "webhooks.register", _target(webhook.id), after=facts)
    return Registered(webhook, secret)


def _target(webhook_id: int) -> str:
    return f"webhook:{webhook_id}"


def _give_secret(webhook: Webhook, keyring: Keyring) -> str:
    secret = new_key()
    webhook.wrapped_secret = keyring.wrap(secret, label=secret_label(webhook.id))
    return show_secret(secret)


def renew_secret(session: Session, *, webhook_id: int, keyring: Keyring) -> Registered:
    """Give a receiver a new secret, for all that is sent from now on."""
    webhook = queries.get_webhook(session, webhook_id=webhook_id, is_locked=True)
    record(session, "webhooks.renew_secret", _target(webhook_id))
    return Registered(webhook, _give_secret(webhook, keyring))


def switch_webhook(session: Session, *, webhook_id: int, is_enabled: bool, now: datetime) -> Webhook:
    """Stop telling a receiver anything, or begin again; what already waits is sent then."""
    webhook = queries.get_webhook(session, webhook_id=webhook_id, is_locked=True)
    if is_enabled != (webhook.disabled_at is None):
        webhook.disabled_at = None if is_enabled else now
        action = "webhooks.enable" if is_enabled else "webhooks.disable"
        record(session, action, _target(webhook_id))
    return webhook


def delete_webhook(session: Session, *, webhook_id: int) -> None:
    """Forget a receiver with its secret, and all that was sent to it or waits."""
    webhook = queries.get_webhook(session, webhook_id=webhook_id, is_locked=True)
    facts = {"organization": webhook.organization.code, "title": webhook.title, "url": webhook.url}
    record(session, "webhooks.delete", _target(webhook_id), before=facts)
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id))
    session.delete(webhook)


def announce(session: Session, *, topic: Topic, path: str, data: Mapping[str, object], now: datetime) -> int:
    """Queue a message about an organization for all who asked for it, there and above; return how many.

    It is stored with what happened, or not at all. `data` is what the receivers' own staff may read: it is
    released, redacted, and names no voter.
    """
    receivers = queries.find_receivers(session, topic=topic, path=path)
    message_id, body = f"msg_{uuid4().hex}", write_body(topic, at=now, data=data)
    for webhook_id in receivers:
        _queue(session, webhook_id, topic, body, message_id, now)
    return len(receivers)


def _queue(
    session: Session, webhook_id: int, topic: Topic, body: str, message_id: str, now: datetime
) -> WebhookDelivery:
    delivery = WebhookDelivery(
        webhook_id=webhook_id,
        message_id=message_id,
        topic=topic,
        body=body,
        state=DeliveryState.PENDING,
        attempts=0,
        not_before=now,
        created_at=now,
    )
    session.add(delivery)
    publish(session, DeliveryQueued())
    return delivery


def send_ping(session: Session, *, webhook_id: int, now: datetime) -> WebhookDelivery:
    """Queue a message that only tries a receiver out; raises Conflict where it is switched off."""
    webhook = queries.get_webhook(session, webhook_id=webhook_id)
    _require_enabled(webhook)
    record(session, "webhooks.ping", _target(webhook_id))
    body = write_body(Topic.PING, at=now, data={"title": webhook.title})
    delivery = _queue(session, webhook_id, Topic.PING, body, f"msg_{uuid4().hex}", now)
    session.flush()
    return delivery


def _require_enabled(webhook: Webhook) -> None:
    if webhook.disabled_at is not None:
        raise Conflict("webhook_disabled")


def redeliver(session: Session, *, webhook_id: int, delivery_id: int, now: datetime) -> WebhookDelivery:
    """Send a message again, under the id that it had; raises Conflict where the receiver is off."""
    _require_enabled(queries.get_webhook(session, webhook_id=webhook_id))
    delivery = queries.get_delivery(session, webhook_id=webhook_id, delivery_id=delivery_id)
    delivery.state, delivery.attempts, delivery.not_before = DeliveryState.PENDING, 0, now
    record(session, "webhooks.redeliver", _target(webhook_id), after={"delivery": delivery_id})
    publish(session, DeliveryQueued())
    return delivery


@dataclass(frozen=True)
class Claim:
    """A message that its taker alone sends now."""

    delivery_id: int
    attempts: int
    url: str
    secret: bytes
    message_id: str
    body: bytes


def claim_delivery(session: Session, *, keyring: Keyring, now: datetime) -> Claim | None:
    """Take the next message that is due upon oneself; None when there is none.

    Whoever takes it and is never heard of again counts as a failure: it is tried again like one.
    """
    while (delivery := queries.lock_due(session, now=now)) is not None:
        webhook = delivery.webhook
        delivery.attempts += 1
        if webhook.disabled_at is not None or webhook.wrapped_secret is None:
            delivery.state, delivery.not_before = DeliveryState.FAILED, None
            session.flush()
            continue
        _postpone(delivery, now)
        secret = keyring.unwrap(webhook.wrapped_secret, label=secret_label(webhook.id))
        return Claim(
            delivery.id, delivery.attempts, webhook.url, secret, delivery.message_id, delivery.body.encode()
        )
    return None


def _postpone(delivery: WebhookDelivery, now: datetime) -> None:
    delivery.not_before = next_attempt(delivery.attempts, now)
    if delivery.not_before is None:
        delivery.state = DeliveryState.FAILED


def note_attempt(
    session: Session, *, claim: Claim, attempt: Attempt, milliseconds: int, now: datetime
) -> None:
    """Write down what came of an attempt; what comes late changes nothing of a message that is sent again."""
    delivery = session.get(WebhookDelivery, claim.delivery_id, with_for_update=True)
    if delivery is None:
        return
    row = WebhookAttempt(
        delivery_id=delivery.id,
        at=now,
        status=attempt.status,
        fault=attempt.fault,
        milliseconds=milliseconds,
    )
    session.add(row)
    if attempt.is_accepted:
        delivery.state, delivery.not_before = DeliveryState.DELIVERED, None
    elif attempt.is_final and delivery.attempts == claim.attempts:
        delivery.state, delivery.not_before = DeliveryState.FAILED, None
