"""From what was filled in to one total: the tree of indicators, the bonus and the penalty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from survey_service.ratings.rules import HUNDRED, Indicator, Scheme, Sheet, SubjectInputs
from survey_service.ratings.vocabulary import Level, Source, WhenMissing

_NOTHING = Fraction(0)


class Basis(StrEnum):
    """What the value of a node rests on."""

    ENTRY = "entry"
    MASS = "mass"
    CHILDREN = "children"
    LEFT_OUT = "left_out"
    MISSING = "missing"


class Node(NamedTuple):
    """One indicator with its value; None where it is missing or left out."""

    indicator: Indicator
    basis: Basis
    value: Fraction | None
    maximum: Fraction
    level: Level | None = None
    entered: Fraction | str | None = None
    children: tuple["Node", ...] = ()

    def missing(self) -> list[str]:
        """Return the titles of the indicators that stand between here and a value."""
        own = [self.indicator.title] if self.basis is Basis.MISSING and not self.children else []
        return own + [title for child in self.children for title in child.missing()]


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


def compute_total(scheme: Scheme, subject: SubjectInputs, levels: Sequence[Level] | None = None) -> Total:
    """Compute a subject's total from the entries that count, or from those of some levels only.

    The bonus X is added and the penalty Y taken off; a total is never below 0.
    """
    counted = scheme.counts if levels is None else levels
    whole = Indicator("total", "", children=scheme.indicators)
    root = _evaluate(whole, _Context(scheme, subject, counted))
    if not scheme.has_field(subject.field_code):
        root = Node(whole, Basis.MISSING, None, scheme.maximum, children=root.children)
    bonus, penalty = scheme.bonus.sum(subject.bonus), scheme.penalty.sum(subject.penalty)
    value = None if root.value is None else max(Fraction(0), root.value + bonus - penalty)
    return Total(value, root, bonus, penalty)


@dataclass(frozen=True)
class _Context:
    scheme: Scheme
    subject: SubjectInputs
    levels: Sequence[Level]

    def entry(self, indicator: Indicator) -> tuple[Level, Fraction, Fraction | str] | None:
        """Return the entry that counts, from the level that has the last word."""
        for level in self.levels:
            sheet = self.subject.sheets.get(level)
            if sheet is not None and (found := _entered(indicator, sheet)) is not None:
                return level, *found
        return None


def _entered(indicator: Indicator, sheet: Sheet) -> tuple[Fraction, Fraction | str] | None:
    """Return the value that a sheet gives to an indicator, and what was written."""
    points, code = indicator.points or _NOTHING, indicator.code
    if indicator.source is Source.CHOICE:
        choice = sheet.choices.get(code)
        return None if choice is None else (points * indicator.options[choice], choice)
    if indicator.source is Source.CHECKLIST:
        passed = sheet.checks.get(code)
        return None if passed is None else (_checked(indicator, passed), "、".join(sorted(passed)))
    given = sheet.points.get(code)
    return None if given is None else (given, given)


def _shown(entered: Fraction | str | None) -> str | None:
    return _written(entered.numerator, entered.denominator) if isinstance(entered, Fraction) else entered


@lru_cache(maxsize=50_000)
def _written(numerator: int, denominator: int) -> str:
    return str(Fraction(numerator, denominator))


def _checked(indicator: Indicator, passed: frozenset[str]) -> Fraction:
    share = Fraction(len(passed & set(indicator.checks)), len(indicator.checks))
    return share * (indicator.points or 0)


def _evaluate(indicator: Indicator, context: _Context) -> Node:
    if indicator.children:
        return _evaluate_children(indicator, context)
    if indicator.source is Source.MASS and context.subject.mass is not None:
        return _evaluate_mass(indicator, context)
    return _evaluate_entry(indicator, context)


def _evaluate_entry(indicator: Indicator, context: _Context) -> Node:
    maximum = indicator.points or _NOTHING
    found = context.entry(indicator)
    if found is None:
        return Node(indicator, Basis.MISSING, None, maximum)
    level, value, entered = found
    return Node(indicator, Basis.ENTRY, value, maximum, level, entered)


def _evaluate_mass(indicator: Indicator, context: _Context) -> Node:
    """A figure of 80 of 100 is 80 percent of the indicator's points."""
    assert context.subject.mass is not None
    rule, maximum = context.scheme.mass, indicator.points or Fraction(0)
    figure = context.subject.mass.figure(rule.measure)
    if figure is not None:
        return Node(indicator, Basis.MASS, maximum * figure / HUNDRED, maximum)
    if rule.when_missing is WhenMissing.MANUAL:
        return _evaluate_entry(indicator, context)
    basis = Basis.LEFT_OUT if rule.when_missing is WhenMissing.RENORMALIZE else Basis.MISSING
    return Node(indicator, basis, None, maximum)


