"""Both shapes of the program as whole installations."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.county import County
from tests.support.installation import Installation, installation


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Installation]:
    """The embedded default: an SQLite file and one process."""
    with installation(tmp_path) as made:
        yield made


@pytest.fixture
def large(tmp_path: Path, postgresql_url: str, redis_url: str) -> Iterator[Installation]:
    """The service: PostgreSQL, Redis, a queue worker and two web processes."""
    with installation(tmp_path, database_url=postgresql_url, redis_url=redis_url) as made:
        yield made


@pytest.fixture(params=["small", "large"])
def county(request: pytest.FixtureRequest) -> County:
    """A county office in either shape, moved in and signed in."""
    made: Installation = request.getfixturevalue(request.param)
    return settle(made, webs=1 if request.param == "small" else 2)


@pytest.fixture
def large_county(large: Installation) -> County:
    """A county office on PostgreSQL and Redis with two web processes and a worker."""
    return settle(large, webs=2)


def settle(made: Installation, *, webs: int, first_port: int | None = None) -> County:
    office = County(made)
    office.move_in()
    for _ in range(webs):
        made.start_web(first_port)
        first_port = None
    if "REDIS_URL" in made.environment:
        made.start_worker()
    office.sign_in()
    return office
