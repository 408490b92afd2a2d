import socket

import pytest

from tests.support.network import RemoteAddressRefusedError, is_local


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.53", "::1", "localhost", b"localhost", "", None])
def test_this_machine_is_local(host: object) -> None:
    assert is_local(host)


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "example.org"])
def test_no_test_leaves_this_machine(host: str) -> None:
    with pytest.raises(RemoteAddressRefusedError):
        socket.create_connection((host, 443), timeout=1)
