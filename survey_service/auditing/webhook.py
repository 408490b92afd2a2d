"""Send the head of the chain to another machine, so that rewriting the whole chain is noticed."""

import hmac
import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib.parse import urlsplit

SIGNATURE_HEADER = "X-Signature-256"
TIMEOUT_SECONDS = 5
_CONNECTIONS = {"http": HTTPConnection, "https": HTTPSConnection}


class WebhookError(HTTPException):
    """The receiver answered, and did not accept."""


def signature(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body as receivers compare it: `sha256=` and 64 hexadecimal digits."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def post_signed(url: str, *, secret: str, values: Mapping[str, object]) -> None:
    """Post values as signed JSON; raises OSError or HTTPException unless the answer is 2xx.

    Redirects are not followed: the signed body is meant for this receiver.
    """
    body = json.dumps(values).encode()
    headers = {"Content-Type": "application/json", SIGNATURE_HEADER: signature(secret, body)}
    address = urlsplit(url)
    connection = _CONNECTIONS[address.scheme](address.netloc, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", address._replace(scheme="", netloc="").geturl() or "/", body, headers)
        status = connection.getresponse().status
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise WebhookError(f"the receiver answered {status}")
