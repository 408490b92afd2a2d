"""Tickets: a signed proof of when and through which code and credential a page was opened.

A ticket carries all that a ballot's way needs, so that sending it back costs no look-up; that the entrance
has not been revoked meanwhile is checked by the ballot's own statement.
"""

import json
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from survey_service.campaigns.rules import Mode, RaterClass, State
from survey_service.core.digests import plain_digest, sign, verify
from survey_service.core.events import Event

CREDENTIAL_MAC_BYTES = 8
MAX_GROUP_LENGTH = 40
"""Characters of the name of a villagers' group."""
POSTED_MODES = frozenset({Mode.OPEN})
SLOT_MODES = frozenset({Mode.HOUSEHOLD, Mode.PANEL})
OPEN_STATES = frozenset({State.DRAFT, State.SCHEDULED, State.OPEN})
"""In these states of a campaign entrances are made, revoked and reissued."""
KEY_LIFETIME = timedelta(days=7)
"""So long after its codes have left the system a batch can be printed again (`domain.md` section 3)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


class EntranceMode(StrEnum):
    """The modes that an entrance can be made for; the others follow from how a ballot comes."""

    OPEN = "open"
    HOUSEHOLD = "household"
    PANEL = "panel"


class Layout(StrEnum):
    """A poster for a wall, or a sheet of household codes to cut out."""

    POSTER = "poster"
    SHEET = "sheet"


class RevokedAs(StrEnum):
    """Why a slot was revoked by its serial; a single code that is revoked by itself has no reason."""

    UNDELIVERED = "undelivered"
    """The letter came back before the vote began: nobody can have used it."""
    LOST = "lost"


@dataclass(frozen=True)
class KeysDestroyed(Event):
    """Batches of a campaign can no longer be printed, and what was printed of them is deleted."""

    campaign_id: int


@dataclass(frozen=True)
class SlotsChanged(Event):
    """Slots of a campaign were revoked or reissued: what was printed of them holds codes that are dead."""

    campaign_id: int


@dataclass(frozen=True)
class Ticket:
    """What was opened; `code_digest` and `credential` bind it to the code and to a device or slot."""

    entrance_id: int
    campaign_id: int
    subject_id: int
    version_id: int
    rater_class: RaterClass
    mode: Mode
    place_id: int
    opened_at: datetime
    code_digest: bytes
    credential: str
    is_preview: bool = False


_FIELDS = tuple(field.name for field in fields(Ticket))


def issue_ticket(key: bytes, ticket: Ticket) -> str:
    """Write and sign a ticket."""
    plain = vars(ticket) | {
        "opened_at": (ticket.opened_at - _EPOCH) // _TICK,
        "code_digest": ticket.code_digest.hex(),
    }
    values = [plain[name] for name in _FIELDS]
    return sign(key, json.dumps(values, separators=(",", ":")).encode())


def read_ticket(key: bytes, signed: str) -> Ticket | None:
    """Return the ticket, or None when it is not ours or of an earlier release."""
    payload = verify(key, signed)
    if payload is None:
        return None
    values = json.loads(payload)
    if len(values) != len(_FIELDS):
        return None
    plain = dict(zip(_FIELDS, values, strict=True))
    read = {
        "rater_class": RaterClass(plain["rater_class"]),
        "mode": Mode(plain["mode"]),
        "opened_at": _EPOCH + plain["opened_at"] * _TICK,
        "code_digest": bytes.fromhex(plain["code_digest"]),
    }
    return Ticket(**plain | read)


def credential_mac(kind: str, value: str) -> str:
    """Return the short digest of a credential that a ticket carries inside its signature."""
    return plain_digest("ticket", kind, value)[:CREDENTIAL_MAC_BYTES].hex()
