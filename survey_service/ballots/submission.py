"""Read what a phone sends, strictly: it comes from anywhere, and a careless reader loses answers."""

from dataclasses import dataclass
from typing import Any

from survey_service.ballots.rules import is_secret
from survey_service.core.errors import BadRequest
from survey_service.core.strict_json import read_json

MAX_SUBMISSION_BYTES = 128 * 1024


@dataclass(frozen=True)
class Submission:
    """The JSON body of a ballot; `ticket` and `answers` are not checked yet."""

    ticket: object
    secret: str
    answers: dict[str, Any]
    organization_code: object = None
    """Which subject, where one code rates several; not checked yet."""


def read_submission(body: bytes) -> Submission:
    """Read a ballot's JSON; raises BadRequest `malformed` for anything that is not exactly one."""
    plain = require_proof(read_json(body), has_secret=True)
    answers = plain.get("answers")
    if not isinstance(answers, dict):
        raise BadRequest
    return Submission(plain["ticket"], plain["secret"], answers, plain.get("organization_code"))


def require_proof(plain: object, *, has_secret: bool) -> dict[str, Any]:
    """Return a body that holds what a phone's own program adds: a ticket, not checked yet, and a secret.

    No person could mend what is missing here. Raises BadRequest `malformed`.
    """
    if not isinstance(plain, dict) or "ticket" not in plain:
        raise BadRequest
    if has_secret and not is_secret(plain.get("secret")):
        raise BadRequest
    return plain
