"""When opinions become a warning, when a group is shown, and the figures of a place."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from survey_service.core.disclosure import Withholding, is_small, is_total_telling, withhold_parts

MIN_AUTHORS = 5
"""A group, a word and a figure are shown from so many opinions upwards (`domain.md` section 7, min_cell)."""
MANY_IN_A_WEEK = 5
OVERDUE_DAYS = 5
"""Working days after the deadline (`domain.md` section 6)."""
WEEK = timedelta(days=7)
LOOK_BACK = timedelta(days=90)
"""Groups and words are made from the opinions of a season, and from what is open still."""
SHORTEST_TERM = 2


class WarningKind(StrEnum):
    OVERDUE = "overdue"
    SAFETY = "safety"
    THREAT = "threat"
    MANY_SIMILAR = "many_similar"


def hour_of(now: datetime) -> datetime:
    """Return the beginning of an hour."""
    return now.replace(minute=0, second=0, microsecond=0)


def bigram_key(pair: str) -> int:
    """Return how the index knows a pair of characters."""
    return ord(pair[0]) << 21 | ord(pair[-1])


@dataclass(frozen=True)
class Counts:
    """What the figures of a place are made of; no report that is kept from anybody is among them."""

    opinions: int = 0
    due: int = 0
    """Answered, or overdue without an answer."""
    on_time: int = 0
    closed: int = 0
    verdicts: int = 0
    satisfied: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(one + two for one, two in zip(self.values, other.values, strict=True)))

    @property
    def values(self) -> tuple[int, ...]:
        return (self.opinions, self.due, self.on_time, self.closed, self.verdicts, self.satisfied)


@dataclass(frozen=True)
class OpinionFigures:
    """The figures of a place as they may leave; None where too few people stand behind one.

    `opinions_per_100` is per hundred households, the others are shares from 0 to 1.
    """

    opinions: int | None
    opinions_per_100: Fraction | None
    on_time: Fraction | None
    closed: Fraction | None
    satisfied: Fraction | None


NOTHING_SHOWN = OpinionFigures(None, None, None, None, None)


_BASES = ("opinions", "due", "verdicts")
"""Behind each figure stand so many people."""


@dataclass(frozen=True)
class Release:
    """The figures of places as they may leave, why others stay, and those of all places together."""

    figures: Mapping[int, OpinionFigures]
    withheld: Mapping[int, Withholding]
    total: OpinionFigures


def release_figures(
    counts: Mapping[int, Counts], households: Mapping[int, int | None], *, min_cell: int = MIN_AUTHORS
) -> Release:
    """Let through what may leave: small places stay, and with them those that would tell of them.

    Each base is looked at for itself, since a place with many opinions may have few verdicts. `households`
    has the same places.
    """
    total = total_of(counts.values())
    withheld: dict[str, dict[int, Withholding]] = {}
    shown: set[str] = set()
    for base in _BASES:
        numbers = {place: getattr(one, base) for place, one in counts.items()}
        withheld[base] = withhold_parts(numbers, min_cell, withheld.get(_BASES[0], ()))
        hidden = [numbers[place] for place in withheld[base] if numbers[place]]
        is_telling = bool(hidden) and is_total_telling(hidden, min_cell)
        if not is_telling and not is_small(sum(numbers.values()), min_cell):
            shown.add(base)
    everybody = sum(number or 0 for number in households.values()) if all(households.values()) else None
    figures = {
        place: _figures(one, households[place], {base for base in _BASES if place not in withheld[base]})
        for place, one in counts.items()
    }
    return Release(figures, withheld[_BASES[0]], _figures(total, everybody, shown))


def _figures(counts: Counts, households: int | None, shown: Collection[str]) -> OpinionFigures:
    if "opinions" not in shown:
        return NOTHING_SHOWN
    return OpinionFigures(
        opinions=counts.opinions,
        opinions_per_100=Fraction(100 * counts.opinions, households) if households else None,
        on_time=_share(counts.on_time, counts.due) if "due" in shown else None,
        closed=_share(counts.closed, counts.opinions),
        satisfied=_share(counts.satisfied, counts.verdicts) if "verdicts" in shown else None,
    )


def _share(part: int, whole: int) -> Fraction | None:
    return Fraction(part, whole) if whole else None


def total_of(counts: Iterable[Counts]) -> Counts:
    """Return the counts of all places together."""
    return sum(counts, Counts())
