"""A real Redis of the tests' own: one server per test process, started at first use."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.support.servers import free_port, is_listening, running, temporary_folder


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The address of a running server that keeps nothing on disk."""
    port = free_port()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with (
        temporary_folder("survey-redis-") as folder,
        running(command, folder=folder, is_ready=lambda: is_listening(port)),
    ):
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The address of an empty Redis."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server
