"""The presets as schemes, and inputs for them; a preset may be changed before it is read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from survey_service.ratings.grading import Grading, grade_subjects
from survey_service.ratings.presets import presets
from survey_service.ratings.rules import MassFigures, Scheme, Sheet, SubjectInputs
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.vocabulary import Level

FULL = {"leader": 15, "plan": 10, "rules": 10, "site": 15, "guarantee": 10, "performance": 20, "mass": 20}
"""The seven indicators of the township with their points."""


PAGE = (Path(__file__).parents[3] / "docs" / "ratings.md").read_text("utf-8")


def documented_example() -> str:
    """Return the text of the complete example of docs/ratings.md."""
    found = re.search(r"## A complete example.*?```yaml\n(.*?)```", PAGE, re.S)
    assert found is not None
    return found.group(1)


def preset(code: str, **changes: Any) -> Scheme:
    return replace(scheme_of(presets()[code]), **changes)


def points(given: Mapping[str, Any], level: Level = Level.TOWN) -> dict[Level, Sheet]:
    return {level: Sheet(points={code: Fraction(str(value)) for code, value in given.items()})}


def mass(score: Any, *, rate: Any = None, is_sealed: bool = True) -> MassFigures:
    rate = score if rate is None else rate
    return MassFigures("ok", Fraction(str(score)), Fraction(str(rate)), is_sealed)


def branch(code: str, total: Any, **changes: Any) -> SubjectInputs:
    """Return a branch of the township with a total, all of it in shares of the seven indicators."""
    share = Fraction(str(total)) / 100
    sheet = Sheet(points={name: most * share for name, most in FULL.items()})
    return SubjectInputs(code=code, **{"sheets": {Level.TOWN: sheet}} | changes)


def branches(totals: Sequence[Any]) -> list[SubjectInputs]:
    return [branch(f"b{number:02}", total) for number, total in enumerate(totals)]


def proposals(scheme: Scheme, subjects: Sequence[SubjectInputs]) -> list[str | None]:
    gradings = grade_subjects(scheme, subjects)
    return [gradings[one.code].proposed for one in subjects]


def grade_one(scheme: Scheme, **inputs: Any) -> Grading:
    return grade_subjects(scheme, [SubjectInputs(code="one", **inputs)])["one"]


def reason_codes(grading: Grading) -> list[str]:
    return [reason.code.value for reason in grading.reasons]
