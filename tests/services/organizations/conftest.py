"""A session on each kind of database, and the real place lists that lie beside the tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy.orm import Session

from survey_service.core.db import Database


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.unit_of_work() as session:
        yield session
