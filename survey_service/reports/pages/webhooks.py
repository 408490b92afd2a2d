"""The pages of webhooks: which systems are told what happens, and what came of each message."""

from typing import Any

from flask import Response, render_template, request
from sqlalchemy import Select

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import select_subtree
from survey_service.organizations.rules import OrganizationKind
from survey_service.reports.pages.frame import cursor, pages, to_page
from survey_service.reports.presentation.forms import FormView, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.webhooks import receiver_page, receivers_page
from survey_service.webhooks import queries, service
from survey_service.webhooks.reach import current_reach
from survey_service.webhooks.schemas import WebhookIn

RECEIVER = "/webhooks/<int:webhook_id>"
_OFFICES = (OrganizationKind.CITY, OrganizationKind.COUNTY, OrganizationKind.TOWN)
_MOST_PLACES = 500


@pages.route("/webhooks", methods=["GET"])
@requires("webhooks.manage")
def list_receivers() -> str:
    """List the systems that are told what happens, with the form for one more."""
    return _receivers(FormView())


def _receivers(form: FormView) -> str:
    path = current_staff().path
    with reading() as session:
        found = queries.list_webhooks(session, path=path, after=cursor())
        page = receivers_page(
            found,
            undelivered=queries.count_undelivered(session, webhook_ids=[one.id for one in found]),
            places=session.scalars(_select_offices(path)).all(),
            form=form,
            chosen=request.form.getlist("topics"),
        )
    return render_template("staff/webhooks.html", page=page)


def _select_offices(path: str) -> Select[Organization]:
    """Return the places whose events are told as a whole; single villages can be had through the API."""
    offices = select_subtree(path).where(Organization.kind.in_(_OFFICES))
    return offices.order_by(Organization.path).limit(_MOST_PLACES)


@pages.route("/webhooks", methods=["POST"])
@requires("webhooks.manage")
def register_receiver() -> Any:
    """Register a system and show its secret this once."""
    given = {name: request.form.get(name, "").strip() for name in ("organization_code", "title", "url")}
    means: dict[str, Any] = {"reach": current_reach(), "keyring": current_keyring(), "now": clock.now()}
    try:
        body = load(WebhookIn(), given | {"topics": request.form.getlist("topics")})
        with unit_of_work() as session:
            made = service.register_webhook(session, staff=current_staff(), **means, **body)
            return _shown_once(made)
    except Invalid as error:
        return _receivers(FormView(request.form, error.errors)), error.status


def _shown_once(made: service.Registered) -> str:
    return render_template("staff/webhook_secret.html", webhook=made.webhook, secret=made.secret)


@pages.route(RECEIVER, methods=["GET"])
@requires("webhooks.manage", queries.path_of_webhook)
def show_receiver(webhook_id: int) -> str:
    """Show one system, what can be done with it, and a page of what was sent to it."""
    with reading() as session:
        webhook = queries.get_webhook(session, webhook_id=webhook_id)
        found = queries.list_deliveries(session, webhook_id=webhook_id, before=cursor())
        attempts = queries.list_attempts(session, delivery_ids=[one.id for one in found])
        page = receiver_page(webhook, found, attempts, is_first=cursor() == 0)
    return render_template("staff/webhook.html", page=page)


@pages.route(f"{RECEIVER}/secret", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
def renew_receiver_secret(webhook_id: int) -> str:
    """Give a system a new secret and show it this once."""
    with unit_of_work() as session:
        return _shown_once(service.renew_secret(session, webhook_id=webhook_id, keyring=current_keyring()))


def _switch(address: str, endpoint: str, notice: Notice, *, is_enabled: bool) -> None:
    """Give pausing and resuming their addresses."""

    def view(webhook_id: int) -> Response:
        with unit_of_work() as session:
            service.switch_webhook(session, webhook_id=webhook_id, is_enabled=is_enabled, now=clock.now())
        return to_page("show_receiver", webhook_id=webhook_id, notice=notice)

    decided = requires("webhooks.manage", queries.path_of_webhook)(view)
    pages.add_url_rule(f"{RECEIVER}/{address}", endpoint, decided, methods=["POST"])


_switch("disable", "pause_receiver", Notice.WEBHOOK_PAUSED, is_enabled=False)
_switch("enable", "resume_receiver", Notice.WEBHOOK_RESUMED, is_enabled=True)


@pages.route(f"{RECEIVER}/ping", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
def ping_receiver(webhook_id: int) -> Response:
    """Try a system out."""
    with unit_of_work() as session:
        service.send_ping(session, webhook_id=webhook_id, now=clock.now())
    return to_page("show_receiver", webhook_id=webhook_id, notice=Notice.MESSAGE_QUEUED)


@pages.route(f"{RECEIVER}/delete", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
def delete_receiver(webhook_id: int) -> Response:
    """Forget a system."""
    with unit_of_work() as session:
        service.delete_webhook(session, webhook_id=webhook_id)
    return to_page("list_receivers", notice=Notice.WEBHOOK_DELETED)


@pages.route(f"{RECEIVER}/deliveries/<int:delivery_id>", methods=["POST"])
@requires("webhooks.manage", queries.path_of_webhook)
def redeliver_message(webhook_id: int, delivery_id: int) -> Response:
    """Send a message again."""
    with unit_of_work() as session:
        service.redeliver(session, webhook_id=webhook_id, delivery_id=delivery_id, now=clock.now())
    return to_page("show_receiver", webhook_id=webhook_id, notice=Notice.MESSAGE_QUEUED)
