"""The small world of offices in a database."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from tests.factories.staff.offices import Offices, open_offices


@pytest.fixture
def offices(database: Database) -> Offices:
    with database.unit_of_work() as session:
        return open_offices(session)


@pytest.fixture
def session(database: Database, offices: Offices) -> Iterator[Session]:
    with database.unit_of_work() as session:
        yield session
