"""What the gate takes out of exact figures, part by part."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import given

from survey_service.campaigns.rules import Mode
from survey_service.core.disclosure import Withholding
from survey_service.mass_evaluation.rules import MassScore
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice
from tests.rules.mass_evaluation.builders import (
    MEMBER,
    OVERALL,
    VILLAGER,
    make_ballot,
    make_formula,
    make_gate,
    make_slice,
    tally,
)
from tests.rules.mass_evaluation.situations import FEW, Situation, scored

SMALL, COMPLEMENTARY = Withholding.SMALL_CELL, Withholding.COMPLEMENTARY
BOTH = {"class_weights": {VILLAGER: Decimal("0.6"), MEMBER: Decimal("0.4")}}


def shown(*slices: TallySlice, **formula: Any) -> MassScore:
    return make_gate(formula=make_formula(**formula)).score(slices)


def rows_of(score: MassScore) -> list[Any]:
    assert score.trace is not None
    rows: Any = score.trace["slices"]
    return list(rows)


def test_nothing_is_withheld_where_every_class_and_mode_is_big_enough() -> None:
    score = shown(make_slice(satisfied=6), make_slice(rater_class=MEMBER, dissatisfied=5), **BOTH)
    assert score.valid == 11
    parts = [*(score.by_class or {}).values(), *(score.by_mode or {}).values(), *(score.items or ())]
    assert [part.withheld for part in parts] == [None] * len(parts)
    assert score.trace
    assert score.trace["withheld"] == {"classes": {}, "counts": [], "modes": None, "items": {}}


def test_a_small_class_outside_the_score_is_left_out_of_everything() -> None:
    score = shown(make_slice(satisfied=20), make_slice(rater_class=MEMBER, dissatisfied=2), **BOTH)
    assert score.by_class
    assert score.items
    assert score.by_mode
    assert (score.by_class[MEMBER].returned, score.by_class[MEMBER].n) == (2, None)
    assert score.by_class[MEMBER].withheld is SMALL
    assert score.by_class[VILLAGER].n == 20
    [item] = score.items
    assert item.n
    assert item.n["dissatisfied"] == 0
    assert item.by_class
    assert item.by_class[MEMBER] is None
    assert all(figure.n is None and figure.withheld for figure in score.by_mode.values())
    assert score.valid is None
    assert [row["counts"] for row in rows_of(score)] == [{"overall": {"satisfied": 20}}, None]


def test_a_small_class_inside_the_score_takes_the_next_one_with_it() -> None:
    score = shown(
        make_slice(satisfied=20), make_slice(rater_class=MEMBER, dissatisfied=2), min_class=1, **BOTH
    )
    assert score.by_class
    assert score.items
    assert score.trace
    assert score.score == 60 + Decimal("0.4") * 55
    assert {key: figure.withheld for key, figure in score.by_class.items()} == {
        VILLAGER: COMPLEMENTARY,
        MEMBER: SMALL,
    }
    assert [figure.score for figure in score.by_class.values()] == [None, None]
    assert (score.satisfaction_rate, score.items[0].n, score.items[0].score) == (None, None, None)
    assert score.trace["withheld"] == {
        "classes": {VILLAGER: COMPLEMENTARY, MEMBER: SMALL},
        "counts": [],
        "modes": SMALL,
        "items": {"overall": COMPLEMENTARY},
    }
    checks: Any = score.trace["checks"]
    assert {check["actual"] for check in checks if check["measures"] == "standing"} == {None}


def test_modes_of_the_same_weight_are_shown_together_where_one_is_small() -> None:
    score = shown(make_slice(satisfied=20), make_slice(mode=Mode.ASSISTED, dissatisfied=2))
    assert score.by_class
    assert score.by_mode
    assert score.items
    assert score.by_class[VILLAGER].n == 22
    assert all(figure.score is None and figure.withheld for figure in score.by_mode.values())
    [row] = rows_of(score)
    assert (row["modes"], row["standing"]) == (["household", "assisted"], 22)
    assert row["counts"] == {"overall": {"satisfied": 20, "dissatisfied": 2}}


def test_a_small_mode_of_another_weight_hides_the_counts_of_its_class() -> None:
    score = shown(make_slice(satisfied=20), make_slice(mode=Mode.OPEN, dissatisfied=2))
    assert score.score is not None
    assert score.by_class
    assert score.by_class[VILLAGER].score == score.score
    assert score.items
    assert (score.items[0].score, score.items[0].by_class) == (score.score, {VILLAGER: None})
    assert [row["counts"] for row in rows_of(score)] == [None, None]


def test_a_small_mode_that_weighs_nothing_hides_itself() -> None:
    score = shown(make_slice(satisfied=20), make_slice(mode=Mode.OPEN_DEVICE, dissatisfied=2))
    assert score.by_class
    assert score.by_class[VILLAGER].n == 20
    assert score.valid is None
    assert {tuple(row["modes"]): row["withheld"] for row in rows_of(score)} == {
        ("open_device",): SMALL,
        ("household",): None,
    }


def test_an_item_that_few_answered_takes_another_with_it() -> None:
    items = [OVERALL, *(ScoredItem(key, "satisfaction4", Decimal(1)) for key in ("roads", "water"))]
    everything = {"overall": "satisfied", "roads": "satisfied", "water": "dissatisfied"}
    full = [make_ballot(VILLAGER, Mode.HOUSEHOLD, everything)] * 2
    short = [make_ballot(VILLAGER, Mode.HOUSEHOLD, {"overall": "satisfied", "roads": "satisfied"})] * 5
    formula = make_formula()
    score = make_gate(formula=formula, items=items).score(tally([*full, *short], items, formula))
    assert score.items
    assert {item.key: item.withheld for item in score.items} == {
        "overall": COMPLEMENTARY,
        "roads": None,
        "water": SMALL,
    }
    assert [(item.n, item.score, item.abstained) for item in score.items if item.withheld] == [
        (None, None, None)
    ] * 2
    [row] = rows_of(score)
    assert row["counts"].keys() == {"roads"}


@FEW
@given(situation=scored())
def test_the_gate_changes_no_score(situation: Situation) -> None:
    exact = situation.score()
    gate = make_gate(
        formula=situation.formula,
        items=situation.items,
        eligible=situation.eligible,
        issued=situation.issued,
    )
    released = gate.score(tally(situation.ballots, situation.items, situation.formula))
    kept: dict[str, Any] = {
        "satisfaction_rate": None,
        "satisfaction_interval": None,
        "valid": None,
        "by_class": None,
        "by_mode": None,
        "items": None,
        "trace": None,
        "with_excluded": None,
    }
    assert replace(released, **kept) == replace(exact, **kept)
    assert released.with_excluded in (None, exact.with_excluded)


def test_where_a_small_class_enters_the_score_the_second_score_is_withheld() -> None:
    excluded = replace(make_slice(dissatisfied=5), is_excluded=True)
    small = make_slice(rater_class=MEMBER, dissatisfied=2)
    assert shown(make_slice(satisfied=20), excluded, min_class=1, **BOTH).with_excluded is not None
    assert shown(make_slice(satisfied=20), excluded, small, min_class=1, **BOTH).with_excluded is None
