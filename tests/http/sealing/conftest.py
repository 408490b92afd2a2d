"""A sealed campaign and the people around it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from survey_service.core.db import Database
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.factories.staff.offices import PASSWORD, add_person
from tests.services.sealing.steps import CLOSED_AT


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    """After the last moment for ballots of a campaign that was closed, before the end of one that was not."""
    with time_machine.travel(CLOSED_AT + timedelta(days=2), tick=False):
        yield


def colleague(world: World, role: Role, code: str) -> FlaskClient:
    """Return a client with the bearer token of somebody who works at an organization."""
    database: Database = world.app.extensions["database"]
    name = f"{role}.{code}".lower()
    with database.unit_of_work() as session:
        add_person(session, name, role, get_organization(session, code=code))
    client = world.app.test_client()
    token = client.post("/api/v1/auth/token", json={"username": name, "password": PASSWORD}).json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


@pytest.fixture
def town(committed_world: World) -> FlaskClient:
    """The town's staff, who own the campaign."""
    return colleague(committed_world, Role.TOWN_STAFF, committed_world.town_code)
