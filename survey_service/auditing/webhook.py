"""Send the head of the chain to another machine, so that rewriting the whole chain is noticed."""

import hmac
import json
from collections.abc import Mapping

from survey_service.webhooks.rules import Attempt, Reach
from survey_service.webhooks.transport import post

SIGNATURE_HEADER = "X-Signature-256"
_ANYWHERE = Reach(allows_http=True, allows_private=True)
"""The operator has chosen the address, which often is the machine next door."""


def signature(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body as receivers compare it: `sha256=` and 64 hexadecimal digits."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def post_signed(url: str, *, secret: str, values: Mapping[str, object]) -> Attempt:
    """Post values as signed JSON, and say what came of it."""
    body = json.dumps(values).encode()
    return post(url, body=body, headers={SIGNATURE_HEADER: signature(secret, body)}, reach=_ANYWHERE)