def _evaluate_children(indicator: Indicator, context: _Context) -> Node:
    """Scale what the children have to the maximum of the node; those left out take no part in it."""
    children = [_evaluate(child, context) for child in indicator.children if _is_asked(child, context)]
    points = indicator.points if children else Fraction(0)
    maximum = _add([node.maximum for node in children]) if points is None else points
    present = [node for node in children if node.basis is not Basis.LEFT_OUT]
    values = [node.value for node in present if node.value is not None]
    if len(values) < len(present):
        return Node(indicator, Basis.MISSING, None, maximum, children=tuple(children))
    base = _add([node.maximum for node in present])
    if not base:
        return Node(indicator, Basis.LEFT_OUT, None, maximum, children=tuple(children))
    value = _add(values) if maximum == base else maximum * _add(values) / base
    return Node(indicator, Basis.CHILDREN, value, maximum, children=tuple(children))


def _add(values: Sequence[Fraction]) -> Fraction:
    """Add many fractions over one denominator, which is several times as fast as one by one."""
    ratios = [value.as_integer_ratio() for value in values]
    denominator = lcm(*[ratio[1] for ratio in ratios])
    return Fraction(sum([top * (denominator // bottom) for top, bottom in ratios]), denominator)


def _is_asked(indicator: Indicator, context: _Context) -> bool:
    return indicator.is_for(context.subject.field_code)


def level_totals(
    scheme: Scheme, subject: SubjectInputs, *, whole: Total | None = None
) -> dict[Level, Fraction | None]:
    """Return what each level's own sheet comes to, side by side; None where it is not complete.

    Where only one of the levels that count has a sheet, its total is the `whole` one, if that is given.
    """
    counted = [level for level in scheme.counts if level in subject.sheets]
    is_known = whole is not None and len(counted) == 1 and not scheme.is_divided
    known = {counted[0]: whole.value} if whole is not None and is_known else {}
    return {
        level: known[level] if level in known else _level_total(scheme, subject, level) for level in Level
    }


def _level_total(scheme: Scheme, subject: SubjectInputs, level: Level) -> Fraction | None:
    if level not in subject.sheets:
        return None
    own = _own_part(scheme, subject, level) if scheme.is_divided else (scheme, subject)
    return compute_total(*own, [level]).value


def _own_part(scheme: Scheme, subject: SubjectInputs, level: Level) -> tuple[Scheme, SubjectInputs]:
    """Return scheme and entries in which the indicators that others score count nothing."""
    others = {
        leaf.code: _NOTHING
        for leaf in scheme.leaves(every_field=True)
        if not leaf.is_scored_by(level) and not (leaf.is_mass and subject.mass)
    }
    sheet = subject.sheets[level]
    sheets = {**subject.sheets, level: replace(sheet, points={**sheet.points, **others})}
    plain = tuple(_with_points(one, others) for one in scheme.indicators)
    return replace(scheme, indicators=plain), replace(subject, sheets=sheets)


def _with_points(indicator: Indicator, codes: Mapping[str, object]) -> Indicator:
    """Return an indicator in which those named are entered as points."""
    children = tuple(_with_points(one, codes) for one in indicator.children)
    source = Source.POINTS if indicator.code in codes else indicator.source
    return replace(indicator, source=source, children=children)


def show(value: Fraction | None) -> str | None:
    """Write an exact value with two decimal places, half rounded away from zero; None stays None."""
    return None if value is None else _show(value.numerator, value.denominator)


@lru_cache(maxsize=50_000)
def _show(numerator: int, denominator: int) -> str:
    """In whole numbers and kept: this is written for every indicator of every subject."""
    hundredths = (200 * abs(numerator) + denominator) // (2 * denominator)
    sign = "-" if numerator < 0 and hundredths else ""
    return f"{sign}{hundredths // HUNDRED}.{hundredths % HUNDRED:02}"


def total_trace(total: Total) -> Mapping[str, object]:
    """Return how a total came about, as plain JSON values; `exact` is a fraction. It needs the nodes."""
    assert total.root is not None
    return {
        "value": show(total.value),
        "exact": None if total.value is None else str(total.value),
        "indicators": [_node_trace(node) for node in total.root.children],
        "indicators_value": show(total.root.value),
        "bonus": show(total.bonus),
        "penalty": show(total.penalty),
    }


def _node_trace(node: Node) -> dict[str, object]:
    trace: dict[str, object] = {
        "code": node.indicator.code,
        "title": node.indicator.title,
        "maximum": show(node.maximum),
        "basis": node.basis,
        "value": show(node.value),
    }
    if node.value is not None and HUNDRED % node.value.denominator:
        trace["exact"] = str(node.value)
    if node.level is not None:
        trace |= {"level": node.level, "entered": _shown(node.entered)}
    if node.children:
        trace["children"] = [_node_trace(child) for child in node.children]
    return trace
