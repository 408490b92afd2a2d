"""Reads of receivers and of what was sent to them."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import ids_on_path
from survey_service.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery, WebhookTopic
from survey_service.webhooks.rules import DeliveryState, Topic

PAGE_SIZE = 50


def path_of_webhook(session: Session, *, webhook_id: int, **_: int) -> str:
    """Return the path of a receiver's organization; raises NotFound."""
    statement = select(Organization.path).join(Webhook.organization).where(Webhook.id == webhook_id)
    if (path := session.scalar(statement)) is None:
        raise NotFound
    return path


def get_webhook(session: Session, *, webhook_id: int, is_locked: bool = False) -> Webhook:
    """Return a receiver with its organization; raises NotFound."""
    statement = select(Webhook).where(Webhook.id == webhook_id).options(joinedload(Webhook.organization))
    if is_locked:
        statement = statement.with_for_update(of=Webhook)
    if (found := session.scalar(statement)) is None:
        raise NotFound
    return found


def list_webhooks(session: Session, *, path: str, after: int = 0) -> Sequence[Webhook]:
    """Return a page of the receivers in a sub-tree, in the order in which they were registered."""
    statement = (
        select(Webhook)
        .join(Webhook.organization)
        .options(joinedload(Webhook.organization))
        .where(is_within(path), Webhook.id > after)
        .order_by(Webhook.id)
        .limit(PAGE_SIZE)
    )
    return session.scalars(statement).all()


def find_receivers(session: Session, *, topic: Topic, path: str) -> Sequence[int]:
    """Return the receivers of a topic at an organization and above it; none is deleted before the commit."""
    statement = (
        select(Webhook.id)
        .join(Webhook.topics)
        .where(
            WebhookTopic.topic == topic,
            Webhook.organization_id.in_(ids_on_path(path)),
            Webhook.disabled_at.is_(None),
        )
        .order_by(Webhook.id)
        .with_for_update(read=True, key_share=True, of=Webhook)
    )
    return session.scalars(statement).all()


def count_undelivered(
    session: Session, *, webhook_ids: Collection[int]
) -> dict[int, dict[DeliveryState, int]]:
    """Return how many messages wait or have failed, by receiver and state."""
    statement = (
        select(WebhookDelivery.webhook_id, WebhookDelivery.state, func.count().label("number"))
        .where(
            WebhookDelivery.state.in_((DeliveryState.PENDING, DeliveryState.FAILED)),
            WebhookDelivery.webhook_id.in_(webhook_ids),
        )
        .group_by(WebhookDelivery.webhook_id, WebhookDelivery.state)
    )
    found: dict[int, dict[DeliveryState, int]] = {id: {} for id in webhook_ids}
    for row in session.execute(statement):
        found[row.webhook_id][row.state] = row.number
    return found


def list_deliveries(session: Session, *, webhook_id: int, before: int = 0) -> Sequence[WebhookDelivery]:
    """Return a page of what was sent to a receiver, the latest first; `before` is the last id of a page."""
    statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook_id)
    if before:
        statement = statement.where(WebhookDelivery.id < before)
    return session.scalars(statement.order_by(WebhookDelivery.id.desc()).limit(PAGE_SIZE)).all()


def list_attempts(session: Session, *, delivery_ids: Collection[int]) -> dict[int, list[WebhookAttempt]]:
    """Return the attempts of deliveries, by delivery, the earliest first."""
    statement = (
        select(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(delivery_ids)).order_by(WebhookAttempt.id)
    )
    found: dict[int, list[WebhookAttempt]] = {id: [] for id in delivery_ids}
    for attempt in session.scalars(statement):
        found[attempt.delivery_id].append(attempt)
    return found


def get_delivery(session: Session, *, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Return a message to a receiver, held until the commit; raises NotFound."""
    statement = (
        select(WebhookDelivery)
        .where(WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook_id)
        .with_for_update()
    )
    if (found := session.scalar(statement)) is None:
        raise NotFound
    return found


def is_anything_due(session: Session, *, now: datetime) -> bool:
    """Tell whether a message waits to be sent; it spares workers a writing transaction."""
    statement = select(WebhookDelivery.id).where(
        WebhookDelivery.state == DeliveryState.PENDING, WebhookDelivery.not_before <= now
    )
    return session.scalar(statement.limit(1)) is not None


def lock_due(session: Session, *, now: datetime) -> WebhookDelivery | None:
    """Take the message that waits longest and that nobody else holds, with its receiver."""
    statement = (
        select(WebhookDelivery)
        .options(joinedload(WebhookDelivery.webhook))
        .where(WebhookDelivery.state == DeliveryState.PENDING, WebhookDelivery.not_before <= now)
        .order_by(WebhookDelivery.not_before, WebhookDelivery.id)
        .limit(1)
        .with_for_update(of=WebhookDelivery, skip_locked=True)
    )
    return session.scalar(statement)
