"""Post to an address that others chose: to the very machine that was checked, and nowhere else.

A name is looked up once, and every address that it leads to has to be allowed; the connection then goes to
one of these, so that a second look-up cannot lead elsewhere. Redirects are not followed, and of the answer
nothing but the status is read. Whoever answers drop by drop is cut off.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Timer
from urllib.parse import SplitResult, urlsplit

from survey_service.webhooks.rules import Attempt, DeliveryFault, Reach, is_public

TIMEOUT_SECONDS = 8
"""For connecting, and for each wait for a part of the answer."""
LONGEST_SECONDS = 30
"""For all of it, however busily the other side sends."""
_PORTS = {"http": 80, "https": 443}


class ForbiddenAddressError(OSError):
    """A name leads to an address that this installation does not send to."""


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], reach: Reach, longest: float = LONGEST_SECONDS
) -> Attempt:
    """Post a body once and say what came of it; raises nothing that the other side can cause.

    After `longest` seconds the connection is cut.
    """
    try:
        return Attempt(status=_post(urlsplit(url), body, headers, reach, longest))
    except ForbiddenAddressError:
        return Attempt(fault=DeliveryFault.FORBIDDEN_ADDRESS)
    except TimeoutError:
        return Attempt(fault=DeliveryFault.TIMED_OUT)
    except ssl.SSLError:
        return Attempt(fault=DeliveryFault.NO_TRUST)
    except (OSError, UnicodeError):
        return Attempt(fault=DeliveryFault.UNREACHABLE)
    except (HTTPException, ValueError):
        return Attempt(fault=DeliveryFault.NO_ANSWER)


def _post(parts: SplitResult, body: bytes, headers: Mapping[str, str], reach: Reach, longest: float) -> int:
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    connection = _connection(parts, host, port)
    connection.sock = _open(host, port, reach)
    with closing(connection), _cut_after(longest, connection.sock):
        if isinstance(connection, HTTPSConnection):
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        target = parts._replace(scheme="", netloc="", fragment="").geturl() or "/"
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status


@contextmanager
def _cut_after(longest: float, connected: socket.socket) -> Iterator[None]:
    """Shut a connection down when the time is over; what fails for that reason raises TimeoutError."""
    is_over = Event()
    # A second handle reaches the connection even after TLS has taken the first one over.
    handle = connected.dup()

    def cut() -> None:
        is_over.set()
        with suppress(OSError):
            handle.shutdown(socket.SHUT_RDWR)

    timer = Timer(longest, cut)
    timer.start()
    try:
        yield
    except (OSError, HTTPException):
        if is_over.is_set():
            raise TimeoutError from None
        raise
    finally:
        timer.cancel()
        timer.join()
        handle.close()


def _connection(parts: SplitResult, host: str, port: int) -> HTTPConnection:
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    return kind(host, port, timeout=TIMEOUT_SECONDS)


def _open(host: str, port: int, reach: Reach) -> socket.socket:
    """Connect to the first of the host's addresses that answers; raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(place[0]) for *_, place in found]
    if not reach.allows_private and not all(map(is_public, addresses)):
        raise ForbiddenAddressError(host)
    deadline = time.monotonic() + TIMEOUT_SECONDS
    refused: OSError = ConnectionRefusedError(host)
    for address in addresses:
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            connected = socket.create_connection((address, port), timeout=left)
        except OSError as error:
            refused = error
            continue
        connected.settimeout(TIMEOUT_SECONDS)
        return connected
    raise refused
