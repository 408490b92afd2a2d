"""A town with two villages and a running campaign, and people of every role who look at it."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from survey_service.core.db import Database
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.factories.staff.offices import PASSWORD, add_person

BADGE = re.compile(r'class="top__link" href="/staff/([a-z-]+)"[^>]*>[^<]*<span class="badge">(\d+)')
CSRF = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')

pytestmark = pytest.mark.usefixtures("frozen_clock")


class Browser:
    """A person's browser: it keeps the cookie, and sends the token of the last page with every form."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, address: str, **options: Any) -> Any:
        return self._seen(self.client.get(address, **options))

    def post(self, address: str, fields: dict[str, Any] | None = None, **options: Any) -> Any:
        data = {"csrf_token": self._token} | (fields or {})
        return self._seen(self.client.post(address, data=data, **options))

    def follow(self, address: str, fields: dict[str, Any] | None = None) -> Any:
        """Send a form and go where it leads."""
        answer = self.post(address, fields)
        assert answer.status_code == 303, answer.text
        return self.get(answer.location)

    def badges(self) -> dict[str, int]:
        """Return by section how many warnings the head of a page says are waiting."""
        return {section: int(count) for section, count in BADGE.findall(self.get("/staff/password").text)}

    def _seen(self, answer: Any) -> Any:
        found = CSRF.search(answer.text) if answer.mimetype == "text/html" else None
        self._token = found.group(1) if found else self._token
        return answer


@dataclass(frozen=True)
class People:
    """Gives clients to people who work at a place of the town, or outside of it."""

    app: Flask

    def hire(self, role: Role, code: str, *, name: str = "") -> str:
        """Create an account and return its user name."""
        name = name or f"{role}.{code}".lower()
        with self.app.extensions["database"].unit_of_work() as session:
            add_person(session, name, role, get_organization(session, code=code))
        return name

    def system(self, role: Role, code: str, *, name: str = "") -> FlaskClient:
        """Return a client with a bearer token."""
        client = self.app.test_client()
        credentials = {"username": self.hire(role, code, name=name), "password": PASSWORD}
        token = client.post("/api/v1/auth/token", json=credentials).json["token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    def browser(self, role: Role, code: str, *, name: str = "") -> Browser:
        """Return a browser that is signed in."""
        browser = Browser(self.app.test_client())
        browser.post("/staff", {"username": self.hire(role, code, name=name), "password": PASSWORD})
        return browser


@pytest.fixture
def town(campaign_app: Flask, frozen_clock: None) -> World:
    """A running campaign over two villages; another town and its campaign stand beside it."""
    start_campaign(campaign_app, villages=1)
    return start_campaign(campaign_app)


@pytest.fixture
def people(campaign_app: Flask) -> People:
    return People(campaign_app)


@pytest.fixture
def elsewhere(campaign_app: Flask) -> World:
    """A third town, whose people see nothing of the first one."""
    return start_campaign(campaign_app, villages=1)


@pytest.fixture
def count_queries(database: Database) -> Callable[[], AbstractContextManager[list[str]]]:
    """Return a block that lists the statements sent to the database inside it."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
                statements.append(statement)

        event.listen(database.engine, "before_cursor_execute", note)
        yield statements
        event.remove(database.engine, "before_cursor_execute", note)

    return counting
