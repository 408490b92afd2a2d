"""How sure a ranking is: which neighbours the intervals of the mass evaluation cannot tell apart (pure).

A total is as uncertain as the mass score in it; the entries of assessors are taken as they are. Two subjects
are distinguishable where a − b > √((a − lower of a)² + (upper of b − b)²) (`domain.md` section 4); squared,
so that it stays exact.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from survey_service.ratings.grading import Grading
from survey_service.ratings.rules import MassFigures, Scheme
from survey_service.ratings.totals import TotalRule
from survey_service.ratings.vocabulary import MassRole, Measure

Bounds = tuple[Fraction, Fraction]
_COUNTED = frozenset({MassRole.COMPONENT, MassRole.INDICATOR})


@dataclass(frozen=True)
class Placed:
    """A subject in the ranking; the bounds are equal to the total where nothing in it is estimated."""

    code: str
    grade: str
    total: Fraction
    low: Fraction
    high: Fraction
    lines: tuple[str, ...] = ()
    """Grades whose line lies inside the interval: a little luck decided which side of it."""

    @property
    def has_interval(self) -> bool:
        return self.low != self.high


@dataclass(frozen=True)
class Neighbours:
    """Two subjects that stand next to each other."""

    above: Placed
    below: Placed

    @property
    def difference(self) -> Fraction:
        return self.above.total - self.below.total

    @property
    def is_distinguishable(self) -> bool:
        above, below = self.above, self.below
        spread = (above.total - above.low) ** 2 + (below.high - below.total) ** 2
        return self.difference > 0 and self.difference**2 > spread

    @property
    def is_parted(self) -> bool:
        """Tell whether they are proposed for different grades although they cannot be told apart."""
        return self.above.grade != self.below.grade and not self.is_distinguishable


def place_subjects(
    scheme: Scheme, gradings: Iterable[Grading], intervals: Mapping[str, Bounds]
) -> list[Placed]:
    """Return those that have a grade from the best total down; `intervals` are of the mass figure by code."""
    rule = TotalRule(scheme)
    placed = [
        _place(scheme, rule, one, intervals.get(one.subject.code))
        for one in gradings
        if one.proposed is not None
    ]
    return sorted(placed, key=lambda one: (-one.total, one.code))


def _place(scheme: Scheme, rule: TotalRule, grading: Grading, interval: Bounds | None) -> Placed:
    total = grading.total.value
    assert total is not None
    assert grading.proposed is not None
    low = high = total
    if interval is not None and grading.subject.mass is not None and scheme.mass.role in _COUNTED:
        measure = scheme.mass.measure
        low, high = (_total_with(rule, grading, measure, bound, total) for bound in interval)
    lines = tuple(band.grade for band in scheme.bands if low < band.floor <= high and low != high)
    return Placed(grading.subject.code, grading.proposed, total, low, high, lines)


def _total_with(
    rule: TotalRule, grading: Grading, measure: Measure, figure: Fraction, otherwise: Fraction
) -> Fraction:
    """Return the total that a subject would have with another figure of the mass evaluation."""
    assert grading.subject.mass is not None
    mass = _with_figure(grading.subject.mass, measure, figure)
    value = rule.total(replace(grading.subject, mass=mass)).value
    return otherwise if value is None else value


def _with_figure(mass: MassFigures, measure: Measure, figure: Fraction) -> MassFigures:
    if measure is Measure.SCORE:
        return replace(mass, score=figure)
    return replace(mass, satisfaction_rate=figure)


def neighbours(placed: Sequence[Placed]) -> list[Neighbours]:
    """Return all who stand next to each other, from the best down."""
    return [Neighbours(*pair) for pair in pairwise(placed)]
