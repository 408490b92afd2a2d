"""Digests and signatures: to know a value again without keeping it, and to know our own hand again."""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

DIGEST_BYTES = 16
"""128 bits: no two of 2**32 credentials of a campaign meet, and an index entry stays small."""


def _joined(parts: tuple[str | bytes, ...]) -> bytes:
    # Each part carries its length, so that ("ab", "c") and ("a", "bc") never give the same bytes.
    encoded = (part.encode() if isinstance(part, str) else part for part in parts)
    return b"".join(len(part).to_bytes(4, "big") + part for part in encoded)


def keyed_digest(key: bytes, *parts: str | bytes) -> bytes:
    """Return 16 bytes of HMAC-SHA256 over the parts: equal only for equal parts under the same key."""
    return hmac.digest(key, _joined(parts), "sha256")[:DIGEST_BYTES]


def plain_digest(*parts: str | bytes) -> bytes:
    """Return 32 bytes of SHA-256 over the parts, for values that are secret by themselves."""
    return sha256(_joined(parts)).digest()


def sign(key: bytes, payload: bytes) -> str:
    """Return `payload.signature` in base64url, without padding."""
    return f"{_encode(payload)}.{_encode(keyed_digest(key, payload))}"


def verify(key: bytes, signed: str) -> bytes | None:
    """Return the payload of a signed value, or None when it is not ours."""
    head, _, tail = signed.partition(".")
    try:
        payload, signature = _decode(head), _decode(tail)
    except ValueError:
        return None
    return payload if hmac.compare_digest(signature, keyed_digest(key, payload)) else None


def _encode(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def _decode(value: str) -> bytes:
    return urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
