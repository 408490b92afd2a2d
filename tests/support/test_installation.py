"""A process that is killed in the middle of an answer has not answered."""

import socket
from threading import Thread

import pytest

from tests.support.installation import call


def test_half_an_answer_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer_by_half() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")

        dying = Thread(target=answer_by_half)
        dying.start()
        with pytest.raises(ConnectionError):
            call(server.getsockname()[1], "GET", "/")
        dying.join()
