"""The five published systems, each with grades computed by hand."""

from fractions import Fraction

import pytest

from survey_service.ratings.grading import Grading, grade_subjects
from survey_service.ratings.rules import MassFigures, Sheet, reward_sums
from survey_service.ratings.vocabulary import Boundary, Level
from tests.rules.ratings.schemes import (
    branch,
    branches,
    grade_one,
    mass,
    points,
    preset,
    proposals,
    reason_codes,
)

TOWNSHIP = preset("township-classification")


def test_township_of_13_branches() -> None:
    """20 % of 13 is 2.6, so 好 ≤ 2; 10 % of 13 is 1.3, so 较差 ≥ 2."""
    totals = [97, 95, "93.5", 91, 89, "89.5", 85, 82, "79.99", 75, 70, 62, 55]
    expected = ["好", "好", "较好", "较好", "较好", "较好", "较好", "较好"]
    expected += ["一般", "一般", "一般", "较差", "较差"]
    assert proposals(TOWNSHIP, branches(totals)) == expected


def test_township_at_a_band() -> None:
    """89.5 lies in [80, 90); rounded first it is 90."""
    assert grade_subjects(TOWNSHIP, [branch("b", "89.5")])["b"].by_score == "较好"
    rounding = preset("township-classification", boundary=Boundary.ROUND_FIRST)
    assert grade_subjects(rounding, [branch("b", "89.5")])["b"].by_score == "好"
    assert grade_subjects(rounding, [branch("b", "89.49")])["b"].by_score == "较好"


def test_township_takes_the_mass_score_as_its_seventh_indicator() -> None:
    """80 points from the committee's six indicators, and 94.20 of 100 of the 20 points: 18.84."""
    grading = grade_one(TOWNSHIP, sheets=branch("b", 100).sheets, mass=mass("94.20"))
    assert grading.total.value == Fraction("98.84")


def test_township_without_a_mass_score_has_no_total() -> None:
    grading = grade_one(
        TOWNSHIP, sheets=branch("b", 100).sheets, mass=MassFigures("insufficient", is_sealed=True)
    )
    assert (grading.total.value, grading.proposed) == (None, None)
    assert reason_codes(grading) == ["mass_missing", "incomplete"]


def test_raoping_the_county_has_the_last_word() -> None:
    """The town gives 28 + 27 + 37 = 92; the county lowers the site to 24: 88, four stars."""
    town = points({"site": 28, "operation": 27, "effect": 37})
    county = points({"site": 24}, Level.COUNTY)
    grading = grade_one(preset("raoping-centre-star"), sheets=town | county)
    assert (grading.total.value, grading.proposed) == (88, "star4")
    grading = grade_one(preset("raoping-centre-star"), sheets=town, mass=MassFigures("suppressed"))
    assert (grading.total.value, grading.proposed) == (92, "star5"), "evidence is shown, never counted"


def secretary(quantitative: int, choice: str, satisfaction: int, **adjusted: dict[str, Fraction]) -> Grading:
    fifth = Fraction(quantitative, 5)
    five = dict.fromkeys(("leader", "income", "site", "rules", "service"), fifth)
    sheet = Sheet(points=five, choices={"organisation": choice})
    return grade_one(
        preset("shuocheng-secretary-star"),
        sheets={Level.TOWN: sheet},
        mass=mass(satisfaction),
        **adjusted,
    )


def test_shuocheng_three_plus_x_minus_y() -> None:
    """90 of 100 of 60 points is 54; 较好 is 16 of 20; 95 of 100 of 20 points is 19: 89, three stars.

    X = 8 makes it 97; Y = 3 of that 94. The cap of X is 10, that of Y 20.
    """
    plain = secretary(90, "fairly_good", 95)
    assert (plain.total.value, plain.proposed) == (89, "star3")
    bonus, penalty = {"honour": Fraction(8)}, {"discipline": Fraction(3)}
    assert secretary(90, "fairly_good", 95, bonus=bonus).proposed == "star5"
    both = secretary(90, "fairly_good", 95, bonus=bonus, penalty=penalty)
    assert (both.total.value, both.proposed) == (94, "star4")
    capped = secretary(90, "fairly_good", 95, bonus={"honour": Fraction(50)})
    assert capped.total.value == 99
    assert secretary(0, "poor", 0, penalty={"discipline": Fraction(20)}).total.value == 0


