"""One-time codes by time (RFC 6238 over RFC 4226), as every authenticator makes them (pure)."""

import hmac
import secrets
from base64 import b32encode
from datetime import datetime
from urllib.parse import quote

SECRET_BYTES = 20
"""160 bits, as RFC 4226 recommends; authenticators know SHA-1 only."""
STEP_SECONDS = 30
DIGITS = 6
_DRIFT_STEPS = 1
"""A phone's clock may be half a minute wrong either way."""
_KEY_GROUP = 4


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def step_at(moment: datetime) -> int:
    """Return the number of the step that a moment lies in."""
    return int(moment.timestamp()) // STEP_SECONDS


def code_of_step(secret: bytes, step: int) -> str:
    """Return the six digits of a step."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFF_FFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(secret: bytes, code: str, *, now: datetime, after: int) -> int | None:
    """Return the step that a code belongs to, or None: it is wrong, too old, or not newer than `after`."""
    present = step_at(now)
    for step in range(present - _DRIFT_STEPS, present + _DRIFT_STEPS + 1):
        if step > after and hmac.compare_digest(code_of_step(secret, step).encode(), code.encode()):
            return step
    return None


def _base32(secret: bytes) -> str:
    return b32encode(secret).decode().rstrip("=")


def manual_key(secret: bytes) -> str:
    """Return a secret to be typed into an authenticator, in groups of four."""
    key = _base32(secret)
    return " ".join(key[start : start + _KEY_GROUP] for start in range(0, len(key), _KEY_GROUP))


def enrolment_uri(secret: bytes, *, username: str, issuer: str) -> str:
    """Return what an authenticator reads from the QR code."""
    label = quote(f"{issuer}:{username}")
    return f"otpauth://totp/{label}?secret={_base32(secret)}&issuer={quote(issuer)}"
