"""People of every role around a campaign whose paper comes in."""

import pytest

from tests.factories.campaigns import World
from tests.http.reports.conftest import People


@pytest.fixture
def people(world: World) -> People:
    return People(world.app)
