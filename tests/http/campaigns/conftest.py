"""A running campaign and the people around it, in the moment in which they live."""

import pytest

from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.campaigns.callers import Caller, Offices, form_body


@pytest.fixture
def offices(world: World, frozen_clock: None) -> Offices:
    return Offices(world)


@pytest.fixture
def town(offices: Offices) -> Caller:
    """Staff of the town that owns the campaign."""
    return offices.caller(Role.TOWN_STAFF, "town")


@pytest.fixture
def county(offices: Offices) -> Caller:
    return offices.caller(Role.COUNTY_ADMIN, "county")


@pytest.fixture
def secretary(offices: Offices) -> Caller:
    """The secretary of the first village."""
    return offices.caller(Role.BRANCH_SECRETARY, "village")


@pytest.fixture
def auditor(offices: Offices) -> Caller:
    return offices.caller(Role.AUDITOR, "county")


@pytest.fixture
def neighbour(world: World, frozen_clock: None) -> Caller:
    """Staff of another town."""
    return Offices(start_campaign(world.app)).caller(Role.TOWN_STAFF, "town")


@pytest.fixture
def stranger(world: World, frozen_clock: None) -> Caller:
    return Caller(world.app.test_client())


@pytest.fixture
def everybody(
    county: Caller, town: Caller, secretary: Caller, auditor: Caller, neighbour: Caller, stranger: Caller
) -> dict[str, Caller]:
    return {
        "county": county,
        "town": town,
        "secretary": secretary,
        "auditor": auditor,
        "neighbour": neighbour,
        "stranger": stranger,
    }


@pytest.fixture
def form(town: Caller) -> int:
    """The id of the contract's questionnaire, owned by the town."""
    created: int = town.post("/questionnaires", form_body()).json["id"]
    return created
