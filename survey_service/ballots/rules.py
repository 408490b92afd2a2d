"""What belongs to one ballot: its ids and receipt, digests of the ballot secret, and its flag."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

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


def slot_value(entrance_id: int, *, panel_subject_id: int | None = None) -> str:
    """Return what counts once of a slot; a slot of a panel counts once for each subject."""
    return str(entrance_id) if panel_subject_id is None else f"{entrance_id}:{panel_subject_id}"


def is_secret(value: object) -> bool:
    """Tell whether a value can be a ballot secret."""
    return isinstance(value, str) and SECRET.fullmatch(value) is not None


def stored_answers(closed: Closed) -> str:
    """Write closed answers as they are stored: equal answers give equal text."""
    return canonical_json(closed)


def is_same(checked: CheckedAnswers, *, answers: str, texts: Mapping[str, str]) -> bool:
    """Tell whether answers sent again are the ones that were stored."""
    return stored_answers(checked.closed) == answers and checked.texts == texts


class BallotFlag(StrEnum):
    """What was unusual when a ballot came in; deleted at sealing.

    A ballot carries one at the most. The order is that of precedence: first what does not happen by chance,
    last what says little.
    """

    SERIAL_ORDER = "serial_order"
    """Codes of one batch came one after another in the order in which they were printed."""
    MANY_CREDENTIALS = "many_credentials"
    """The browser has sent ballots with many one-time codes."""
    BURST = "burst"
    """Many ballots came through the same posted entrance within minutes."""
    TOO_FAST = "too_fast"
    """It was sent sooner than anybody reads the questions."""
    ODD_HOURS = "odd_hours"
    """It came at night."""


EXCLUDED = "excluded"
"""What a sealed ballot carries in the place of a flag when it was left out of the score."""


SPOILED = "spoiled"
"""What a paper ballot says in the place of an option that cannot be read; no phone sends it."""


@dataclass(frozen=True)
class FlagLimits:
    """From where on something is unusual. Generous: helpers send for many, and a loud-speaker calls all."""

    seconds_per_item: float = 1.0
    burst_ballots: int = 40
    codes_per_browser: int = 12
    serial_run: int = 5


@dataclass(frozen=True)
class Intake:
    """How a ballot came in; nothing of it is kept but the flag."""

    seconds: float
    """From opening the page to sending."""
    items: int
    hour: int
    """Of the day in Shanghai."""
    codes: int = 1
    """One-time codes that this browser has voted with, this one included."""
    run: int = 1
    """How many codes have come in the order of their print, this one included."""
    is_crowded: bool = False
    """Whether the posted entrance has taken more ballots than usual just now."""


SECONDS_TO_BEGIN = 1
"""Before the first answer a page has to be seen at all."""
NIGHT_ENDS_AT = 5


def choose_flag(intake: Intake, limits: FlagLimits) -> BallotFlag | None:
    """Return the first flag that fits, in the order of precedence; None for an ordinary ballot."""
    if intake.run >= limits.serial_run:
        return BallotFlag.SERIAL_ORDER
    if intake.codes >= limits.codes_per_browser:
        return BallotFlag.MANY_CREDENTIALS
    if intake.is_crowded:
        return BallotFlag.BURST
    if intake.seconds < SECONDS_TO_BEGIN + limits.seconds_per_item * intake.items:
        return BallotFlag.TOO_FAST
    return BallotFlag.ODD_HOURS if intake.hour < NIGHT_ENDS_AT else None
