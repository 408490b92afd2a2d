"""Migrated databases of both kinds, as fast as each kind allows.

`database` is for nearly every test. `committing_database` and `database_url` are for those that need
commits seen by other threads or processes.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from survey_service.core.db import Database, with_transactions
from survey_service.core.migrations import upgrade
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postgresql import PostgresCluster

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated file; closing its last connection folded the write-ahead log into it."""
    path = tmp_path_factory.mktemp("sqlite") / "template.sqlite3"
    database = Database(f"sqlite:///{path}")
    upgrade(database.engine)
    database.engine.dispose()
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """A fresh migrated file of the test's own."""
    path = tmp_path / "survey.sqlite3"
    shutil.copyfile(sqlite_template, path)
    return f"sqlite:///{path}"


@pytest.fixture
def postgresql_url(postgres: PostgresCluster) -> Iterator[str]:
    """A fresh migrated PostgreSQL database of the test's own."""
    with postgres.new_database() as url:
        yield url


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    """The address of a fresh migrated database of the test's own, once for each kind."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def committing_database(database_url: str) -> Iterator[Database]:
    """A fresh database, once for each kind, whose commits are real and seen by other connections."""
    database = Database(database_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A fresh SQLite database: copying a file is as fast as rolling back, and its commits are real."""
    database = Database(sqlite_url)
    yield database
    database.engine.dispose()


@pytest.fixture
def postgresql_database(postgres_url: str) -> Iterator[Database]:
    """A PostgreSQL database that forgets what the test wrote.

    Every commit is a savepoint of one transaction on one connection, rolled back at the end: no threads.
    """
    database = Database(postgres_url)
    with with_transactions(database.engine).connect() as connection:
        transaction = connection.begin()
        database.bind(connection)
        yield database
        transaction.rollback()
    database.engine.dispose()


@pytest.fixture(params=KINDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database without leftovers of other tests, once for each kind."""
    database: Database = request.getfixturevalue(f"{request.param}_database")
    return database


def wait_until_somebody_waits(database: Database) -> None:
    """Return when a transaction waits for the lock of another one."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.engine.connect() as connection:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not connection.exec_driver_sql(waiting).scalar():
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.01)
