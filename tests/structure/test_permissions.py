"""Every route carries a decision, and the decision holds: every route × every role × inside and outside."""

import inspect
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from survey_service.app import create_app
from survey_service.core import clock
from survey_service.core.config import Settings
from survey_service.core.db import Database
from survey_service.core.permissions import Decision, decision_of, requires, routes_without_decision
from survey_service.core.resources import resource
from survey_service.staff import service
from survey_service.staff.rules import PERMISSIONS, Role, TokenKind, withheld_permissions
from tests.factories.staff.offices import Offices, add_person, open_offices

NARROWED_BY_SERVICE = {
    "anomalies.read": "the answer holds the subjects below the caller",
    "anomalies.propose": "the group stands in the body of the call, and lies below the caller",
    "anomalies.decide": "the proposal tells its subject and its author only to the service",
    "code_sheets.print": "the organizations stand in the body; their codes are for those above them only",
    "disputes.decide": "the subject stands in the body of the call, and lies below the caller",
    "campaigns.read": "a campaign is seen by everybody inside it; the answer shows his part",
    "entrances.create": "the organizations stand in the body; their codes are for those above them only",
    "entrances.read": "the page holds the entrances of the caller's sub-tree",
    "entrances.revoke": "a code tells its organization only to the service, which has the keys",
    "opinion_boxes.open": "a box tells its organization only to the service",
    "opinions.read": "one gate decides; whoever may not know of a case is told that there is none",
    "opinions.triage": "the same gate",
    "opinions.handle": "the same gate",
    "opinions.close": "the same gate",
    "opinions.read_original": "the same gate",
    "insights.read": "warnings and figures are read through the gate of opinions and the caller's sub-tree",
    "posters.print": "the organization stands in the body of the call",
    "paper.open": "the organization stands in the body of the call, and lies below the caller",
    "paper.print": "the organization stands in the body of the call, and lies below the caller",
    "paper.read": "the answer holds the batches of the subjects below the caller",
    "progress.read": "the answer holds the organizations of the caller's sub-tree",
    "questionnaires.read": "a town uses the forms of its county, so those above are read as well",
    "ratings.export": "a form holds what the pages show to the caller",
    "ratings.answer": "a warning tells its organization only to the service",
    "ratings.preview": "everybody is graded; the answer names the subjects of the caller's sub-tree",
    "ratings.read": "the answer holds the caller's sub-tree, to a secretary once grades are final",
    "schemes.read": "schemes of the places above and below are read as well, as forms are",
    "schemes.write": "a changed copy becomes a scheme of the caller's own organization",
    "session.update": "one's own sessions; a desktop is told by a code that nobody guesses",
    "scores.read": "the answer holds what the caller's role and sub-tree may see",
    "scores.export": "the sheet holds what the caller's role and sub-tree may see",
}
"""Routes whose address names something that may reach beyond the caller's sub-tree. All others with an
address that names something find its organization by `path_of`; those without one are narrowed by their
services, and the tests of their packages show it."""

PACKAGE = resource("core").parent

POSITIONS = {"above": "tangxi", "at": "village", "outside": "other"}
"""Where people stand towards the organization that a call is about: the village."""


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    """The application; what is looked at here is the same on every database."""
    settings = Settings(
        database_url=sqlite_database.url,
        redis_url=None,
        secret_key="secret",
        master_key="master",
        public_url="http://localhost",
        trusted_proxy_hops=0,
        data_dir=tmp_path,
        wechat_app_id=None,
        metrics_token=None,
    )
    return create_app(settings, database=sqlite_database)


def decided(app: Flask) -> Iterator[tuple[Rule, Decision]]:
    """Return the routes and what each of them demands."""
    for rule in app.url_map.iter_rules():
        decision = decision_of(app.view_functions[rule.endpoint])
        if decision is not None:
            yield rule, decision


def protected(app: Flask) -> Iterator[tuple[Rule, Decision, str]]:
    """Return the routes that demand a permission, with its name."""
    for rule, decision in decided(app):
        if decision.permission is not None:
            yield rule, decision, decision.permission


def test_every_route_carries_a_decision(app: Flask) -> None:
    assert routes_without_decision(app) == []


def test_what_is_public_says_why(app: Flask) -> None:
    assert [rule for rule, decision in decided(app) if not (decision.permission or decision.reason)] == []


