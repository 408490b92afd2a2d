"""Systems that are told what happens, and what came of each message, as pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.reports.presentation.forms import Choice, FormView
from survey_service.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery
from survey_service.webhooks.queries import PAGE_SIZE
from survey_service.webhooks.rules import Attempt, DeliveryState, Topic
from survey_service.webhooks.schemas import CHOSEN

URL = "/staff/webhooks"
_CHIPS = {
    DeliveryState.PENDING: "scheduled",
    DeliveryState.DELIVERED: "ok",
    DeliveryState.FAILED: "void",
}


@dataclass(frozen=True)
class ReceiverView:
    """A system in words; `troubles` say what did not arrive."""

    title: str
    place: str
    address: str
    topics: Sequence[str]
    is_enabled: bool
    registered: str
    url: str
    troubles: Sequence[str] = ()


@dataclass(frozen=True)
class ReceiversPage:
    receivers: Sequence[ReceiverView]
    places: Sequence[Choice]
    topics: Sequence[Choice]
    chosen: Sequence[str]
    form: FormView
    next_url: str


@dataclass(frozen=True)
class AttemptView:
    words: str
    is_accepted: bool


@dataclass(frozen=True)
class DeliveryView:
    """A message; `redeliver_url` is empty where nothing is sent at all."""

    topic: str
    at: str
    state: str
    chip: str
    attempts: Sequence[AttemptView]
    next_attempt: str
    message_id: str
    redeliver_url: str


@dataclass(frozen=True)
class ReceiverPage:
    receiver: ReceiverView
    deliveries: Sequence[DeliveryView]
    next_url: str
    is_first: bool


def receivers_page(
    webhooks: Sequence[Webhook],
    *,
    undelivered: Mapping[int, Mapping[DeliveryState, int]],
    places: Iterable[Organization],
    form: FormView,
    chosen: Sequence[str],
) -> ReceiversPage:
    """Return the list of systems, and the form for one more as it was filled in."""
    return ReceiversPage(
        receivers=[_receiver(one, undelivered[one.id]) for one in webhooks],
        places=[Choice(one.code, one.name) for one in places],
        topics=[Choice(topic.value, _topic(topic)) for topic in CHOSEN],
        chosen=chosen,
        form=form,
        next_url=_next(URL, webhooks),
    )


def _receiver(webhook: Webhook, undelivered: Mapping[DeliveryState, int] | None = None) -> ReceiverView:
    counts = undelivered or {}
    sentences = ((DeliveryState.FAILED, "webhooks.failed"), (DeliveryState.PENDING, "webhooks.waiting"))
    return ReceiverView(
        title=webhook.title,
        place=webhook.organization.name,
        address=webhook.url,
        topics=[_topic(one.topic) for one in webhook.topics if one.topic is not Topic.PING],
        is_enabled=webhook.disabled_at is None,
        registered=local_text(webhook.created_at),
        url=f"{URL}/{webhook.id}",
        troubles=[text(key, count=counts[state]) for state, key in sentences if counts.get(state)],
    )


def _topic(topic: Topic) -> str:
    return text(f"webhooks.topic_{topic.replace('.', '_')}")


def _next(url: str, rows: Sequence[Webhook] | Sequence[WebhookDelivery]) -> str:
    return f"{url}?cursor={rows[-1].id}" if len(rows) == PAGE_SIZE else ""


def receiver_page(
    webhook: Webhook,
    deliveries: Sequence[WebhookDelivery],
    attempts: Mapping[int, Sequence[WebhookAttempt]],
    *,
    is_first: bool,
) -> ReceiverPage:
    """Return one system with a page of its log."""
    receiver = _receiver(webhook)
    views = [_delivery(one, attempts[one.id], receiver) for one in deliveries]
    return ReceiverPage(receiver, views, _next(receiver.url, deliveries), is_first)


def _delivery(
    delivery: WebhookDelivery, attempts: Iterable[WebhookAttempt], receiver: ReceiverView
) -> DeliveryView:
    is_stopped = delivery.state is DeliveryState.PENDING and not receiver.is_enabled
    again = f"{receiver.url}/deliveries/{delivery.id}" if receiver.is_enabled else ""
    later = delivery.not_before if delivery.attempts and not is_stopped else None
    return DeliveryView(
        topic=_topic(delivery.topic),
        at=local_text(delivery.created_at),
        state=text("webhooks.state_stopped" if is_stopped else f"webhooks.state_{delivery.state}"),
        chip="closed" if is_stopped else _CHIPS[delivery.state],
        attempts=[_attempt(one) for one in attempts],
        next_attempt=text("webhooks.next_attempt", at=local_text(later)) if later else "",
        message_id=delivery.message_id,
        redeliver_url=again,
    )


def _attempt(row: WebhookAttempt) -> AttemptView:
    at, attempt = local_text(row.at), Attempt(row.status, row.fault)
    if attempt.fault is not None:
        words = text("webhooks.attempt_failed", at=at, fault=text(f"webhooks.fault_{attempt.fault}"))
    else:
        words = text("webhooks.attempt_answered", at=at, status=row.status, milliseconds=row.milliseconds)
    return AttemptView(words, attempt.is_accepted)
