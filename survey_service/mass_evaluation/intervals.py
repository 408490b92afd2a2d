"""Intervals at 95 % (`domain.md` section 4): exact fractions, square roots by whole numbers, no floats.

All estimates and bounds are percentages in [0, 100]. Roots are rounded up at the twelfth place, so that a
bound never claims more than it knows and every machine finds the same one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

Z = Fraction(196, 100)
"""The quantile of the normal distribution for 95 %, two-sided."""

ROOT_SCALE = 10**12
HUNDRED = 100
MIN_EFFECTIVE_BALLOTS = 2
"""Below this effective number of ballots no interval is given."""


class Interval(NamedTuple):
    low: Fraction
    high: Fraction


@dataclass(frozen=True)
class Estimate:
    """A percentage with its interval; None where there are too few ballots for one."""

    value: Fraction
    interval: Interval | None


@dataclass(frozen=True)
class SampleSize:
    """How much one denominator tells: n whole ballots, worth `effective` (n*) equally weighted ones.

    `corrected` is n* after the finite population correction; None means that everybody answered.
    """

    n: int
    eligible: int | None
    effective: Fraction
    corrected: Fraction | None

    @property
    def exceeds_eligible(self) -> bool:
        return self.eligible is not None and self.n > self.eligible

    @property
    def is_too_small(self) -> bool:
        return self.corrected is not None and self.corrected < MIN_EFFECTIVE_BALLOTS


def sample_size(ballots: Iterable[tuple[Fraction, int]], eligible: int | None) -> SampleSize:
    """Return the sample size of (weight, number of ballots) pairs, of which at least one is above (0, 0)."""
    pairs = list(ballots)
    n = sum(number for _, number in pairs)
    effective = sum(weight * number for weight, number in pairs) ** 2 / Fraction(
        sum(weight**2 * number for weight, number in pairs)
    )
    return SampleSize(n, eligible, effective, _corrected(effective, n, eligible))


def _corrected(effective: Fraction, n: int, eligible: int | None) -> Fraction | None:
    if eligible is None or n > eligible:
        return effective
    return effective * (eligible - 1) / (eligible - n) if n < eligible else None


def square_root(value: Fraction) -> Fraction:
    """Return the root of a value that is not negative, rounded up at the twelfth decimal place."""
    scaled = -(-value.numerator * ROOT_SCALE**2 // value.denominator)
    root = isqrt(scaled)
    return Fraction(root if root * root == scaled else root + 1, ROOT_SCALE)


def mean_interval(value: Fraction, spread: Fraction, size: SampleSize) -> Interval | None:
    """Return value ± 1.96·100·√(spread / n*); `spread` is the variance s² of the coefficients."""
    if size.corrected is None:
        return Interval(value, value)
    if size.is_too_small:
        return None
    half_width = Z * HUNDRED * square_root(spread / size.corrected)
    return _clip(value - half_width, value + half_width)


def wilson_interval(value: Fraction, size: SampleSize) -> Interval | None:
    """Return Wilson's interval of a rate for n* ballots."""
    if size.corrected is None:
        return Interval(value, value)
    if size.is_too_small:
        return None
    n, share = size.corrected, value / HUNDRED
    centre = share + Z**2 / (2 * n)
    half_width = Z * square_root(share * (1 - share) / n + (Z / (2 * n)) ** 2)
    scale = HUNDRED / (1 + Z**2 / n)
    return _clip(scale * (centre - half_width), scale * (centre + half_width))


def _clip(low: Fraction, high: Fraction) -> Interval:
    return Interval(max(low, Fraction(0)), min(high, Fraction(HUNDRED)))


def weighted_mean(parts: Iterable[tuple[Fraction, Estimate | None]]) -> Estimate | None:
    """Join the items of a class: weighted mean of the values and of the bounds over the parts that exist."""
    return _join(parts, total)


def mover(parts: Iterable[tuple[Fraction, Estimate | None]]) -> Estimate | None:
    """Join independent classes: mean of the values, distances to the bounds added as squares (MOVER)."""
    return _join(parts, lambda distances: square_root(total(distance**2 for distance in distances)))


def _join(
    parts: Iterable[tuple[Fraction, Estimate | None]], add: Callable[[Iterable[Fraction]], Fraction]
) -> Estimate | None:
    shares = shares_of(parts)
    if not shares:
        return None
    value = total(share * part.value for share, part in shares)
    intervals = [part.interval for _, part in shares if part.interval]
    if len(intervals) < len(shares):
        return Estimate(value, None)
    below = add(
        [share * (part.value - bounds.low) for (share, part), bounds in zip(shares, intervals, strict=True)]
    )
    above = add(
        [share * (bounds.high - part.value) for (share, part), bounds in zip(shares, intervals, strict=True)]
    )
    return Estimate(value, _clip(value - below, value + above))


def shares_of(parts: Iterable[tuple[Fraction, Estimate | None]]) -> list[tuple[Fraction, Estimate]]:
    """Renormalize the weights to 1 over the parts that exist and weigh something."""
    present = [(weight, part) for weight, part in parts if part is not None and weight > 0]
    whole = total(weight for weight, _ in present)
    return [(weight / whole, part) for weight, part in present]


def total(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction(0))


def distinguishable(first: Estimate, second: Estimate) -> bool:
    """Tell whether two subjects differ by more than their intervals explain; never without intervals."""
    if first.interval is None or second.interval is None:
        return False
    if first.value < second.value:
        return distinguishable(second, first)
    room = (first.value - first.interval.low) ** 2 + (second.interval.high - second.value) ** 2
    return (first.value - second.value) ** 2 > room