def test_what_a_route_demands_stands_in_the_table(app: Flask) -> None:
    assert {permission for _, _, permission in protected(app)} - set(PERMISSIONS) == set()


def test_what_stands_in_the_table_is_demanded_somewhere() -> None:
    """By a route, or by a service whose answer depends on the body of the call."""
    modules = [path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "staff" / "rules.py"]
    code = "\n".join(path.read_text("utf-8") for path in modules)
    assert {name for name in PERMISSIONS if f'"{name}"' not in code} == set()


def test_an_address_that_names_something_is_held_against_the_scope(app: Flask) -> None:
    unchecked = [
        rule.rule
        for rule, decision, permission in protected(app)
        if rule.arguments and decision.path_of is None and permission not in NARROWED_BY_SERVICE
    ]
    assert unchecked == []


def test_the_scope_is_found_from_the_address(app: Flask) -> None:
    for rule, decision, _ in protected(app):
        if decision.path_of is not None:
            inspect.signature(decision.path_of).bind(object(), **dict.fromkeys(rule.arguments))


def address_of(app: Flask, rule: Rule) -> str:
    return app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, 1))


def method_of(rule: Rule) -> str:
    return min((rule.methods or set()) - {"HEAD", "OPTIONS"})


def test_strangers_are_asked_to_sign_in(app: Flask) -> None:
    client = app.test_client()
    answers = {
        f"{method_of(rule)} {rule.rule}": client.open(
            address_of(app, rule), method=method_of(rule)
        ).status_code
        for rule, _, _ in protected(app)
    }
    asked = {route: 303 if " /staff" in route else 401 for route in answers}
    assert answers == asked, "a page leads to the sign-in page, a call is told 401"


def empty_view(decision: Decision, permission: str, village: str) -> Callable[..., Any]:
    """Return a view that does nothing under the same decision, for a call about the village."""

    def path_of(session: Session, **_: object) -> str:
        return village

    view = requires(permission, path_of if decision.path_of else None, is_above=decision.is_above)
    return view(lambda **_: ("", 204))


def people_of(database: Database, offices: Offices, roles: Collection[Role]) -> dict[tuple[Role, str], str]:
    """Return a bearer token for each of the roles at every position."""
    tokens: dict[tuple[Role, str], str] = {}
    with database.unit_of_work() as session:
        for role in roles:
            for position, code in POSITIONS.items():
                place = session.merge(offices.places[code])
                person = add_person(session, f"{role}.{position}", role, place)
                proof = service.Proof(person.id, person.password_hash)
                grant = service.open_session(session, proof=proof, kind=TokenKind.BEARER, now=clock.now())
                tokens[role, position] = grant.token
    return tokens


def is_expected(
    decision: Decision, permission: str, role: Role, position: str, *, is_separated: bool
) -> bool:
    is_inside = position == "above" or (position == "at" and not decision.is_above)
    withheld = withheld_permissions(role, is_separated=is_separated)
    has_permission = role in PERMISSIONS[permission] and permission not in withheld
    return has_permission and (is_inside or decision.path_of is None)


def is_let_through(client: FlaskClient, address: str, method: str, token: str) -> bool:
    answer = client.open(address, method=method, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {204, 403}, (method, address, answer.text)
    return answer.status_code == 204


@pytest.mark.parametrize("is_separated", [False, True])
def test_every_role_gets_what_the_table_says_inside_its_scope(
    app: Flask, sqlite_database: Database, is_separated: bool
) -> None:
    """Once without an administrator of security, and once with one beside everybody."""
    with sqlite_database.unit_of_work() as session:
        offices = open_offices(session)
    roles = set(Role) if is_separated else set(Role) - {Role.SECURITY_ADMIN}
    tokens = people_of(sqlite_database, offices, roles)
    client = app.test_client()
    routes = list(protected(app))
    for rule, decision, permission in routes:
        app.view_functions[rule.endpoint] = empty_view(decision, permission, offices.places["village"].path)
    wrong = [
        (method_of(rule), rule.rule, role.value, position)
        for rule, decision, permission in routes
        for (role, position), token in tokens.items()
        if is_let_through(client, address_of(app, rule), method_of(rule), token)
        is not is_expected(decision, permission, role, position, is_separated=is_separated)
    ]
    assert wrong == []
