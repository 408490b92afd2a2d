"""People who call the API, and the bodies that they send."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound
from werkzeug.test import TestResponse

from survey_service.core.db import Database, unit_of_work
from survey_service.core.openapi import write_document
from survey_service.organizations.models import Organization
from survey_service.staff import service
from survey_service.staff.rules import Role, TokenKind
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World
from tests.factories.staff.offices import add_person

PREFIX = "/api/v1"
MADE_ABOVE = {
    "county": 201,
    "town": 201,
    "neighbour": 403,
    "secretary": 403,
    "auditor": 403,
    "stranger": 401,
}
"""What everybody gets who asks for something that only those above a village of the town make."""


@cache
def documented_statuses() -> Mapping[tuple[str, str], frozenset[str]]:
    """Return the statuses that the OpenAPI document gives, by path and method."""
    with TemporaryDirectory() as folder:
        app = make_app(Path(folder), Database("sqlite://"))
        with app.app_context():
            paths = write_document(app)["paths"]
    return {
        (path, method): frozenset(operation["responses"])
        for path, operations in paths.items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }


def is_documented(response: TestResponse, client: FlaskClient) -> bool:
    """Tell whether the status of an answer stands in the OpenAPI document."""
    request = response.request
    adapter = client.application.url_map.bind("localhost")
    try:
        rule, _ = adapter.match(request.path, method=request.method, return_rule=True)
    except NotFound:
        return response.status_code == 404
    path = rule.rule.replace("<int:", "{").replace("<", "{").replace(">", "}")
    return str(response.status_code) in documented_statuses()[path, request.method.lower()]


@dataclass
class Caller:
    """Somebody with a token, or a stranger; every answer must be one that the document promises."""

    client: FlaskClient
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Call the API; header names are written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given: dict[str, Any] = {} if body is None else {"json": body}
        response = self.client.open(PREFIX + path, method=method, headers=self.headers | named, **given)
        assert is_documented(response, self.client), (method, path, response.status_code)
        return response

    def get(self, path: str) -> TestResponse:
        return self.call("GET", path)

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        return self.call("POST", path, body, **headers)

    def put(self, path: str, body: Any) -> TestResponse:
        return self.call("PUT", path, body)

    def patch(self, path: str, body: Any) -> TestResponse:
        return self.call("PATCH", path, body)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)

    def post_raw(self, path: str, content: bytes) -> TestResponse:
        """Post bytes that may or may not be JSON."""
        response = self.client.post(
            PREFIX + path, data=content, headers=self.headers, content_type="application/json"
        )
        assert is_documented(response, self.client), response.status_code
        return response


def problem(response: TestResponse) -> tuple[int, str]:
    """Return status and code of a refusal, and see that it is one in Chinese."""
    assert response.content_type == "application/problem+json", response.text
    assert response.json["detail"].endswith("。")
    return response.status_code, response.json["code"]


def fields_of(response: TestResponse) -> set[str]:
    """Return the fields that a 422 names."""
    assert problem(response) == (422, "invalid")
    return set(response.json["errors"])


@dataclass
class Offices:
    """The people around a world, each at his place."""

    world: World

    def caller(self, role: Role, place: str) -> Caller:
        """Return a new person of a role at `county`, `town` or `village`."""
        with unit_of_work() as session:
            organization = self._organization(session, place)
            person = add_person(session, f"{role}.{organization.code}", role, organization)
            proof = service.Proof(person.id, person.password_hash)
            grant = service.open_session(session, proof=proof, kind=TokenKind.BEARER, now=NOW)
        return Caller(self.world.app.test_client(), {"Authorization": f"Bearer {grant.token}"})

    def _organization(self, session: Session, place: str) -> Organization:
        county, town = (int(part) for part in self.world.staff.path.strip("/").split("/"))
        if place == "village":
            is_first = Organization.code == self.world.village_codes[0]
            return session.scalars(select(Organization).where(is_first)).one()
        return session.get_one(Organization, county if place == "county" else town)


def form_body(**changes: Any) -> dict[str, Any]:
    """Return the questionnaire of the contract."""
    return {
        "title": "党员群众满意度测评表",
        "items": [
            {
                "key": "overall",
                "kind": "rating",
                "text": "总体评价",
                "option_set": "satisfaction4",
                "weight": "1",
                "required": True,
            },
            {"key": "remark", "kind": "text", "text": "意见建议", "max_length": 500, "required": False},
        ],
    } | changes


def campaign_body(world: World, form: int, **changes: Any) -> dict[str, Any]:
    """Return the campaign of the contract over the villages of the world's town."""
    body: dict[str, Any] = {
        "title": "2026年度测评",
        "questionnaire_id": form,
        "under": world.town_code,
        "opens_at": "2026-11-20T09:00:00+08:00",
        "closes_at": "2026-11-28T09:00:00+08:00",
        "formula": {
            "coefficients": {"satisfied": "1", "basically_satisfied": "0.75", "dissatisfied": "0.55"},
            "positive": ["satisfied", "basically_satisfied"],
            "count_not_informed": False,
            "count_abstained": False,
            "class_weights": {"villager": "1"},
            "mode_weights": {"household": "1", "panel": "1", "open": "0"},
            "min_class": 5,
            "empty_class": "renormalize",
            "min_response_rate": "0",
        },
        "min_cell": 5,
        "revote": "never",
    }
    if "organization_codes" in changes:
        del body["under"]
    return body | changes
