"""What if a scheme were another: the same entries graded by both, and who moves (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from survey_service.ratings.grading import Grading, grade_subjects
from survey_service.ratings.rules import Adjustments, Indicator, Scheme, Sheet, SubjectInputs
from survey_service.ratings.vocabulary import Level


@dataclass(frozen=True)
class Outcome:
    """One subject graded by both schemes."""

    before: Grading
    after: Grading

    @property
    def has_moved(self) -> bool:
        return self.before.proposed != self.after.proposed


@dataclass(frozen=True)
class Comparison:
    """All subjects graded by both schemes, in the order in which they were given."""

    scheme: Scheme
    changed: Scheme
    outcomes: Sequence[Outcome]

    @property
    def moved(self) -> list[Outcome]:
        """Return those whose proposed grade differs."""
        return [one for one in self.outcomes if one.has_moved]

    def step(self, outcome: Outcome) -> int:
        """Return by how many grades a subject rises; negative where it falls, 0 where it cannot be told."""
        before, after = outcome.before.proposed, outcome.after.proposed
        is_known = before in self.changed.grades and after in self.changed.grades
        return self.changed.rank(str(before)) - self.changed.rank(str(after)) if is_known else 0


def compare(scheme: Scheme, changed: Scheme, subjects: Sequence[SubjectInputs]) -> Comparison:
    """Grade the same entries by two schemes; nothing is stored.

    Points for an indicator whose maximum changes keep their share of it: 12 of 15 become 16 of 20.
    """
    before = grade_subjects(scheme, subjects)
    carry = _Carrier(scheme, changed)
    totals = {code: one.total for code, one in before.items()} if _counts_alike(scheme, changed) else {}
    after = grade_subjects(changed, [carry.over(one) for one in subjects], totals=totals)
    return Comparison(scheme, changed, [Outcome(before[one.code], after[one.code]) for one in subjects])


def _counts_alike(scheme: Scheme, changed: Scheme) -> bool:
    """Tell whether totals stay as they are: only bands, shares or other things behind them are changed."""
    return all(
        getattr(scheme, part) == getattr(changed, part)
        for part in ("fields", "maximum", "counts", "mass", "indicators", "bonus", "penalty")
    )


class _Carrier:
    """Takes what was entered under one scheme over to another."""

    def __init__(self, scheme: Scheme, changed: Scheme) -> None:
        self._changed = changed
        every = changed.leaves(every_field=True)
        old = {leaf.code: leaf for leaf in scheme.leaves(every_field=True)}
        self._leaves = {leaf.code: leaf for leaf in every}
        self._known = {
            level: {leaf.code: leaf for leaf in every if leaf.is_scored_by(level)} for level in Level
        }
        self._factors = {code: _ratio(old[code], leaf) for code, leaf in self._leaves.items() if code in old}
        self._is_same = all(factor == 1 for factor in self._factors.values()) and (
            {code: _form(leaf) for code, leaf in old.items()}
            == {code: _form(leaf) for code, leaf in self._leaves.items()}
        )

    def over(self, subject: SubjectInputs) -> SubjectInputs:
        sheets = subject.sheets
        if not self._is_same:
            sheets = {level: self._sheet(sheet, level) for level, sheet in sheets.items()}
        return replace(
            subject,
            sheets=sheets,
            bonus=_within(self._changed.bonus, subject.bonus),
            penalty=_within(self._changed.penalty, subject.penalty),
        )

    def _sheet(self, sheet: Sheet, level: Level) -> Sheet:
        known, factors = self._known[level], self._factors
        points = {
            code: given if factors[code] == 1 else given * factors[code]
            for code, given in sheet.points.items()
            if code in known and code in factors
        }
        choices = {
            code: option
            for code, option in sheet.choices.items()
            if code in known and option in known[code].options
        }
        checks = {code: passed for code, passed in sheet.checks.items() if code in known}
        return Sheet(points, choices, checks)


def _form(leaf: Indicator) -> tuple[object, ...]:
    """Return what decides which entries an indicator takes."""
    return leaf.options.keys(), leaf.checks, leaf.scored_by


def _ratio(old: Indicator, new: Indicator) -> Fraction:
    return (new.points or Fraction(0)) / old.points if old.points else Fraction(1)


def _within(adjustments: Adjustments, given: Mapping[str, Fraction]) -> dict[str, Fraction]:
    most = {item.code: item.points for item in adjustments.items}
    return {code: min(points, most[code]) for code, points in given.items() if code in most}
