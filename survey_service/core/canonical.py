"""Canonical JSON and its digest: equal values give equal text, on every machine and in every year."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from json.encoder import encode_basestring


def _plain(value: object) -> str:
    if isinstance(value, Decimal):
        return format(value.normalize() if value else Decimal(0), "f")
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def canonical_json(value: object) -> str:
    """Write sorted keys, no spaces, decimals as strings ("0.75"), fractions as "2/3", moments in UTC."""
    return _ENCODER.encode(value)


def canonical_object(plain: Mapping[str, object], written: Mapping[str, str]) -> str:
    """Write an object of which some values, `written`, are canonical JSON already."""
    members = {
        key: encode_basestring(value) if isinstance(value, str) else canonical_json(value)
        for key, value in plain.items()
    }
    members |= written
    return "{" + ",".join([f"{encode_basestring(key)}:{members[key]}" for key in sorted(members)]) + "}"


def canonical_digest(value: object) -> str:
    """Return the SHA-256 of the canonical JSON as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
