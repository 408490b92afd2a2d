"""What deserves a warning: points without proof, entries that are missing, results that fall."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from survey_service.ratings.rules import Scheme, SubjectInputs
from survey_service.ratings.vocabulary import Level
from survey_service.ratings.warning_rules import Result, falls, missing_entries, unproven_indicators
from tests.rules.ratings.schemes import branch, preset


def wanting(*codes: str) -> Scheme:
    scheme = preset("township-classification")
    return replace(
        scheme,
        indicators=tuple(replace(one, wants_evidence=one.code in codes) for one in scheme.indicators),
    )


def test_points_without_proof_are_named() -> None:
    scheme, one = wanting("leader", "plan"), branch("b", 90)
    assert unproven_indicators(scheme, one, Level.TOWN, {"plan"}) == ["党组织带头人"]
    assert unproven_indicators(scheme, one, Level.TOWN, {"plan", "leader"}) == []
    assert unproven_indicators(scheme, one, Level.SELF, set()) == []


def test_nothing_needs_no_proof() -> None:
    assert unproven_indicators(wanting("leader"), branch("b", 0), Level.TOWN, set()) == []


def test_missing_entries_are_counted_without_those_of_the_mass_evaluation() -> None:
    scheme = preset("shuocheng-secretary-star")
    assert missing_entries(scheme, SubjectInputs("one"), Level.TOWN) == 6
    assert missing_entries(preset("township-classification"), branch("b", 90), Level.TOWN) == 0


def result(total: Any, rank: int) -> Result:
    exact = None if total is None else Fraction(str(total))
    return Result(2025, f"第{rank}等", rank, exact, Fraction(100))


@pytest.mark.parametrize(
    ("before", "now", "is_falling"),
    [
        (result(90, 0), result("85.01", 0), False),
        (result(90, 0), result(85, 0), True),
        (result(90, 0), result(89, 1), True),
        (result(90, 1), result(86, 0), False),
        (result(None, 1), result(80, 1), False),
        (result(None, 1), result(80, 2), True),
    ],
)
def test_a_result_falls_by_a_twentieth_of_the_scale_or_by_a_grade(
    before: Result, now: Result, *, is_falling: bool
) -> None:
    assert (falls(before, now) is not None) is is_falling


def test_scales_of_different_length_are_compared_by_their_share() -> None:
    before = replace(result(45, 0), maximum=Fraction(50))
    assert falls(before, result(90, 0)) is None
