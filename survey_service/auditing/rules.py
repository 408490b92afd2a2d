"""How entries are chained, and how a chain is checked from its beginning to its known heads."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from survey_service.core.canonical import canonical_digest

Facts = Mapping[str, Any]

PURGE = "audit.purge"
"""The action of a checkpoint: its `after` is the head of what was removed from the beginning of the chain."""

_HEAD_LINE = re.compile(r"(?:(\d{1,18}) )?([0-9a-f]{64})")
_UNNUMBERED = 0
_SHORTEST_DELAY, _LONGEST_DELAY = timedelta(minutes=2), timedelta(hours=1)
_MOST_DOUBLINGS = 5


@dataclass(frozen=True)
class Head:
    """The last entry of a chain at some moment: whoever keeps it can tell later whether it is still there."""

    seq: int
    digest: str

    def __str__(self) -> str:
        return f"{self.seq} {self.digest}"


GENESIS = Head(0, "0" * 64)
"""What the first entry follows."""


@dataclass(frozen=True)
class Entry:
    """One act in the chain, in the words of the API; `before` and `after` are JSON objects or None."""

    seq: int
    at: str
    """A moment in UTC with microseconds, so that the text sorts by time."""
    actor: str
    action: str
    target: str
    before: Facts | None
    after: Facts | None
    previous: str
    digest: str

    @property
    def head(self) -> Head:
        return Head(self.seq, self.digest)

    @property
    def refusal(self) -> str | None:
        """Return the code of the error that an act met, or None where it was done."""
        return str(self.after["refused"]) if self.after and "refused" in self.after else None

    def expected_digest(self) -> str:
        """Return the SHA-256 of the canonical JSON of everything but the digest."""
        content = asdict(self)
        del content["digest"]
        return canonical_digest(content)


def follow(
    head: Head,
    *,
    at: datetime,
    actor: str,
    action: str,
    target: str,
    before: Facts | None = None,
    after: Facts | None = None,
) -> Entry:
    """Return the entry that continues a chain."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    unsigned = Entry(head.seq + 1, moment, actor, action, target, before, after, head.digest, digest="")
    return replace(unsigned, digest=unsigned.expected_digest())


class Fault(StrEnum):
    """What is wrong with a chain at some entry."""

    MISSING = "missing"
    UNLINKED = "unlinked"
    ALTERED = "altered"
    REWRITTEN = "rewritten"


FAULTS: Mapping[Fault, str] = {
    Fault.MISSING: "is missing",
    Fault.UNLINKED: "does not follow the entry before it: something was removed, inserted or reordered",
    Fault.ALTERED: "was altered: its digest is not that of its content",
    Fault.REWRITTEN: "is not the one that was known: the chain was written anew",
}
"""What is said about a fault on the command line."""


@dataclass(frozen=True)
class BadEntry:
    """The first place where a chain is not what it was."""

    seq: int
    fault: Fault


class ChainCheck:
    """Takes the entries of a chain one after another, and remembers no more than the last of them."""

    def __init__(self, known_heads: Iterable[Head] = ()) -> None:
        self._known = {head.digest: head.seq for head in known_heads if head != GENESIS}
        self._beginning = self.last = GENESIS
        self._has_checkpoint = False

    def take(self, entry: Entry) -> BadEntry | None:
        """Return what is wrong with the next entry, or None."""
        if self.last == GENESIS and entry.seq > 1:
            # Only a checkpoint further on can say that a chain may begin here.
            self._beginning = self.last = Head(entry.seq - 1, entry.previous)
        if entry.seq != self.last.seq + 1:
            return BadEntry(self.last.seq + 1, Fault.MISSING)
        if (fault := self._fault(entry)) is not None:
            return BadEntry(entry.seq, fault)
        self.last = entry.head
        self._known.pop(entry.digest, None)
        if entry.action == PURGE and entry.after == asdict(self._beginning):
            self._has_checkpoint = True
        return None

    def _fault(self, entry: Entry) -> Fault | None:
        if entry.previous != self.last.digest:
            return Fault.UNLINKED
        try:
            is_good = entry.digest == entry.expected_digest()
        except TypeError:
            # Bytes, which SQLite keeps in any column: nothing of ours has no canonical form.
            is_good = False
        return None if is_good else Fault.ALTERED

    def finish(self, head: Head | None) -> BadEntry | None:
        """Return what is wrong with the chain as a whole; `head` is the one stored beside it, or gone."""
        if self._beginning != GENESIS and not self._has_checkpoint:
            return BadEntry(1, Fault.MISSING)
        first_unknown = min(self._known.values(), default=0)
        if self.last != head or first_unknown > self.last.seq:
            return BadEntry(self.last.seq + 1, Fault.MISSING)
        return BadEntry(max(first_unknown, 1), Fault.REWRITTEN) if self._known else None


def read_heads(text: str) -> list[Head]:
    """Return the heads that somebody has kept; raises ValueError for anything else, and for none at all.

    A line is `seq digest` as the command prints it, a digest alone as it may be copied from paper, or the
    JSON that a webhook received or the API gave.
    """
    heads = [_read_head(line.strip()) for line in text.splitlines() if line.strip()]
    if not heads:
        raise ValueError("there is no head of an audit trail in it")
    return heads


def _read_head(line: str) -> Head:
    if line.startswith("{"):
        value = json.loads(line)
        line = f"{value.get('seq')} {value.get('digest')}"
    found = _HEAD_LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"this is no head of an audit trail: {line}")
    return Head(int(found[1] or _UNNUMBERED), found[2])


def read_entry(line: str) -> Entry | None:
    """Return the entry that a line of an exported trail holds, or None where it holds none."""
    try:
        return Entry(**json.loads(line))
    except (ValueError, TypeError):
        return None


def retry_delay(failures: int) -> timedelta:
    """Return how long to wait after so many failures: two minutes, then twice as long, up to an hour."""
    doubled = _SHORTEST_DELAY * (1 << min(failures - 1, _MOST_DOUBLINGS))
    return min(doubled, _LONGEST_DELAY)
