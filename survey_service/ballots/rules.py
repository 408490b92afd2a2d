"""The ids and the receipt of a ballot: digests of the ballot secret that nobody can join without it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from survey_service.core.canonical import canonical_json
from survey_service.core.digests import DIGEST_BYTES, keyed_digest, plain_digest
from survey_service.core.events import Event
from survey_service.entrances.codes import symbols
from survey_service.questionnaires.rules import CheckedAnswers, Closed

RECEIPT_LENGTH = 13
SECRET = re.compile(r"[A-Za-z0-9_-]{22,86}")
"""At least 128 bits in base64url, made on the phone; the upper bound only keeps out nonsense."""


@dataclass(frozen=True)
class BallotCast(Event):
    """A ballot was stored; it names the campaign and nothing else, since events reach queues and logs."""

    campaign_id: int


@dataclass(frozen=True)
class BallotKeys:
    """What one secret yields in one campaign for one subject."""

    ballot_id: bytes
    receipt: str
    text_ids: Mapping[str, bytes]


def derive_keys(*, campaign_id: int, subject_id: int, secret: str, text_items: tuple[str, ...]) -> BallotKeys:
    """Derive the ballot's id, its receipt and one id for each text item, each from a domain of its own."""
    place = (str(campaign_id), str(subject_id))
    return BallotKeys(
        ballot_id=plain_digest("ballot", *place, secret)[:DIGEST_BYTES],
        receipt=symbols(plain_digest("receipt", *place, secret), RECEIPT_LENGTH),
        text_ids={item: plain_digest("text", *place, item, secret)[:DIGEST_BYTES] for item in text_items},
    )


def participation_digest(campaign_key: bytes, *, kind: str, value: str) -> bytes:
    """Return the digest of a credential; `kind` is slot, openid or device, and never the mode."""
    return keyed_digest(campaign_key, kind, value)


def is_secret(value: object) -> bool:
    """Tell whether a value can be a ballot secret."""
    return isinstance(value, str) and SECRET.fullmatch(value) is not None


def stored_answers(closed: Closed) -> str:
    """Write closed answers as they are stored: equal answers give equal text."""
    return canonical_json(closed)


def is_same(checked: CheckedAnswers, *, answers: str, texts: Mapping[str, str]) -> bool:
    """Tell whether answers sent again are the ones that were stored."""
    return stored_answers(checked.closed) == answers and checked.texts == texts
