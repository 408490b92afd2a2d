"""A village that writes a letter, and those who read it: on SQLite, since nothing here differs by engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from survey_service.core.db import Database
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.factories.letters import letter_content
from tests.http.campaigns.callers import Caller, Offices


@pytest.fixture
def world(tmp_path: Path, sqlite_database: Database, frozen_clock: None) -> Iterator[World]:
    app = make_app(tmp_path, sqlite_database)
    with app.app_context():
        start_campaign(app, villages=1)
        yield start_campaign(app)


@pytest.fixture
def offices(world: World) -> Offices:
    return Offices(world)


@pytest.fixture
def secretary(offices: Offices) -> Caller:
    """The secretary of the first village."""
    return offices.caller(Role.BRANCH_SECRETARY, "village")


@pytest.fixture
def town(offices: Offices) -> Caller:
    return offices.caller(Role.TOWN_STAFF, "town")


@dataclass
class Letter:
    """A letter of the first village, with those who work on it."""

    world: World
    secretary: Caller
    town: Caller
    id: int

    @property
    def path(self) -> str:
        return f"/clear-letters/{self.id}"

    def shown(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.town.get(self.path).json
        return answer

    def save(self, *, revision: int | None = None, **changes: Any) -> Any:
        seen = self.shown()["revision"] if revision is None else revision
        body = {"revision": seen, "content": letter_content(**changes), "campaign_id": self.world.campaign_id}
        return self.secretary.put(f"{self.path}/draft", body)

    def submit(self) -> Any:
        return self.secretary.post(f"{self.path}/submit")

    def approve(self) -> Any:
        return self.town.post(f"{self.path}/approve", {})

    def send_back(self, remark: str = "请写清修路花了多少钱") -> Any:
        return self.town.post(f"{self.path}/send-back", {"remark": remark})

    def published(self) -> "Letter":
        assert [self.submit().status_code, self.approve().status_code] == [200, 200]
        return self

    @property
    def address(self) -> str:
        """The public page, without the host."""
        return str(self.shown()["url"]).removeprefix("http://survey.example")


def begin_letter(world: World, secretary: Caller, town: Caller, **changes: Any) -> Letter:
    body = {
        "organization_code": world.village_codes[0],
        "campaign_id": world.campaign_id,
        "content": letter_content(**changes),
    }
    answer = secretary.post("/clear-letters", body)
    assert answer.status_code == 201, answer.text
    return Letter(world, secretary, town, answer.json["id"])


@pytest.fixture
def letter(world: World, secretary: Caller, town: Caller) -> Letter:
    return begin_letter(world, secretary, town)
