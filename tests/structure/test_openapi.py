"""The OpenAPI document is complete, and the service keeps to it."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from survey_service.core import clock
from survey_service.core.db import Database
from survey_service.core.openapi import write_document
from survey_service.staff.rules import TokenKind
from tests.factories.applications import make_app
from tests.factories.staff.offices import open_offices, sign_in

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES_PER_OPERATION = 8


@pytest.fixture
def app(tmp_path: Path, sqlite_database: Database) -> Flask:
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def token(app: Flask) -> str:
    """A county administrator's token: whoever may do most can break most."""
    with app.app_context(), app.extensions["database"].unit_of_work() as session:
        open_offices(session)
        return sign_in(session, "county.admin", kind=TokenKind.BEARER, now=clock.now()).token


def test_every_json_route_stands_in_the_document(app: Flask) -> None:
    with app.app_context():
        documented = write_document(app)["paths"]
    rules = [rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/v1")]
    stems = {rule.split("<", 1)[0] for rule in rules}
    missing = {stem for stem in stems if not any(path.startswith(stem) for path in documented)}
    assert missing == {"/api/v1/openapi.json"}


def test_no_answer_hides_behind_a_catch_all(app: Flask) -> None:
    with app.app_context():
        document = write_document(app)
    for operations in document["paths"].values():
        for operation in operations.values():
            if isinstance(operation, dict):
                assert "default" not in operation["responses"]


def test_the_service_keeps_to_its_document(app: Flask, token: str) -> None:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    operations = [result.ok() for result in schema.get_all_operations()]

    @settings(
        max_examples=EXAMPLES_PER_OPERATION * len(operations),
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    @given(case=st.one_of(*[operation.as_strategy() for operation in operations]))
    def keep_to_it(case: Any) -> None:
        case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

    keep_to_it()
