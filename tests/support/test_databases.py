"""That the fixtures keep tests apart, on both kinds of database."""

from collections.abc import Iterator

import pytest
from redis import Redis
from sqlalchemy import inspect, text

from survey_service.core.db import Database
from survey_service.core.migrations import is_current


def leave_a_trace(database: Database) -> None:
    with database.unit_of_work() as session:
        session.execute(text("CREATE TABLE trace (id INTEGER)"))


def has_trace(database: Database) -> bool:
    with database.reading() as session:
        return inspect(session.connection()).has_table("trace")


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_sees_nothing_of_another(database: Database, turn: int) -> None:
    assert not has_trace(database)
    leave_a_trace(database)
    assert has_trace(database)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_committing_database_is_fresh_and_shared_by_connections(
    committing_database: Database, turn: int
) -> None:
    assert is_current(committing_database.engine)
    assert not has_trace(committing_database)
    leave_a_trace(committing_database)
    other = Database(committing_database.url)
    assert has_trace(other)
    other.engine.dispose()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_empty_at_the_start_of_a_test(redis: Redis, turn: int) -> None:
    assert redis.dbsize() == 0
    redis.set("trace", turn)
