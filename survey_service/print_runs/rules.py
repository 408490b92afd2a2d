"""What is printed in a run, and in which parts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from survey_service.core.events import Event

MOST_CODES_OF_A_PART = 2_000
"""A typesetter takes 240 MB for 2,000 slips; what is larger is parted."""
MOST_LETTERS_OF_A_PART = 500
MOST_LARGE_LETTERS_OF_A_PART = 250
"""In large type a letter takes more pages; 386 of two pages each take a typesetter 600 MB."""
MAX_TITLE_LENGTH = 60
MAX_TEXT_LENGTH = 900
"""Characters of a letter: what a page still holds in a size that old eyes can read."""
MOST_ATTEMPTS = 3
LEASE = timedelta(seconds=150)
"""So long a part is left to the process that took it: twice the typesetter's own limit, and a bit. Whoever
takes longer was killed."""


class PrintLayout(StrEnum):
    """24 or 12 slips on an A4 page, or a letter for each household, in plain or large type."""

    LABELS_24 = "labels_24"
    LABELS_12 = "labels_12"
    LETTER = "letter"
    LETTER_LARGE = "letter_large"

    @property
    def is_letter(self) -> bool:
        return self in {PrintLayout.LETTER, PrintLayout.LETTER_LARGE}

    @property
    def most_of_a_part(self) -> int:
        """Return how many codes one PDF holds."""
        return _MOST_OF_A_PART.get(self, MOST_CODES_OF_A_PART)


_MOST_OF_A_PART = {
    PrintLayout.LETTER: MOST_LETTERS_OF_A_PART,
    PrintLayout.LETTER_LARGE: MOST_LARGE_LETTERS_OF_A_PART,
}


class PrintSplit(StrEnum):
    """What gets a PDF of its own: a village, in which every group begins a new page, or a group."""

    VILLAGE = "village"
    GROUP = "group"


class PartState(StrEnum):
    """How far a part has come; what was dropped can no longer be printed, since its codes were handed out."""

    WAITING = "waiting"
    PRINTED = "printed"
    FAILED = "failed"
    DROPPED = "dropped"


@dataclass(frozen=True)
class PrintingWaits(Event):
    """A run has parts that nobody has printed yet."""

    run_id: int


@dataclass(frozen=True)
class SerialRange:
    """Slots that belong together: `count` of them are open between two serials, both included."""

    group: str
    first: int
    last: int
    count: int


def part_serials(
    serials: Sequence[int], groups: Sequence[SerialRange], *, split: PrintSplit, most: int
) -> list[SerialRange]:
    """Part the open serials of a batch, in order, into ranges that become a PDF each.

    `groups` are the named ranges in order; serials outside them come without a name.
    """
    wholes = _by_group(serials, groups) if split is PrintSplit.GROUP else [("", list(serials))]
    return [
        SerialRange(name, portion[0], portion[-1], len(portion))
        for name, members in wholes
        for portion in _portions(members, most)
    ]


def _by_group(serials: Sequence[int], groups: Sequence[SerialRange]) -> list[tuple[str, list[int]]]:
    found: list[tuple[str, list[int]]] = []
    for serial in serials:
        name = next((one.group for one in groups if one.first <= serial <= one.last), "")
        if not found or found[-1][0] != name:
            found.append((name, []))
        found[-1][1].append(serial)
    return found


def _portions(members: Sequence[int], most: int) -> Iterator[Sequence[int]]:
    """Yield parts of about the same size, none over `most`."""
    number = -(-len(members) // most)
    for index in range(number):
        yield members[index * len(members) // number : (index + 1) * len(members) // number]
