"""What deserves a warning (预警): pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction

from survey_service.ratings.rules import HUNDRED, Scheme, SubjectInputs
from survey_service.ratings.totals import show
from survey_service.ratings.vocabulary import Level, WarningKind

FALL_PERCENT = 5
"""A total that has lost so much of the scale since the last cycle is falling; less is a year's noise."""


@dataclass(frozen=True)
class Found:
    """A reason for a warning; `organization_id` and `level` say whose it is."""

    kind: WarningKind
    key: str
    organization_id: int
    level: Level
    facts: Mapping[str, object]
    subject_id: int | None = None


def unproven_indicators(
    scheme: Scheme, subject: SubjectInputs, level: Level, proven: Collection[str]
) -> list[str]:
    """Return the titles of indicators with points of a level that want proof and have none.

    `proven` are the indicators that have a note, a file or a link.
    """
    sheet = subject.sheets.get(level)
    if sheet is None:
        return []
    entered = {code for code, points in sheet.points.items() if points}
    entered |= sheet.choices.keys() | {code for code, passed in sheet.checks.items() if passed}
    return [
        leaf.title
        for leaf in scheme.leaves(subject.field_code)
        if leaf.wants_evidence and leaf.code in entered and leaf.code not in proven
    ]


def missing_entries(scheme: Scheme, subject: SubjectInputs, level: Level) -> int:
    """Return how many indicators of its own a level has not filled in."""
    sheet = subject.sheets.get(level)
    filled = set() if sheet is None else sheet.points.keys() | sheet.choices.keys() | sheet.checks.keys()
    return sum(leaf.code not in filled for leaf in scheme.asked_of(level, subject.field_code))


@dataclass(frozen=True)
class Result:
    """A grade with its place among the grades of its scheme, 0 being the best, and the share of the scale."""

    year: int
    grade_title: str
    rank: int
    total: Fraction | None
    maximum: Fraction

    @property
    def percent(self) -> Fraction | None:
        return None if self.total is None else HUNDRED * self.total / self.maximum


def falls(before: Result, now: Result) -> dict[str, object] | None:
    """Return what a warning says about a result that is clearly below the last one; None where it is not."""
    has_lost = (
        before.percent is not None
        and now.percent is not None
        and before.percent - now.percent >= FALL_PERCENT
    )
    if not has_lost and now.rank <= before.rank:
        return None
    return {
        "year": before.year,
        "before": show(before.total) or "–",
        "now": show(now.total) or "–",
        "grade_before": before.grade_title,
        "grade_now": now.grade_title,
    }
