"""The JSON form of receivers and of what was sent to them."""

from collections.abc import Sequence
from typing import Any

from survey_service.core.marshalling import PlainText, Schema, fields, validate
from survey_service.organizations.rules import MAX_CODE_LENGTH
from survey_service.webhooks.models import MAX_TITLE_LENGTH, Webhook, WebhookAttempt, WebhookDelivery
from survey_service.webhooks.rules import MAX_URL_LENGTH, DeliveryFault, DeliveryState, Topic

CHOSEN = [topic for topic in Topic if topic is not Topic.PING]


class WebhookIn(Schema):
    organization_code = PlainText(required=True, validate=validate.Length(min=1, max=MAX_CODE_LENGTH))
    title = PlainText(required=True, validate=validate.Length(min=1, max=MAX_TITLE_LENGTH))
    url = PlainText(required=True, validate=validate.Length(min=1, max=MAX_URL_LENGTH))
    topics = fields.List(
        fields.Enum(Topic, by_value=True, validate=validate.OneOf(CHOSEN)),
        required=True,
        validate=validate.Length(min=1, max=len(CHOSEN)),
    )


class WebhookOut(Schema):
    id = fields.Integer(required=True)
    organization_code = fields.String(required=True)
    title = fields.String(required=True)
    url = fields.String(required=True)
    topics = fields.List(fields.Enum(Topic, by_value=True), required=True)
    is_enabled = fields.Boolean(required=True)
    created_at = fields.AwareDateTime(required=True)


class WebhookWithSecretOut(WebhookOut):
    """A receiver with its secret, which no later answer repeats."""

    secret = fields.String(required=True)


class WebhookPage(Schema):
    items = fields.List(fields.Nested(WebhookOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class AttemptOut(Schema):
    at = fields.AwareDateTime(required=True)
    status = fields.Integer(required=True, allow_none=True)
    fault = fields.Enum(DeliveryFault, by_value=True, required=True, allow_none=True)
    milliseconds = fields.Integer(required=True)


class DeliveryOut(Schema):
    id = fields.Integer(required=True)
    message_id = fields.String(required=True)
    topic = fields.Enum(Topic, by_value=True, required=True)
    state = fields.Enum(DeliveryState, by_value=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    next_attempt_at = fields.AwareDateTime(required=True, allow_none=True)
    attempts = fields.List(fields.Nested(AttemptOut), required=True)


class DeliveryPage(Schema):
    """What was sent to a receiver, the latest first."""

    items = fields.List(fields.Nested(DeliveryOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


def webhook_json(webhook: Webhook) -> dict[str, Any]:
    """Return what `WebhookOut` shows."""
    return {
        "id": webhook.id,
        "organization_code": webhook.organization.code,
        "title": webhook.title,
        "url": webhook.url,
        "topics": [one.topic for one in webhook.topics if one.topic is not Topic.PING],
        "is_enabled": webhook.disabled_at is None,
        "created_at": webhook.created_at,
    }


def delivery_json(delivery: WebhookDelivery, attempts: Sequence[WebhookAttempt] = ()) -> dict[str, Any]:
    """Return what `DeliveryOut` shows."""
    shown = {name: getattr(delivery, name) for name in ("id", "message_id", "topic", "state", "created_at")}
    return shown | {"next_attempt_at": delivery.not_before, "attempts": list(attempts)}
