"""No call of staff that changes something, or hands something out, can succeed without an entry."""

from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from survey_service.core import clock
from survey_service.core.audit import (
    ACTORS_WITHOUT_ACCOUNT,
    DISCLOSING,
    MAX_TARGET_LENGTH,
    SAFE_METHODS,
)
from survey_service.core.db import Database, unit_of_work
from survey_service.core.permissions import Decision, decision_of, requires
from survey_service.core.resources import resource
from survey_service.core.texts import text
from survey_service.staff.rules import MAX_NAME_LENGTH, PERMISSIONS, RESERVED_USERNAMES, Role, TokenKind
from tests.factories.applications import make_app
from tests.factories.auditing.chain import read_chain
from tests.factories.staff.offices import Offices, open_offices, sign_in
from tests.http.auditing.test_every_act import spoken_actions

PACKAGE = resource("core").parent
SILENT = {
    "staff/sign_in.py": "counting an attempt is no act; what comes of it is recorded",
    "insights/service.py": "who has seen a warning stands in a row of its own",
}
"""The only places where a unit of work of a staff member may be committed without an entry."""


@pytest.fixture
def app(sqlite_database: Database, tmp_path: Path) -> Flask:
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def offices(sqlite_database: Database) -> Offices:
    with sqlite_database.unit_of_work() as session:
        return open_offices(session)


def acts(app: Flask) -> list[tuple[Rule, str, Decision]]:
    """Return the routes and methods that are acts of staff."""
    found = []
    for rule in app.url_map.iter_rules():
        decision = decision_of(app.view_functions[rule.endpoint])
        if decision is None or decision.permission is None:
            continue
        is_disclosing = decision.permission.endswith(DISCLOSING)
        methods = (rule.methods or set()) - ({"HEAD", "OPTIONS"} if is_disclosing else SAFE_METHODS)
        found += [(rule, method, decision) for method in sorted(methods)]
    return found


def forgetful_view(decision: Decision, *, is_writing: bool) -> Any:
    """Return a view that says nothing of what it does, under the same demand."""

    def view(**_: object) -> tuple[str, int]:
        if is_writing:
            with unit_of_work():
                pass
        return "", 204

    return requires(decision.permission or "")(view)


@pytest.mark.parametrize("is_writing", [True, False])
def test_every_act_leaves_an_entry_even_where_its_service_is_silent(
    app: Flask, offices: Offices, sqlite_database: Database, is_writing: bool
) -> None:
    tokens = tokens_of(sqlite_database)
    client, routes = app.test_client(), acts(app)
    assert len(routes) > 40
    for rule, _, decision in routes:
        app.view_functions[rule.endpoint] = forgetful_view(decision, is_writing=is_writing)
    forgotten = []
    for rule, method, decision in routes:
        name = actor_for(decision)
        address = app.url_map.bind("localhost").build(rule.endpoint, dict.fromkeys(rule.arguments, 1))
        before = len(read_chain(sqlite_database))
        answer = client.open(address, method=method, headers={"Authorization": f"Bearer {tokens[name]}"})
        assert answer.status_code == 204, (method, address)
        added = [(entry.actor, entry.action) for entry in read_chain(sqlite_database)[before:]]
        if added != [(name, decision.permission)]:
            forgotten.append((method, rule.rule, added))
    assert forgotten == []


def tokens_of(database: Database) -> dict[str, str]:
    names = ("county.admin", "county.auditor")
    with database.unit_of_work() as session:
        return {name: sign_in(session, name, kind=TokenKind.BEARER, now=clock.now()).token for name in names}


def actor_for(decision: Decision) -> str:
    is_office = Role.COUNTY_ADMIN in PERMISSIONS[decision.permission or ""]
    return "county.admin" if is_office else "county.auditor"


def test_silence_is_kept_only_where_there_is_a_reason() -> None:
    silent = [
        str(source.relative_to(PACKAGE))
        for source in PACKAGE.rglob("*.py")
        if "keep_silent(" in source.read_text("utf-8")
    ]
    assert set(silent) - {"core/audit.py"} == set(SILENT)


def test_nobody_writes_the_audit_trail_through_the_product(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if "audit" in rule.rule]
    assert {method for rule in rules for method in rule.methods or ()} == SAFE_METHODS
    assert [name for name in PERMISSIONS if name.startswith("audit.")] == ["audit.read"]
    assert PERMISSIONS["audit.read"] == {Role.AUDITOR}


def test_entries_are_written_in_one_place_only() -> None:
    writing = [
        str(source.relative_to(PACKAGE))
        for source in PACKAGE.rglob("*.py")
        if "AuditEntry" in source.read_text("utf-8")
    ]
    assert sorted(writing) == ["auditing/models.py", "auditing/queries.py", "auditing/service.py"]


def test_every_action_has_words_for_people() -> None:
    for action in spoken_actions() | set(PERMISSIONS):
        assert text(f"auditing.{action.replace('.', '_')}")


def test_every_action_is_named_like_a_permission() -> None:
    assert [action for action in spoken_actions() if action.count(".") != 1] == []


def test_nobody_can_take_the_name_of_those_without_an_account() -> None:
    assert RESERVED_USERNAMES == ACTORS_WITHOUT_ACCOUNT


def test_the_columns_hold_the_longest_names() -> None:
    longest = max(len(action) for action in spoken_actions() | set(PERMISSIONS))
    assert longest <= 64 >= MAX_NAME_LENGTH
    assert MAX_NAME_LENGTH + len("staff:") <= MAX_TARGET_LENGTH
