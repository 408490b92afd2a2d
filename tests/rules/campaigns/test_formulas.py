"""Formulas as people give them, as they are stored, and what a launch misses."""

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from survey_service.campaigns.formulas import (
    FormulaError,
    build_formula,
    formula_from_json,
    formula_to_json,
    missing_coefficients,
)
from survey_service.campaigns.rules import EmptyClass, Formula, Mode, RaterClass
from survey_service.core.canonical import canonical_json

FLAT = {"satisfied": "1", "basically_satisfied": "0.7", "dissatisfied": "0.3"}
NESTED = {"satisfaction4": FLAT, "grade4": {"good": 1, "fairly_good": 0.8, "average": "0.60", "poor": "0"}}
BOTH = ("satisfaction4", "grade4")


def build(*used: str, min_cell: int = 5, **given: Any) -> Formula:
    whole = {"class_weights": {"villager": Decimal(1)}} | given
    return build_formula(whole, used_sets=used or ("satisfaction4",), min_cell=min_cell)


def refused(*used: str, **given: Any) -> set[str]:
    """Return the fields that are refused."""
    with pytest.raises(FormulaError) as caught:
        build(*used, **given)
    return set(caught.value.errors)


def test_flat_coefficients_are_for_one_used_set() -> None:
    numbers = build(coefficients=FLAT).coefficients
    assert numbers == {"satisfaction4": {key: Decimal(value) for key, value in FLAT.items()}}
    assert refused(*BOTH, coefficients=FLAT) == {"formula.coefficients"}


def test_nested_coefficients_are_by_set() -> None:
    numbers = build(*BOTH, coefficients=NESTED).coefficients
    assert numbers["grade4"] == {
        "good": Decimal(1),
        "fairly_good": Decimal("0.8"),
        "average": Decimal("0.6"),
        "poor": Decimal(0),
    }


def test_without_coefficients_the_presets_of_the_used_sets_count() -> None:
    numbers = build(*BOTH).coefficients
    assert numbers["satisfaction4"] == {
        "satisfied": Decimal(1),
        "basically_satisfied": Decimal("0.75"),
        "dissatisfied": Decimal("0.55"),
    }
    assert missing_coefficients(build(*BOTH), BOTH) == {}


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, ["basically_satisfied", "dissatisfied", "satisfied"]),
        ({"satisfied": "1"}, ["basically_satisfied", "dissatisfied"]),
        (FLAT, None),
        (FLAT | {"not_informed": "0.5"}, None),
        ({"grade4": {"good": "1"}}, ["basically_satisfied", "dissatisfied", "satisfied"]),
    ],
)
def test_a_launch_misses_every_option_of_a_used_set_but_not_informed(
    given: dict[str, Any], missing: list[str] | None
) -> None:
    found = missing_coefficients(build(coefficients=given), ["satisfaction4"])
    assert found == ({"formula.coefficients.satisfaction4": missing} if missing else {})


@pytest.mark.parametrize(
    "number", ["-0.01", "1.01", "one", "NaN", "1E-99999999", None, True, [], {"a": 1}, 2]
)
def test_a_coefficient_lies_between_0_and_1(number: Any) -> None:
    assert refused(coefficients={"satisfaction4": {"satisfied": number}}) == {
        "formula.coefficients.satisfaction4"
    }


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"excellent": "1"}, "formula.coefficients.satisfaction4"),
        ({"grade4": {"satisfied": "1"}}, "formula.coefficients.grade4"),
        ({"grade9": {"good": "1"}}, "formula.coefficients.grade9"),
        ({"grade4": {"good": "1"}, "satisfied": "1"}, "formula.coefficients.satisfied"),
    ],
)
def test_unknown_options_and_sets_are_refused(given: dict[str, Any], field: str) -> None:
    assert refused(coefficients=given) == {field}


@pytest.mark.parametrize(
    ("given", "positive"),
    [
        (None, {"satisfied", "basically_satisfied"}),
        (["satisfied"], {"satisfied"}),
        ([], set()),
        ({"satisfaction4": ["satisfied"]}, {"satisfied"}),
    ],
)
def test_positive_options_are_a_list_or_a_map(given: Any, positive: set[str]) -> None:
    assert build(positive=given).positive == {"satisfaction4": positive}


def test_a_list_of_positive_options_is_shared_by_all_used_sets() -> None:
    positive = build(*BOTH, positive=["satisfied", "good"]).positive
    assert positive == {"satisfaction4": {"satisfied"}, "grade4": {"good"}}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        (["satisfied", "basicaly_satisfied"], "formula.positive"),
        (["good"], "formula.positive"),
        ({"satisfaction4": ["good"]}, "formula.positive.satisfaction4"),
        ({"grade9": ["good"]}, "formula.positive.grade9"),
    ],
)
def test_a_mistyped_positive_option_is_refused(given: Any, field: str) -> None:
    assert refused(positive=given) == {field}


