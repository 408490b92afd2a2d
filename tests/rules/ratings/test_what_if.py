"""What if the scheme were another: weights, bands and shares changed on a copy; and how sure a ranking is."""

from copy import deepcopy
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest

from survey_service.core.errors import Invalid
from survey_service.ratings.documents import InvalidScheme
from survey_service.ratings.grading import grade_subjects
from survey_service.ratings.presets import presets
from survey_service.ratings.rules import Scheme, Sheet, SubjectInputs
from survey_service.ratings.scheme_changes import Changes, change_document
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.sensitivity import Neighbours, Placed, neighbours, place_subjects
from survey_service.ratings.vocabulary import Level, MassRole
from survey_service.ratings.what_if import Comparison, compare
from tests.rules.ratings.schemes import branches, mass, preset

DOCUMENT = presets()["township-classification"]


def changed(**changes: Any) -> Scheme:
    return scheme_of(change_document(DOCUMENT, Changes(**changes)))


def compared(totals: list[Any], **changes: Any) -> Comparison:
    return compare(scheme_of(DOCUMENT), changed(**changes), branches(totals))


def moves(found: Comparison) -> dict[str, tuple[str | None, str | None, int]]:
    return {
        one.before.subject.code: (one.before.proposed, one.after.proposed, found.step(one))
        for one in found.moved
    }


FIVE = [97, 95, 85, 75, 65]


def test_without_a_change_nobody_moves() -> None:
    assert change_document(DOCUMENT, Changes()) == DOCUMENT
    assert compared(FIVE).moved == []


def test_changes_never_reach_the_original() -> None:
    before = deepcopy(DOCUMENT)
    change_document(
        DOCUMENT,
        Changes(
            points={"leader": "20", "plan": "5"}, bands={"好": "95"}, max_percents={"好": "40", "较好": "50"}
        ),
    )
    assert before == DOCUMENT


def test_a_larger_share_lets_the_next_one_rise() -> None:
    """40 % of 5 are 2: the second one is 好 as well; nobody else moves."""
    assert moves(compared(FIVE, max_percents={"好": "40"})) == {"b01": ("较好", "好", 1)}


def test_a_share_can_be_taken_away() -> None:
    assert moves(compared(FIVE, max_percents={"好": ""}, min_percents={"较差": ""})) == {
        "b01": ("较好", "好", 1),
        "b04": ("较差", "一般", 1),
    }


def test_a_higher_line_lets_those_fall_who_do_not_reach_it() -> None:
    assert moves(compared(FIVE, bands={"好": "98"})) == {"b00": ("好", "较好", -1)}


def test_points_keep_their_share_of_a_maximum_that_changes() -> None:
    """12 of 15 for the leader become 16 of 20; the plan's 10 of 10 become 5 of 5: 97 stay 98."""
    code = {"leader": Fraction(12), "plan": Fraction(10)}
    full = {"rules": 10, "site": 15, "guarantee": 10, "performance": 20, "mass": 20}
    sheet = Sheet(points=code | {name: Fraction(most) for name, most in full.items()})
    one = SubjectInputs("one", sheets={Level.TOWN: sheet})
    [outcome] = compare(scheme_of(DOCUMENT), changed(points={"leader": "20", "plan": "5"}), [one]).outcomes
    assert (outcome.before.total.value, outcome.after.total.value) == (97, 96)


