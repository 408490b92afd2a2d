"""Every answer carries the secure headers, and no form of the staff is taken without its proof."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from survey_service.core import clock
from survey_service.core.audit import SAFE_METHODS
from survey_service.core.db import Database
from survey_service.core.http import CONTENT_SECURITY_POLICY
from survey_service.core.permissions import decision_of
from survey_service.staff.authenticate import COOKIE_NAME
from survey_service.staff.rules import Role, TokenKind
from tests.factories.applications import make_app
from tests.factories.auditing.chain import read_chain
from tests.factories.staff.offices import Offices, add_person, open_offices, sign_in

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000",
}
EVERYBODY = {role: f"{role}.here" for role in Role}


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return make_app(tmp_path, sqlite_database, public_url="https://survey.example")


@pytest.fixture
def offices(sqlite_database: Database) -> Offices:
    """The small world, with somebody of every role at the county."""
    with sqlite_database.unit_of_work() as session:
        offices = open_offices(session)
        for role, name in EVERYBODY.items():
            add_person(session, name, role, offices.places["county"])
        return offices


def with_cookie(app: Flask, database: Database, name: str) -> FlaskClient:
    client = app.test_client()
    with database.unit_of_work() as session:
        token = sign_in(session, name, kind=TokenKind.COOKIE, now=clock.now()).token
    client.set_cookie(COOKIE_NAME, token, domain="survey.example", secure=True)
    return client


def calls(app: Flask) -> list[tuple[Rule, str, str]]:
    """Return every route with each of its methods and an address."""
    adapter = app.url_map.bind("survey.example")
    return [
        (rule, method, adapter.build(rule.endpoint, dict.fromkeys(rule.arguments, 1), method=method))
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


@pytest.mark.parametrize("who", ["stranger", "county_admin.here"])
def test_every_answer_of_every_route_carries_the_secure_headers(
    app: Flask, offices: Offices, sqlite_database: Database, who: str
) -> None:
    client = app.test_client() if who == "stranger" else with_cookie(app, sqlite_database, who)
    lacking = []
    for rule, method, address in calls(app):
        if who != "stranger" and method not in SAFE_METHODS:
            continue
        answer = client.open(address, method=method, base_url="https://survey.example")
        wrong = [name for name, value in HEADERS.items() if answer.headers.get(name) != value]
        is_kept = "no-store" not in answer.headers.get("Cache-Control", "")
        if wrong or (is_kept and rule.endpoint not in {"service.static"}):
            lacking.append((method, rule.rule, answer.status_code, wrong, is_kept))
    assert lacking == []


def unsafe(app: Flask) -> list[tuple[str, str, str]]:
    """Return the unsafe calls of staff: method, route and address."""
    found = []
    for rule, method, address in calls(app):
        decision = decision_of(app.view_functions[rule.endpoint])
        if decision is not None and decision.permission is not None and method not in SAFE_METHODS:
            found.append((method, rule.rule, address))
    return found


def test_no_unsafe_call_of_a_browser_is_taken_without_its_proof(
    app: Flask, offices: Offices, sqlite_database: Database
) -> None:
    """Whoever may do it: the proof is asked for before the permission."""
    clients = {name: with_cookie(app, sqlite_database, name) for name in EVERYBODY.values()}
    before = len(read_chain(sqlite_database))
    routes = unsafe(app)
    assert len(routes) > 45
    taken = []
    for method, route, address in routes:
        for name, client in clients.items():
            answer = client.open(address, method=method, base_url="https://survey.example")
            is_refused = answer.status_code == 403 and (
                "page_expired" in answer.text or "页面已经过期" in answer.text
            )
            if not is_refused:
                taken.append((name, method, route, answer.status_code))
    assert taken == []
    assert len(read_chain(sqlite_database)) == before
