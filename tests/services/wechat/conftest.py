"""A place where nobody listens."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port of this machine that refuses connections, and that nobody else can open meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
