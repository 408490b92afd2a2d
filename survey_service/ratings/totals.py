"""From what was filled in to one total: the tree of indicators, the bonus and the penalty."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from survey_service.core.canonical import canonical_object
from survey_service.ratings.rules import (
    HUNDRED,
    Indicator,
    MassFigures,
    MassRule,
    Scheme,
    Sheet,
    SubjectInputs,
)
from survey_service.ratings.vocabulary import Level, Source, WhenMissing

_NOTHING, _ONE = Fraction(0), Fraction(1)
_KEPT_ENTRIES = 500
"""So many different entries of an indicator are kept with what they are worth."""


class Basis(StrEnum):
    """What the value of a node rests on."""

    ENTRY = "entry"
    MASS = "mass"
    CHILDREN = "children"
    LEFT_OUT = "left_out"
    MISSING = "missing"


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """One indicator with its value; None where it is missing or left out."""

    indicator: Indicator
    basis: Basis
    value: Fraction | None
    maximum: Fraction
    level: Level | None = None
    entered: str | None = None
    children: Sequence["Node"] = ()
    written: str = ""
    """The trace of an entry that many subjects have, written once for all of them."""

    def missing(self) -> list[str]:
        """Return the titles of the indicators that stand between here and a value."""
        own = [self.indicator.title] if self.basis is Basis.MISSING and not self.children else []
        return own + [title for child in self.children for title in child.missing()]

    def trace(self) -> str:
        """Return how the value came about, as canonical JSON."""
        return self.written or self._write()

    def _write(self) -> str:
        facts: dict[str, object] = {
            "code": self.indicator.code,
            "title": self.indicator.title,
            "maximum": show(self.maximum),
            "basis": self.basis,
            "value": show(self.value),
        }
        if self.value is not None and HUNDRED % self.value.denominator:
            facts["exact"] = str(self.value)
        if self.level is not None:
            facts |= {"level": self.level, "entered": self.entered}
        return canonical_object(facts, {"children": _traces(self.children)} if self.children else {})


def _traces(nodes: Iterable[Node]) -> str:
    return "[" + ",".join([node.trace() for node in nodes]) + "]"


@dataclass(frozen=True)
class Total:
    """A total with the nodes it is made of; `value` is None while something is missing.

    The nodes weigh far more than all else, and are let go of where many subjects are graded.
    """

    value: Fraction | None
    root: Node | None
    bonus: Fraction
    penalty: Fraction

    def missing(self) -> list[str]:
        """Return the titles of the indicators that stand between here and a value."""
        return self.root.missing() if self.root and self.root.value is None else []

    def trace(self) -> str:
        """Return how the total came about, as canonical JSON; `exact` is a fraction. It needs the nodes."""
        assert self.root is not None
        facts = {
            "value": show(self.value),
            "exact": None if self.value is None else str(self.value),
            "indicators_value": show(self.root.value),
            "bonus": show(self.bonus),
            "penalty": show(self.penalty),
        }
        return canonical_object(facts, {"indicators": _traces(self.root.children)})


class TotalRule:
    """How a scheme makes a total of what was filled in; one rule serves all subjects.

    What is the same for many of them is worked out once: the tree of each field, and each entry.
    """

    def __init__(self, scheme: Scheme) -> None:
        self._scheme = scheme
        self._whole = Indicator("total", "", children=scheme.indicators)
        self._trees: dict[_Asked, _Branch] = {}

    def total(self, subject: SubjectInputs) -> Total:
        """Compute a subject's total from the entries that count.

        The bonus X is added and the penalty Y taken off; a total is never below 0.
        """
        return self._total(subject, self._scheme.counts, _Asked(subject.field_code))

    def _total(self, subject: SubjectInputs, levels: Sequence[Level], asked: "_Asked") -> Total:
        scheme = self._scheme
        root = self._evaluate(subject, levels, asked)
        bonus, penalty = scheme.bonus.sum(subject.bonus), scheme.penalty.sum(subject.penalty)
        value = None if root.value is None else max(_NOTHING, root.value + bonus - penalty)
        return Total(value, root, bonus, penalty)

    def _evaluate(self, subject: SubjectInputs, levels: Sequence[Level], asked: "_Asked") -> Node:
        if asked not in self._trees:
            self._trees[asked] = _Branch(self._whole, self._scheme.mass, asked)
        sheets = [(level, subject.sheets[level]) for level in levels if level in subject.sheets]
        root = self._trees[asked].evaluate(_Given(sheets, subject.mass))
        if self._scheme.has_field(subject.field_code):
            return root
        return Node(self._whole, Basis.MISSING, None, self._scheme.maximum, children=root.children)

    def level_totals(
        self, subject: SubjectInputs, *, whole: Total | None = None
    ) -> dict[Level, Fraction | None]:
        """Return what each level's own sheet comes to, side by side; None where it is not complete.

        What only others score counts nothing in it.
        Where only one of the levels that count has a sheet, its total is the `whole` one, if that is given.
        """
        counted = [level for level in self._scheme.counts if level in subject.sheets]
        is_known = whole is not None and len(counted) == 1 and not self._scheme.is_divided
        known = {counted[0]: whole.value} if whole is not None and is_known else {}
        return {
            level: known[level] if level in known else self._level_total(subject, level) for level in Level
        }

    def _level_total(self, subject: SubjectInputs, level: Level) -> Fraction | None:
        if level not in subject.sheets:
            return None
        scored_by = level if self._scheme.is_divided else None
        return self._total(subject, [level], _Asked(subject.field_code, scored_by)).value


class _Asked(NamedTuple):
    """Whom a tree is for: subjects of a field; and a level, where it is to score only what is its own."""

    field_code: str | None
    scored_by: Level | None = None

    def is_for_others(self, indicator: Indicator) -> bool:
        return self.scored_by is not None and not indicator.is_scored_by(self.scored_by)


@dataclass(frozen=True)
class _Given:
    """What counts of a subject: its sheets, the last word first, and its mass evaluation."""

    sheets: Sequence[tuple[Level, Sheet]]
    mass: MassFigures | None


_Written = tuple[int, int] | str | frozenset[str]
"""What stands in a sheet: points as numerator and denominator, an option, or the checks that are passed."""


class _Entry:
    """An indicator that is filled in."""

    def __init__(self, indicator: Indicator) -> None:
        self.maximum = indicator.points or _NOTHING
        self._indicator = indicator
        self._missing = Node(indicator, Basis.MISSING, None, self.maximum)
        self._find = _FINDERS[indicator.source]
        self._kept: dict[tuple[Level, _Written], Node] = {}

    def evaluate(self, given: _Given) -> Node:
        """Take the entry of the level that has the last word."""
        for level, sheet in given.sheets:
            written = self._find(sheet, self._indicator.code)
            if written is not None:
                return self._kept.get((level, written)) or self._evaluate_entry(level, written)
        return self._missing

    def _evaluate_entry(self, level: Level, written: _Written) -> Node:
        value, entered = self._read(written)
        node = Node(self._indicator, Basis.ENTRY, value, self.maximum, level, entered)
        if len(self._kept) < _KEPT_ENTRIES:
            node = self._kept[level, written] = replace(node, written=node.trace())
        return node

    def _read(self, written: _Written) -> tuple[Fraction, str]:
        """Return what an entry is worth, and how it is shown."""
        if isinstance(written, str):
            return self.maximum * self._indicator.options[written], written
        if isinstance(written, frozenset):
            checks = self._indicator.checks
            share = Fraction(len(written & set(checks)), len(checks))
            return self.maximum * share, "、".join(sorted(written))
        points = Fraction(*written)
        return points, str(points)


def _find_points(sheet: Sheet, code: str) -> tuple[int, int] | None:
    points = sheet.points.get(code)
    return None if points is None else points.as_integer_ratio()


def _find_choice(sheet: Sheet, code: str) -> str | None:
    return sheet.choices.get(code)


def _find_checks(sheet: Sheet, code: str) -> frozenset[str] | None:
    return sheet.checks.get(code)


_FINDERS = {
    Source.POINTS: _find_points,
    Source.MASS: _find_points,
    Source.CHOICE: _find_choice,
    Source.CHECKLIST: _find_checks,
}


class _OthersEntry:
    """An indicator that other levels fill in: nothing of its points in the total of one's own."""

    def __init__(self, indicator: Indicator) -> None:
        self.maximum = indicator.points or _NOTHING
        self._nothing = Node(indicator, Basis.ENTRY, _NOTHING, self.maximum)

    def evaluate(self, _: _Given) -> Node:
        """Count nothing."""
        return self._nothing


