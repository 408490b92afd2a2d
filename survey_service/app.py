"""The application: settings in, a Flask app with everything connected out."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Flask, g, request
from sqlalchemy import event
from sqlalchemy.orm import Session

from survey_service.anomalies.pages import pages as anomaly_pages
from survey_service.anomalies.views import blp as anomalies
from survey_service.auditing.service import append_acts
from survey_service.auditing.views import blp as auditing
from survey_service.ballots import access
from survey_service.ballots.pages import pages as voter_pages
from survey_service.ballots.presentation import error_message
from survey_service.ballots.views import blp as ballots
from survey_service.campaigns.pages import pages as campaign_pages
from survey_service.campaigns.views import blp as campaigns
from survey_service.clear_letters.pages import pages as letter_pages
from survey_service.clear_letters.readings import Readings
from survey_service.clear_letters.views import blp as clear_letters
from survey_service.core import clock, http, permissions
from survey_service.core.audit import take_acts
from survey_service.core.config import Settings, load_settings
from survey_service.core.db import Database
from survey_service.core.errors import ServiceError
from survey_service.core.jobs import Dispatcher, RunHere, SendToQueue
from survey_service.core.pages import install_templates, render_error
from survey_service.core.privacy import Keyring
from survey_service.core.service_routes import blp as service_routes
from survey_service.entrances.posted import PostedEntrances
from survey_service.entrances.views import blp as entrances
from survey_service.insights.views import blp as insights
from survey_service.opinions.limits import make_limit
from survey_service.opinions.pages import pages as opinion_pages
from survey_service.opinions.policy import load_policy
from survey_service.opinions.views import blp as opinions
from survey_service.organizations.views import blp as organizations
from survey_service.paper_entry.views import blp as paper_entry
from survey_service.print_runs.views import blp as print_runs
from survey_service.questionnaires.views import blp as questionnaires
from survey_service.ratings.outlook_views import blp as rating_outlook
from survey_service.ratings.pages import pages as rating_notices
from survey_service.ratings.record_views import blp as rating_records
from survey_service.ratings.views import blp as ratings
from survey_service.reports.pages import pages as staff_pages
from survey_service.reports.presentation.frame import staff_message
from survey_service.reports.views import blp as reports
from survey_service.sealing.pages import pages as bulletin_pages
from survey_service.sealing.views import blp as sealing
from survey_service.staff.authenticate import authenticate
from survey_service.staff.rules import Role, is_allowed
from survey_service.staff.views import blp as staff
from survey_service.visits.views import blp as visits
from survey_service.webhooks.views import blp as webhooks
from survey_service.wechat import sign_in as wechat
from survey_service.wechat.pages import pages as wechat_pages
from survey_service.wechat.rules import read_verification_files
from survey_service.wiring import AT_ONCE, HANDLERS, SWEEPS

API_PREFIX = "/api/v1"
BLUEPRINTS = (
    organizations,
    staff,
    webhooks,
    auditing,
    questionnaires,
    campaigns,
    entrances,
    print_runs,
    ballots,
    opinions,
    clear_letters,
    paper_entry,
    insights,
    visits,
    anomalies,
    sealing,
    ratings,
    rating_records,
    rating_outlook,
    reports,
)


def create_app(settings: Settings | None = None, *, database: Database | None = None) -> Flask:
    """Connect everything; `database` lets tests hand in one whose work they roll back."""
    settings = settings or load_settings()
    if unknown := settings.require_second_factor - set(Role):
        raise ValueError(f"REQUIRE_SECOND_FACTOR names no role of ours: {', '.join(sorted(unknown))}")
    app = Flask("survey_service", static_folder=None)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # The default provider has it.
    app.extensions["settings"] = settings
    app.extensions["keyring"] = Keyring(
        secret_key=settings.secret_key, master_key=settings.master_key, earlier=settings.earlier_secret
    )
    app.extensions["database"] = database or Database(settings.database_url)
    app.extensions["compiled_versions"] = {}
    app.extensions["ballot_pages"] = {}
    app.extensions["letter_readings"] = Readings()
    app.extensions["posted_entrances"] = PostedEntrances()
    app.extensions |= access.install(settings)
    app.extensions |= wechat.install(settings, app.extensions["keyring"])
    app.extensions["wechat_verification_files"] = read_verification_files(settings.wechat_verify_files)
    app.extensions["opinion_policy"] = load_policy(settings)
    app.extensions["query_code_limit"] = make_limit()
    app.extensions["database"].before_commit = partial(_append_to_audit_trail, app)
    _connect_jobs(app, settings)
    http.install(app)
    install_templates(app, error_page=_error_page)
    permissions.install(app, authenticate=authenticate, is_allowed=is_allowed)
    _register_routes(app)
    return app


def _append_to_audit_trail(app: Flask, session: Session) -> None:
    acts = take_acts(session)
    append_acts(session, acts=acts, now=clock.now())
    if acts:
        # What staff have done shows on the next page that this process gives out.
        event.listen(session, "after_commit", app.extensions["posted_entrances"].forget, once=True)


def _connect_jobs(app: Flask, settings: Settings) -> None:
    send = SendToQueue(settings.redis_url) if settings.redis_url else RunHere(app)
    sources = (app.extensions["letter_readings"].take,)
    dispatcher = Dispatcher(
        send,
        handlers=HANDLERS,
        at_once=AT_ONCE,
        run_here=RunHere(app),
        sweeps=SWEEPS,
        sources=sources,
    )
    app.extensions["dispatcher"] = dispatcher
    app.extensions["database"].after_commit = dispatcher.announce


def _error_page(error: ServiceError) -> str:
    is_staff = request.path.startswith("/staff")
    role = g.staff.role if g.get("staff") else ""
    message = staff_message(error, role=role) if is_staff else error_message(error, request.path)
    return render_error(message)


def _register_routes(app: Flask) -> None:
    app.config |= _API_CONFIG
    api = http.Api(app)
    for name, scheme in _SECURITY_SCHEMES.items():
        api.spec.components.security_scheme(name, dict(scheme))
    for blueprint in BLUEPRINTS:
        api.register_blueprint(blueprint, url_prefix=API_PREFIX)
    api.spec.components.schema("Problem", schema=http.Problem)
    app.extensions["api"] = api
    app.register_blueprint(service_routes)
    app.register_blueprint(campaign_pages)
    app.register_blueprint(voter_pages)
    app.register_blueprint(opinion_pages)
    app.register_blueprint(letter_pages)
    app.register_blueprint(anomaly_pages)
    app.register_blueprint(wechat_pages)
    app.register_blueprint(bulletin_pages)
    app.register_blueprint(rating_notices)
    app.register_blueprint(staff_pages)


_API_CONFIG: Mapping[str, Any] = {
    "API_TITLE": "survey-service",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.0.3",
}
_SECURITY_SCHEMES: Mapping[str, Mapping[str, str]] = {
    "bearerAuth": {"type": "http", "scheme": "bearer"},
    "cookieAuth": {"type": "apiKey", "in": "cookie", "name": "staff_session"},
}
