from decimal import Decimal

import pytest

from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import classify
from tests.rules.mass_evaluation.builders import PRESET, make_formula

ROADS = ScoredItem("services.roads", "satisfaction4", Decimal(1))
WATER = ScoredItem("services.water", "satisfaction4", Decimal(1))


@pytest.mark.parametrize(
    ("ratings", "expected"),
    [
        ({ROADS.key: "satisfied", WATER.key: "dissatisfied"}, (True, True)),
        ({ROADS.key: "satisfied"}, (True, True)),
        ({ROADS.key: "not_informed", WATER.key: "satisfied"}, (True, True)),
        ({ROADS.key: "not_informed"}, (False, False)),
        ({ROADS.key: ""}, (False, False)),
        ({}, (False, False)),
        ({"another_item": "satisfied"}, (False, False)),
    ],
)
def test_one_ballot(ratings: dict[str, str], expected: tuple[bool, bool]) -> None:
    assert classify(ratings, [ROADS, WATER], make_formula()) == expected


def test_not_informed_may_stand_and_is_never_valid() -> None:
    formula = make_formula(count_not_informed=True)
    assert classify({ROADS.key: "not_informed"}, [ROADS], formula) == (False, True)


def test_not_informed_stands_when_it_has_a_coefficient() -> None:
    formula = make_formula(coefficients={"satisfaction4": {**PRESET, "not_informed": Decimal("0.6")}})
    assert classify({ROADS.key: "not_informed"}, [ROADS], formula) == (False, True)


def test_a_blank_ballot_may_stand() -> None:
    assert classify({}, [ROADS], make_formula(count_abstained=True)) == (False, True)