class _Mass:
    """An indicator whose value the mass evaluation gives: 80 of 100 is 80 percent of its points."""

    def __init__(self, indicator: Indicator, rule: MassRule, entry: _Entry | _OthersEntry) -> None:
        self.maximum = indicator.points or _NOTHING
        self._indicator, self._rule, self._entry = indicator, rule, entry

    def evaluate(self, given: _Given) -> Node:
        """Take the figure; without a campaign, and where the scheme says so, the assessors' points."""
        if given.mass is None:
            return self._entry.evaluate(given)
        figure = given.mass.figure(self._rule.measure)
        if figure is not None:
            return Node(self._indicator, Basis.MASS, self.maximum * figure / HUNDRED, self.maximum)
        if self._rule.when_missing is WhenMissing.MANUAL:
            return self._entry.evaluate(given)
        is_left_out = self._rule.when_missing is WhenMissing.RENORMALIZE
        basis = Basis.LEFT_OUT if is_left_out else Basis.MISSING
        return Node(self._indicator, basis, None, self.maximum)


class _Branch:
    """An indicator with children: what they have is scaled to its maximum."""

    def __init__(self, indicator: Indicator, rule: MassRule, asked: _Asked) -> None:
        children = [child for child in indicator.children if child.is_for(asked.field_code)]
        self._indicator = indicator
        self._parts: list[_Part] = [_part(child, rule, asked) for child in children]
        base = _sum([part.maximum for part in self._parts])
        points = indicator.points if children else _NOTHING
        self.maximum: Fraction = base if points is None else points
        self._scale = self._scale_to(self._parts)

    def evaluate(self, given: _Given) -> Node:
        """Scale what the children have to the maximum; those left out take no part in it."""
        children = [part.evaluate(given) for part in self._parts]
        values = [node.value for node in children if node.value is not None]
        scale = self._scale
        if len(values) < len(children):
            present = [node for node in children if node.basis is not Basis.LEFT_OUT]
            if len(values) < len(present):
                return Node(self._indicator, Basis.MISSING, None, self.maximum, children=children)
            scale = self._scale_to(present)
        if scale is None:
            return Node(self._indicator, Basis.LEFT_OUT, None, self.maximum, children=children)
        return Node(self._indicator, Basis.CHILDREN, _sum(values, scale), self.maximum, children=children)

    def _scale_to(self, parts: Sequence["Node | _Part"]) -> Fraction | None:
        base = _sum([part.maximum for part in parts])
        return self.maximum / base if base else None


