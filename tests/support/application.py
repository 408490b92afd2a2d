"""The application and the small world of a running campaign."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign


@pytest.fixture
def campaign_app(tmp_path: Path, database: Database) -> Flask:
    """An application on both kinds of database, rolled back after the test."""
    return make_app(tmp_path, database)


@pytest.fixture
def committing_app(tmp_path: Path, committing_database: Database) -> Flask:
    """An application on a database of the test's own, for threads and processes."""
    return make_app(tmp_path, committing_database)


@pytest.fixture
def world(campaign_app: Flask) -> Iterator[World]:
    """A running campaign, and a second one beside it so that a forgotten WHERE shows."""
    with campaign_app.app_context():
        start_campaign(campaign_app, villages=1)
        yield start_campaign(campaign_app)


@pytest.fixture
def committed_world(committing_app: Flask) -> Iterator[World]:
    """A running campaign whose commits are real."""
    with committing_app.app_context():
        yield start_campaign(committing_app)


@pytest.fixture
def postgresql_committed_world(tmp_path: Path, postgresql_url: str) -> Iterator[World]:
    """A running campaign on PostgreSQL whose commits are real: for tests of row locks and snapshots."""
    database = Database(postgresql_url)
    yield start_campaign(make_app(tmp_path, database))
    database.engine.dispose()


@pytest.fixture
def frozen_clock() -> Iterator[None]:
    """The moment in which the small world lives."""
    with time_machine.travel(NOW, tick=False):
        yield
