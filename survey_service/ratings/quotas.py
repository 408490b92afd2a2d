"""Forced shares: how many may have a grade at most, and how many must have the lowest at least.

A maximum rounds down and a minimum rounds up, so that neither is ever broken. Where a line falls between
equal totals the mass score decides. Where that is equal too, or is missing for one of them, people have to
decide: the shares are kept provisionally in the order of the codes, and all whom it concerns are named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby


@dataclass(frozen=True)
class Candidate:
    """A subject in the order of merit; `mass` is None without a figure."""

    code: str
    total: Fraction
    mass: Fraction | None


@dataclass(frozen=True)
class Line:
    """Who stands below a line; for `tied` people have to decide, `by_mass` were told apart by mass score."""

    below: frozenset[str]
    tied: frozenset[str] = frozenset()
    by_mass: frozenset[str] = frozenset()


def draw_line(candidates: Sequence[Candidate], seats: int) -> Line:
    """Give the better side to the first `seats` in the order of merit, whatever the order they come in."""
    ordered = [one for group in _equal_totals(candidates) for one in group]
    below = frozenset(one.code for one in ordered[seats:])
    if not 0 < seats < len(ordered) or ordered[seats - 1].total != ordered[seats].total:
        return Line(below)
    group = [one for one in ordered if one.total == ordered[seats].total]
    if not _has_every_mass(group):
        return Line(below, tied=frozenset(one.code for one in group))
    if ordered[seats - 1].mass != ordered[seats].mass:
        return Line(below, by_mass=frozenset(one.code for one in group))
    return Line(below, tied=frozenset(one.code for one in group if one.mass == ordered[seats].mass))


def _equal_totals(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    """Return the groups of equal totals from the best down, each in its order of merit."""
    ordered = sorted(candidates, key=lambda one: (-one.total, one.code))
    return [_by_mass(list(group)) for _, group in groupby(ordered, key=lambda one: one.total)]


def _by_mass(group: list[Candidate]) -> list[Candidate]:
    return sorted(group, key=lambda one: -(one.mass or 0)) if _has_every_mass(group) else group


def _has_every_mass(group: Sequence[Candidate]) -> bool:
    """Tell whether all can be compared: a missing score is neither better nor worse than another."""
    return all(one.mass is not None for one in group)
