"""Forced shares: rounding, ties, small bases."""

from fractions import Fraction

import pytest

from survey_service.ratings.grading import grade_subjects
from survey_service.ratings.rules import Cap, Quota, Restriction
from survey_service.ratings.vocabulary import Measure, RestrictionKind
from tests.rules.ratings.schemes import FULL, branch, branches, mass, points, preset, proposals, reason_codes

TOWNSHIP = preset("township-classification")


@pytest.mark.parametrize(
    ("base", "best", "worst"),
    [(1, 0, 1), (2, 0, 1), (3, 0, 1), (5, 1, 1), (10, 2, 1), (11, 2, 2), (13, 2, 2)],
)
def test_a_maximum_rounds_down_and_a_minimum_rounds_up(base: int, best: int, worst: int) -> None:
    grades = proposals(TOWNSHIP, branches([99 - number * Fraction(1, 10) for number in range(base)]))
    assert (grades.count("好"), grades.count("较差")) == (best, worst)


def tied(*totals: object, masses: tuple[object, ...]) -> dict[str, tuple[str | None, bool]]:
    """Return proposal and tie of five branches, of whom one may be 好; the mass score is shown only."""
    scheme = preset(
        "township-classification",
        mass=preset("raoping-centre-star").mass,
        indicators=preset("raoping-centre-star").indicators,
        quotas=(Quota("好", Fraction(20), is_maximum=True),),
    )
    subjects = []
    for number, (total, figure) in enumerate(zip(totals, masses, strict=True)):
        share = Fraction(str(total)) / 100
        sheets = points({"site": 30 * share, "operation": 30 * share, "effect": 40 * share})
        figures = None if figure is None else mass(figure)
        subjects.append(branch(f"b{number}", 0, sheets=sheets, mass=figures))
    gradings = grade_subjects(scheme, subjects)
    return {code: (one.proposed, one.is_tied) for code, one in gradings.items()}


def test_a_tie_is_decided_by_the_mass_score() -> None:
    found = tied(95, 95, 80, 80, 80, masses=(80, 90, 99, 99, 99))
    assert (found["b0"], found["b1"]) == (("较好", False), ("好", False))


def test_a_tie_that_the_mass_score_leaves_is_for_people() -> None:
    found = tied(95, 95, 80, 80, 80, masses=(90, 90, 99, 99, 99))
    assert (found["b0"], found["b1"]) == (("好", True), ("较好", True))
    assert not found["b2"][1]


def test_a_missing_mass_score_is_neither_better_nor_worse() -> None:
    found = tied(95, 95, 80, 80, 80, masses=(None, 90, 99, 99, 99))
    assert (found["b0"][1], found["b1"][1]) == (True, True)


def test_a_mass_score_that_is_keyed_in_decides_a_tie_as_well() -> None:
    """Without a campaign the indicator holds it: 18 and 19 of 20 points."""
    sheets = [dict(FULL, leader=13, mass=18), dict(FULL, leader=12, mass=19)]
    subjects = [branch(f"z{number}", 0, sheets=points(one)) for number, one in enumerate(sheets)]
    gradings = grade_subjects(TOWNSHIP, [*subjects, *branches([85, 80, 70])])
    found = {code: (one.proposed, one.is_tied) for code, one in gradings.items()}
    assert (found["z0"], found["z1"]) == (("较好", False), ("好", False))
    assert reason_codes(gradings["z1"])[-1] == "tie_by_mass"


def test_only_those_whom_the_line_parts_are_tied() -> None:
    found = tied(95, 95, 95, 80, 80, masses=(90, 90, 70, 99, 99))
    assert [found[f"b{number}"] for number in range(3)] == [("好", True), ("较好", True), ("较好", False)]


def test_a_minimum_falls_on_the_last() -> None:
    gradings = grade_subjects(TOWNSHIP, branches([95, 94, 93, 92]))
    assert gradings["b03"].proposed == "较差"
    assert reason_codes(gradings["b03"])[-1] == "quota_minimum"


def test_a_minimum_takes_all_who_have_a_total_where_they_are_too_few() -> None:
    scheme = preset("township-classification", quotas=(Quota("较差", Fraction(100), is_maximum=False),))
    unfinished = [branch(f"u{number}", 0, sheets={}) for number in range(2)]
    assert proposals(scheme, [*branches([95, 85, 75]), *unfinished]) == ["较差"] * 3 + [None] * 2


def test_whoever_is_moved_down_skips_grades_that_are_blocked() -> None:
    block = Restriction("x", "x", RestrictionKind.VETO, frozenset({"较好"}))
    scheme = preset("township-classification", restrictions=(block,))
    subjects = [*branches([99, 98, 85, 84, 83]), branch("z", 97, findings=frozenset({"x"}))]
    gradings = grade_subjects(scheme, subjects)
    assert gradings["z"].proposed == "一般"
    assert reason_codes(gradings["z"]) == ["band", "quota_maximum", "veto"]


def test_a_cap_keeps_from_the_grades_above() -> None:
    """Satisfaction below 60: at most 一般. Peers write it so; no text of the five does."""
    scheme = preset("township-classification", caps=(Cap(Measure.SCORE, Fraction(60), "一般"),), quotas=())
    low = grade_subjects(scheme, [*branches([99] * 5), branch("z", 100, mass=mass("59.99"))])["z"]
    assert (low.by_score, low.proposed, reason_codes(low)) == ("好", "一般", ["band", "cap"])
    enough = grade_subjects(scheme, [branch("z", 100, mass=mass(60))])["z"]
    assert "cap" not in reason_codes(enough)