_Part = _Entry | _OthersEntry | _Mass | _Branch


def _part(indicator: Indicator, rule: MassRule, asked: _Asked) -> _Part:
    if indicator.children:
        return _Branch(indicator, rule, asked)
    entry = _OthersEntry(indicator) if asked.is_for_others(indicator) else _Entry(indicator)
    return _Mass(indicator, rule, entry) if indicator.is_mass else entry


def _sum(values: Sequence[Fraction], scale: Fraction = _ONE) -> Fraction:
    """Add many fractions over one denominator, which is several times as fast as one by one, and scale."""
    ratios = [value.as_integer_ratio() for value in values]
    denominator = lcm(*[ratio[1] for ratio in ratios])
    total = sum([top * (denominator // bottom) for top, bottom in ratios])
    return Fraction(total * scale.numerator, denominator * scale.denominator)


def show(value: Fraction | None) -> str | None:
    """Write an exact value with two decimal places, half rounded away from zero; None stays None."""
    return None if value is None else _show(value.numerator, value.denominator)


@lru_cache(maxsize=50_000)
def _show(numerator: int, denominator: int) -> str:
    """In whole numbers and kept: this is written for every indicator of every subject."""
    hundredths = (200 * abs(numerator) + denominator) // (2 * denominator)
    sign = "-" if numerator < 0 and hundredths else ""
    return f"{sign}{hundredths // HUNDRED}.{hundredths % HUNDRED:02}"