@pytest.mark.parametrize(
    ("given", "share"),
    [
        ("0", 0),
        ("0.5", Fraction(1, 2)),
        (0.5, Fraction(1, 2)),
        ("2/3", Fraction(2, 3)),
        ("80", Fraction(4, 5)),
        (100, 1),
        ("1", 1),
        ("33.3", Fraction(333, 1000)),
    ],
)
def test_a_gate_is_a_share_or_a_percentage(given: Any, share: Fraction) -> None:
    assert build(min_response_rate=given).min_response_rate == {None: share}


def test_gates_may_be_set_by_class() -> None:
    given = {"party_member": "1", "villager": "10", "all": "0.5"}
    assert build(min_response_rate=given).min_response_rate == {
        RaterClass.PARTY_MEMBER: 1,
        RaterClass.VILLAGER: Fraction(1, 10),
        None: Fraction(1, 2),
    }


@pytest.mark.parametrize(
    "given",
    ["-0.5", "101", "1/0", "half", "1e9999999", None, True, [], {"king": "0.5"}, {"villager": {}}, "2/3/4"],
)
def test_a_bad_gate_is_refused(given: Any) -> None:
    assert refused(min_response_rate=given) == {"formula.min_response_rate"}


def test_modes_that_are_not_named_have_their_default_weight() -> None:
    weights = build(mode_weights={"open": Decimal("0.5")}).mode_weights
    assert {mode.value: weight for mode, weight in weights.items()} == {
        "panel": 1,
        "household": 1,
        "open": Decimal("0.5"),
        "open_device": 0,
        "assisted": 1,
        "paper": 1,
        "paper_total": 1,
    }


@pytest.mark.parametrize(
    ("given", "counts"),
    [
        ({}, False),
        ({"mode_weights": {"open_device": Decimal(1)}}, False),
        ({"mode_weights": {"household": Decimal(1)}}, True),
        ({"mode_weights": {"household": Decimal(0)}}, False),
        ({"mode_weights": {"household": Decimal(1)}, "class_weights": {"party_member": Decimal(1)}}, False),
        ({"mode_weights": {"household": Decimal(1)}, "counts_households": False}, False),
        ({"counts_households": True}, True),
    ],
)
def test_households_count_where_the_owner_gave_them_a_weight(given: dict[str, Any], counts: bool) -> None:
    assert build(**given).counts_households is counts


def test_the_rest_has_the_defaults_of_the_contract() -> None:
    formula = build()
    assert (formula.count_not_informed, formula.count_abstained) == (False, False)
    assert (formula.min_class, formula.min_ballots, formula.min_cell) == (5, 0, 5)
    assert formula.empty_class is EmptyClass.RENORMALIZE


def test_a_formula_is_read_as_it_was_written() -> None:
    formula = build(
        *BOTH,
        min_cell=3,
        coefficients=NESTED,
        positive=["satisfied"],
        class_weights={"villager": Decimal("0.6"), "party_member": Decimal("0.40")},
        mode_weights={"open": Decimal("0.5")},
        count_not_informed=True,
        count_abstained=True,
        min_class=0,
        min_ballots=30,
        empty_class="block",
        min_response_rate={"villager": "2/3"},
    )
    assert formula_from_json(json.loads(canonical_json(formula_to_json(formula)))) == formula


def test_a_stored_formula_can_be_given_again() -> None:
    stored = formula_to_json(build(mode_weights={"open": Decimal(1)}, min_response_rate="2/3"))
    assert formula_to_json(build(**stored)) == stored


@pytest.mark.parametrize(
    ("counts", "coefficient", "stands"),
    [(False, None, False), (True, None, True), (False, "0", True), (True, "0.5", True)],
)
def test_not_informed_stands_with_a_coefficient_or_when_counted(
    counts: bool, coefficient: str | None, stands: bool
) -> None:
    given = FLAT | ({} if coefficient is None else {"not_informed": coefficient})
    formula = build(coefficients=given, count_not_informed=counts)
    assert formula.in_denominator("satisfaction4", "not_informed") is stands
    assert formula.in_denominator("satisfaction4", "dissatisfied")


def test_a_mode_is_known_by_its_name() -> None:
    with pytest.raises(ValueError, match="pigeon"):
        build(mode_weights={"pigeon": Decimal(1)})
    assert Mode("open_device") is Mode.OPEN_DEVICE
