"""Shut the network of the test process but for the machine itself."""

import ipaddress
import sys

LOCAL_NAMES = {None, "", "localhost"}


class RemoteAddressRefusedError(RuntimeError):
    """A test tried to leave the machine. No OSError, which the code under test would take for bad weather."""


def is_local(host: object) -> bool:
    """Tell whether a host as the socket module gets it is this machine; names are never looked up."""
    name = host.decode() if isinstance(host, bytes) else host
    if name in LOCAL_NAMES:
        return True
    try:
        return ipaddress.ip_address(str(name)).is_loopback
    except ValueError:
        return False


def refuse_remote_hosts(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse the auditing events of the socket module that would speak to another machine."""
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
        # An address is a path for Unix sockets and starts with the host for the others.
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else None
    elif event in {"socket.getaddrinfo", "socket.gethostbyname"}:
        host = arguments[0]
    else:
        return
    if not is_local(host):
        raise RemoteAddressRefusedError(f"tests stay on this machine: {host!r}")


def pytest_configure() -> None:
    # An audit hook sees C code as well, and nothing can take it away again for the life of the process.
    sys.addaudithook(refuse_remote_hosts)
