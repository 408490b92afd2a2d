"""Read what a phone sends, strictly: it comes from anywhere, and a careless reader loses answers."""

import json
from dataclasses import dataclass
from typing import Any

from survey_service.ballots.rules import is_secret
from survey_service.core.errors import BadRequest

MAX_SUBMISSION_BYTES = 128 * 1024


@dataclass(frozen=True)
class Submission:
    """The JSON body of a ballot; `ticket` and `answers` are not checked yet."""

    ticket: object
    secret: str
    answers: dict[str, Any]


def read_submission(body: bytes) -> Submission:
    """Read a ballot's JSON; raises BadRequest `malformed` for anything that is not exactly one."""
    plain = read_object(body)
    answers, secret = plain.get("answers"), plain.get("secret")
    if not isinstance(answers, dict) or not is_secret(secret) or "ticket" not in plain:
        raise BadRequest
    return Submission(plain["ticket"], str(secret), answers)


def read_object(body: bytes) -> dict[str, Any]:
    """Read one JSON object without duplicate keys, NaN or bottomless nesting; raises BadRequest."""
    try:
        plain = json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadRequest from error
    if not isinstance(plain, dict):
        raise BadRequest
    return plain


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands twice in an object")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