def test_weights_that_do_not_sum_are_refused_with_their_place() -> None:
    with pytest.raises(InvalidScheme) as found:
        change_document(DOCUMENT, Changes(points={"leader": "20"}))
    assert found.value.errors == {"indicators": ["各指标分值合计为 105，应为 100。"]}


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"bands": {"较好": "90"}}, "bands[1].min"),
        ({"bands": {"较差": "10"}}, "bands[3].min"),
        ({"max_percents": {"较差": "50"}}, "quotas[2].max_percent"),
        ({"min_percents": {"好": "50"}}, "quotas[2].min_percent"),
        ({"bands": {"优秀": "90"}}, "bands.优秀"),
        ({"points": {"unknown": "1"}}, "points.unknown"),
    ],
)
def test_changes_that_contradict_themselves_name_their_place(changes: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as found:
        change_document(DOCUMENT, Changes(**changes))
    assert set(found.value.errors) == {place}


def test_what_somebody_has_changed_is_no_assumption_any_more() -> None:
    source = presets()["shuocheng-secretary-star"]
    after = change_document(
        source, Changes(bands={"star5": "96"}, points={"mass": "25", "organisation": "15"})
    )
    gone = set(source["assumptions"]) - set(after["assumptions"])
    assert gone == {"bands[0].min", "indicators[1].points", "indicators[2].points"}


def test_entries_that_the_other_scheme_does_not_know_are_left_out() -> None:
    """Another scheme altogether: nothing fits, so there is no total, and nothing breaks."""
    found = compare(scheme_of(DOCUMENT), preset("shuocheng-secretary-star"), branches([97]))
    [outcome] = found.outcomes
    assert outcome.after.total.value is None
    assert found.step(outcome) == 0


def place(total: Any, low: Any = None, high: Any = None, grade: str = "好") -> Placed:
    exact = Fraction(str(total))
    return Placed("x", grade, exact, Fraction(str(low or total)), Fraction(str(high or total)))


@pytest.mark.parametrize(
    ("above", "below", "is_distinguishable"),
    [
        # The arm of the upper one is 3, that of the lower one 4: √(9 + 16) = 5.
        (place(90, 87, 92), place(85, 80, 89), False),
        (place("90.01", "87.01", 92), place(85, 80, 89), True),
        # Only the arms that point at each other count.
        (place(90, 87, 100), place("84.99", 0, "88.99"), True),
        (place(90), place("89.99"), True),
        (place(90), place(90), False),
    ],
)
def test_neighbours_are_told_apart_by_the_arms_between_them(
    above: Placed, below: Placed, *, is_distinguishable: bool
) -> None:
    assert Neighbours(above, below).is_distinguishable is is_distinguishable


def test_equal_grades_are_not_parted() -> None:
    assert not Neighbours(place(90, 87, 92), place(89, 85, 91)).is_parted
    assert Neighbours(place(90, 87, 92), place(89, 85, 91, grade="较好")).is_parted


def test_a_total_is_as_uncertain_as_the_mass_score_in_it() -> None:
    """The mass score counts 20 of 100 points: an interval of 10 to each side is 2 points of the total."""
    scheme = preset("township-classification")
    scheme = replace(scheme, mass=replace(scheme.mass, role=MassRole.INDICATOR), indicators=with_mass(scheme))
    subjects = [replace(one, mass=mass(80)) for one in branches([90, 89])]
    gradings = grade_subjects(scheme, subjects)
    bounds = {"b00": (Fraction(70), Fraction(90)), "b01": (Fraction(80), Fraction(80))}
    first, second = place_subjects(scheme, gradings.values(), bounds)
    assert (first.total - first.low, first.high - first.total) == (2, 2)
    assert not second.has_interval
    [pair] = neighbours([first, second])
    assert not pair.is_distinguishable


def with_mass(scheme: Scheme) -> Any:
    source = preset("shuocheng-secretary-star").indicators[2].source
    return tuple(replace(one, source=source) if one.code == "mass" else one for one in scheme.indicators)


def test_a_band_line_inside_an_interval_is_named() -> None:
    scheme = replace(
        preset("township-classification"), indicators=with_mass(preset("township-classification"))
    )
    scheme = replace(scheme, mass=replace(scheme.mass, role=MassRole.INDICATOR))
    [one] = [replace(one, mass=mass(91)) for one in branches([91])]
    gradings = grade_subjects(scheme, [one])
    [placed] = place_subjects(scheme, gradings.values(), {"b00": (Fraction(80), Fraction(99))})
    assert placed.lines == ("好",)
