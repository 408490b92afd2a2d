"""What two processes of tests ask for at the same time, they do not both get."""

import socket

import pytest

from tests.support.servers import free_port, is_listening


def test_a_free_port_is_given_to_nobody_else_and_taken_by_a_server() -> None:
    port = free_port()
    assert not is_listening(port)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    # As all servers do, it says that it knows of the connection that has just ended there.
    with socket.create_server(("127.0.0.1", port)):
        assert is_listening(port)
