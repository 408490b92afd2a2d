"""People of every level around opinions."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.factories.opinions import OpinionWorld
from tests.http.reports.conftest import People


@pytest.fixture
def place(tmp_path: Path, sqlite_database: Database, frozen_clock: None) -> Iterator[OpinionWorld]:
    """The world of opinions on the engine that is set up faster; `both` is for where engines may differ."""
    app = make_app(tmp_path, sqlite_database)
    with app.app_context():
        start_campaign(app, villages=1)
        yield OpinionWorld(start_campaign(app), People(app))


@pytest.fixture
def both(world: World, frozen_clock: None) -> OpinionWorld:
    """The same on both engines."""
    return OpinionWorld(world, People(world.app))
