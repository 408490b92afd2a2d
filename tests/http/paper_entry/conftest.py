"""People of every role around a campaign whose paper comes in."""

import pytest

from survey_service.organizations.queries import list_ancestors
from tests.factories.campaigns import World
from tests.http.reports.conftest import People


@pytest.fixture
def people(world: World) -> People:
    return People(world.app)


@pytest.fixture
def county_code(world: World) -> str:
    with world.app.extensions["database"].reading() as session:
        return list_ancestors(session, path=world.staff.path)[0].code