def test_shuocheng_of_109_secretaries() -> None:
    """2 of five stars, 2 of four, 105 of three or below, as published."""
    above = [secretary(score, "good", score) for score in (100, 96, 92, 91)]
    below = [secretary(number * 80 // 104, "fairly_good", 80) for number in range(105)]
    assert [one.proposed for one in above] == ["star5", "star5", "star4", "star4"]
    assert [one.total.value for one in below[-1:]] == [Fraction(80)]
    assert {one.proposed for one in below} == {"star3", "star2", "star1", "star0"}


BASE = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), 12)


def test_feicheng_measures_each_field_by_its_own_standard() -> None:
    """60 for the five categories, 40 % for the effect: 35 of 40 in the field's own indicator."""
    scheme = preset("feicheng-branch-star")
    rural = grade_one(scheme, field_code="rural", sheets=points(BASE | {"rural_effect": 35}))
    assert (rural.total.value, rural.proposed) == (95, "star5")
    school = grade_one(scheme, field_code="school", sheets=points(BASE | {"field_effect": 25}))
    assert (school.total.value, school.proposed) == (85, "star4")
    wrong = grade_one(scheme, field_code="school", sheets=points(BASE | {"rural_effect": 40}))
    assert reason_codes(wrong) == ["incomplete"]
    unknown = grade_one(scheme, sheets=points(BASE))
    assert (unknown.proposed, reason_codes(unknown)) == (None, ["field_unknown"])


@pytest.mark.parametrize(
    ("findings", "grade", "reasons"),
    [
        ({"organized_crime"}, "star4", ["band", "veto"]),
        ({"supervision_problem"}, "star4", ["band", "negative"]),
        ({"inspection_problem"}, "star3", ["band", "negative"]),
        ({"organized_crime", "inspection_problem"}, "star3", ["band", "veto", "negative"]),
    ],
)
def test_feicheng_a_finding_blocks_the_grades_it_names(
    findings: set[str], grade: str, reasons: list[str]
) -> None:
    grading = grade_one(
        preset("feicheng-branch-star"),
        field_code="rural",
        sheets=points(BASE | {"rural_effect": 40}),
        findings=frozenset(findings),
    )
    assert (grading.by_score, grading.proposed, reason_codes(grading)) == ("star5", grade, reasons)


def test_feicheng_a_veto_of_five_stars_leaves_four_stars_alone() -> None:
    grading = grade_one(
        preset("feicheng-branch-star"),
        field_code="rural",
        sheets=points(BASE | {"rural_effect": 25}),
        findings=frozenset({"organized_crime"}),
    )
    assert (grading.by_score, grading.proposed, reason_codes(grading)) == ("star4", "star4", ["band"])


def test_feicheng_rewards() -> None:
    """200 branches × 10,000 = 2,000,000; allowances are 500, 400 and 300 yuan a month, twelve times."""
    scheme = preset("feicheng-branch-star")
    graded = [("star5", "rural")] * 200 + [("star4", "rural")] * 10 + [("star5", "school")] * 9
    assert reward_sums(scheme, [*graded, ("star3", "rural"), (None, "rural"), ("low", "rural")]) == {
        "secretary_allowance": (211, (200 * 500 + 10 * 400 + 300) * 12),
        "branch_funds": (200, 2_000_000),
    }


def test_fuzhou_is_met_when_every_check_is_passed() -> None:
    checks = frozenset({"politics", "organization", "team", "service", "rules", "guarantee"})
    scheme = preset("fuzhou-standard")

    def grade(field: str, passed: frozenset[str]) -> str | None:
        sheet = Sheet(checks={f"{field}_standard": passed})
        return grade_one(scheme, field_code=field, sheets={Level.COUNTY: sheet}).proposed

    assert grade("village", checks) == "met"
    assert grade("community", checks) == "met"
    assert grade("village", checks - {"rules"}) == "not_met"
    assert scheme.phases[2026] == "基本实现质量标准达标见效"


def test_whoever_is_excluded_has_no_grade_and_no_part_in_the_shares() -> None:
    """10 % of 11 is 1.1, so two; with ten left it is one."""
    totals = [95, *range(75, 65, -1)]
    subjects = branches(totals)
    assert proposals(TOWNSHIP, subjects).count("较差") == 2
    subjects[5] = branch("b05", 71, exclusion="任职不满一年")
    grades = proposals(TOWNSHIP, subjects)
    assert grades[5] is None
    assert grades.count("较差") == 1
