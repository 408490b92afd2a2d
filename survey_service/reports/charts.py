"""The geometry of the charts: pure numbers, which the templates write into attributes of SVG.

Places along the width are percentages, so that a drawing stretches with its box and nothing is distorted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

WHOLE = 100
FEWEST_COLUMNS = 7
"""A single day shall not fill the whole width."""
COLUMNS_HEIGHT = 96
"""Pixels of the highest column."""
_GAP = Fraction(1, 4)
_STEP = 10


def percent(value: Fraction | float) -> str:
    """Write a share of the width, kept between 0 and 100, with two decimal places."""
    kept = min(max(value, 0), WHOLE)
    return f"{float(kept):.2f}".rstrip("0").rstrip(".") + "%"


def share(part: int, whole: int | None) -> str:
    """Write a part of a whole as a share of the width; nothing of nothing is nothing."""
    return percent(Fraction(WHOLE * part, whole)) if whole else "0%"


@dataclass(frozen=True)
class Tick:
    x: str
    label: str


@dataclass(frozen=True)
class Whisker:
    """A score as a dot on the line of its interval; without an interval there is only the dot."""

    dot: str
    low: str
    high: str
    has_interval: bool


@dataclass(frozen=True)
class Scale:
    """The stretch of the scores that is drawn, from `low` to 100."""

    low: int

    def place(self, value: Fraction) -> str:
        return percent((value - self.low) * WHOLE / (WHOLE - self.low))

    def whisker(self, score: str, interval: Sequence[str] | None) -> Whisker:
        """Place a score and the bounds of its interval, all as decimal text."""
        dot = self.place(Fraction(score))
        low, high = map(self.place, map(Fraction, interval)) if interval else (dot, dot)
        return Whisker(dot, low, high, interval is not None)

    @property
    def ticks(self) -> list[Tick]:
        """The ends and the middle of the scale."""
        middle = Fraction(self.low + WHOLE, 2)
        return [
            Tick(self.place(value), f"{float(value):g}")
            for value in (Fraction(self.low), middle, Fraction(WHOLE))
        ]


def scale_for(lows: Sequence[str]) -> Scale:
    """Return a scale that begins at the full ten below all lower ends, so that differences can be seen."""
    lowest = min((Fraction(low) for low in lows), default=Fraction(0))
    return Scale(min(int(lowest) // _STEP * _STEP, WHOLE - _STEP))


@dataclass(frozen=True)
class ChartColumn:
    """One column of a chart over days; `y` and `height` in pixels from the top of the drawing."""

    x: str
    middle: str
    width: str
    y: int
    height: int
    value: int
    label: str


def columns(values: Sequence[tuple[str, int]]) -> list[ChartColumn]:
    """Place labelled values side by side; the highest one is `COLUMNS_HEIGHT` pixels high."""
    highest = max((value for _, value in values), default=0) or 1
    step = Fraction(WHOLE, max(len(values), FEWEST_COLUMNS))
    return [
        ChartColumn(
            x=percent(step * (number + _GAP / 2)),
            middle=percent(step * (number + Fraction(1, 2))),
            width=percent(step * (1 - _GAP)),
            y=COLUMNS_HEIGHT - (height := max(value, 0) * COLUMNS_HEIGHT // highest),
            height=height,
            value=value,
            label=label,
        )
        for number, (label, value) in enumerate(values)
    ]


@dataclass(frozen=True)
class Segment:
    """One part of a stacked bar; `tone` counts the parts from 1 and names their colour."""

    x: str
    width: str
    tone: int
    number: int
    label: str
    share: str


def stack(parts: Sequence[tuple[str, int]]) -> list[Segment]:
    """Place labelled numbers one after another over the whole width."""
    whole = sum(number for _, number in parts)
    segments, before = [], 0
    for tone, (label, number) in enumerate(parts, start=1):
        segments.append(
            Segment(share(before, whole), share(number, whole), tone, number, label, _rounded(number, whole))
        )
        before += number
    return segments


def _rounded(number: int, whole: int) -> str:
    return f"{100 * number / whole:.0f}%" if whole else ""


FLOW_WIDTH, FLOW_HEIGHT = 1000, 100
"""The box that streams are drawn in; it is stretched to the width of the page."""


@dataclass(frozen=True)
class Stream:
    """So many who go from a part of the upper bar to a part of the lower one; `step` parts up or down."""

    points: str
    step: int
    number: int


def streams(parts: int, flows: Mapping[tuple[int, int], int]) -> list[Stream]:
    """Place streams between two stacked bars of the same parts; keys are their numbers above and below.

    Parts are counted from 0; whoever is in one bar only has the number -1 in the other, and no stream.
    """
    above, below = _starts(parts, flows, 0), _starts(parts, flows, 1)
    return [
        Stream(_band(above[pair], below[pair]), pair[0] - pair[1], flows[pair])
        for pair in sorted(flows)
        if flows[pair] and min(pair) >= 0
    ]


def _starts(
    parts: int, flows: Mapping[tuple[int, int], int], side: int
) -> dict[tuple[int, int], tuple[Fraction, Fraction]]:
    """Return where each stream begins and ends along one bar."""
    held = [pair for part in range(parts) for pair in sorted(flows) if pair[side] == part]
    whole, before, places = sum(flows[pair] for pair in held) or 1, 0, {}
    for pair in held:
        after = before + flows[pair]
        places[pair] = (Fraction(FLOW_WIDTH * before, whole), Fraction(FLOW_WIDTH * after, whole))
        before = after
    return places


def _band(above: tuple[Fraction, Fraction], below: tuple[Fraction, Fraction]) -> str:
    corners = ((above[0], 0), (above[1], 0), (below[1], FLOW_HEIGHT), (below[0], FLOW_HEIGHT))
    return " ".join(f"{float(x):.1f},{y}" for x, y in corners)
