"""The JSON API of webhooks."""

from typing import Any

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.webhooks import queries, service
from survey_service.webhooks.reach import current_reach
from survey_service.webhooks.schemas import (
    DeliveryOut,
    DeliveryPage,
    WebhookIn,
    WebhookOut,
    WebhookPage,
    WebhookWithSecretOut,
    delivery_json,
    webhook_json,
)

blp = Blueprint("webhooks", __name__, description="Other systems that are told what happens")

WEBHOOK = "/webhooks/<int:webhook_id>"


@blp.route("/webhooks", methods=["POST"])
@requires("webhooks.manage")
@blp.arguments(WebhookIn())
@blp.response(201, WebhookWithSecretOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def register(body: dict[str, Any]) -> dict[str, Any]:
    """Register a receiver; the secret that signs what it gets is shown this once."""
    means: dict[str, Any] = {"reach": current_reach(), "keyring": current_keyring(), "now": clock.now()}
    with unit_of_work() as session:
        made = service.register_webhook(session, staff=current_staff(), **means, **body)
        return webhook_json(made.webhook) | {"secret": made.secret}


@blp.route("/webhooks", methods=["GET"])
@requires("webhooks.manage")
@blp.arguments(CURSOR, location="query")
@blp.response(200, WebhookPage())
@blp.problems(401, 403, 422, 503)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the receivers in one's own sub-tree."""
    with reading() as session:
        found = queries.list_webhooks(session, path=current_staff().path, **arguments)
        return paged([webhook_json(one) for one in found], limit=queries.PAGE_SIZE)


@blp.route(WEBHOOK, methods=["DELETE"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(204)
@blp.problems(401, 403, 404, 503)
def forget(webhook_id: int) -> None:
    """Delete a receiver with the log of what was sent to it."""
    with unit_of_work() as session:
        service.delete_webhook(session, webhook_id=webhook_id)


@blp.route(f"{WEBHOOK}/secret", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(200, WebhookWithSecretOut())
@blp.problems(401, 403, 404, 409, 503)
def renew_secret(webhook_id: int) -> dict[str, Any]:
    """Give a receiver a new secret, shown this once."""
    with unit_of_work() as session:
        made = service.renew_secret(session, webhook_id=webhook_id, keyring=current_keyring())
        return webhook_json(made.webhook) | {"secret": made.secret}


@blp.route(f"{WEBHOOK}/enable", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(200, WebhookOut())
@blp.problems(401, 403, 404, 409, 503)
def enable(webhook_id: int) -> dict[str, Any]:
    """Begin again to tell a receiver what happens."""
    return _switch(webhook_id, is_enabled=True)


@blp.route(f"{WEBHOOK}/disable", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(200, WebhookOut())
@blp.problems(401, 403, 404, 409, 503)
def disable(webhook_id: int) -> dict[str, Any]:
    """Tell a receiver nothing more."""
    return _switch(webhook_id, is_enabled=False)


def _switch(webhook_id: int, *, is_enabled: bool) -> dict[str, Any]:
    with unit_of_work() as session:
        return webhook_json(
            service.switch_webhook(session, webhook_id=webhook_id, is_enabled=is_enabled, now=clock.now())
        )


@blp.route(f"{WEBHOOK}/ping", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(202, DeliveryOut())
@blp.problems(401, 403, 404, 409, 503)
def ping(webhook_id: int) -> dict[str, Any]:
    """Send a message that only tries a receiver out."""
    with unit_of_work() as session:
        return delivery_json(service.send_ping(session, webhook_id=webhook_id, now=clock.now()))


@blp.route(f"{WEBHOOK}/deliveries", methods=["GET"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.arguments(CURSOR, location="query")
@blp.response(200, DeliveryPage())
@blp.problems(401, 403, 404, 422, 503)
def deliveries(arguments: dict[str, Any], webhook_id: int) -> dict[str, Any]:
    """List what was sent to a receiver and what came of it, the latest first."""
    with reading() as session:
        found = queries.list_deliveries(session, webhook_id=webhook_id, before=arguments["after"])
        attempts = queries.list_attempts(session, delivery_ids=[one.id for one in found])
        return paged([delivery_json(one, attempts[one.id]) for one in found], limit=queries.PAGE_SIZE)


@blp.route(f"{WEBHOOK}/deliveries/<int:delivery_id>/redeliver", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
@blp.response(202, DeliveryOut())
@blp.problems(401, 403, 404, 409, 503)
def redeliver(webhook_id: int, delivery_id: int) -> dict[str, Any]:
    """Send a message again, under the id that it had."""
    with unit_of_work() as session:
        return delivery_json(
            service.redeliver(session, webhook_id=webhook_id, delivery_id=delivery_id, now=clock.now())
        )
