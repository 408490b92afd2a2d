from decimal import Decimal
from fractions import Fraction

import pytest

from survey_service.campaigns.rules import Mode
from survey_service.mass_evaluation.rules import MassScore, score_subject
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import BLANK, TallySlice
from tests.rules.mass_evaluation.builders import (
    MEMBER,
    OVERALL,
    VILLAGER,
    make_formula,
    make_slice,
    score_slices,
)

TWO_CLASSES = {VILLAGER: Decimal("0.6"), MEMBER: Decimal("0.4")}


def score_with_two_classes(*slices: TallySlice, **changes: int) -> MassScore:
    return score_slices(*slices, formula=make_formula(class_weights=TWO_CLASSES, **changes))


def test_nothing_is_rounded_before_the_end() -> None:
    """89.5 stays 89.5, so that a grade can be compared with the exact value."""
    formula = make_formula(coefficients={"satisfaction4": {"satisfied": 1, "dissatisfied": Decimal("0.79")}})
    score = score_slices(make_slice(satisfied=10, dissatisfied=10), formula=formula)
    assert score.score == Fraction("89.5")


def test_thirds_stay_thirds() -> None:
    assert score_slices(make_slice(satisfied=10, dissatisfied=5)).score == 85
    assert score_slices(make_slice(satisfied=5, basically_satisfied=1)).score == Fraction(575, 6)


def test_a_class_too_small_is_left_out_and_never_counts_0() -> None:
    score = score_with_two_classes(
        make_slice(satisfied=10), make_slice(rater_class=MEMBER, dissatisfied=5), min_class=6
    )
    assert score.score == 100
    assert score.by_class is not None
    assert (score.by_class[MEMBER].n, score.by_class[MEMBER].score) == (5, None)


def test_figures_show_the_configured_weights() -> None:
    score = score_with_two_classes(make_slice(satisfied=10), make_slice(mode=Mode.OPEN, satisfied=9))
    assert score.by_class is not None
    assert score.by_mode is not None
    assert {key: figure.weight for key, figure in score.by_class.items()} == TWO_CLASSES
    assert {key: figure.weight for key, figure in score.by_mode.items()} == {
        Mode.HOUSEHOLD: 1,
        Mode.OPEN: Decimal("0.5"),
    }


def test_figures_of_fewer_than_min_cell_ballots_stay_hidden() -> None:
    score = score_with_two_classes(
        make_slice(satisfied=10), make_slice(rater_class=MEMBER, mode=Mode.PANEL, satisfied=4), min_class=1
    )
    assert score.by_class is not None
    assert score.by_mode is not None
    assert score.by_class[MEMBER].score is None
    assert score.by_mode[Mode.PANEL].score is None
    assert score.by_class[VILLAGER].score == 100


def test_a_mode_without_weight_is_shown_apart() -> None:
    score = score_slices(make_slice(satisfied=10), make_slice(mode=Mode.OPEN_DEVICE, dissatisfied=8))
    assert score.score == 100
    assert score.by_mode is not None
    apart = score.by_mode[Mode.OPEN_DEVICE]
    assert (apart.returned, apart.n, apart.weight, apart.score) == (8, 8, 0, 55)
    assert score.by_class is not None
    assert (score.by_class[VILLAGER].returned, score.by_class[VILLAGER].n) == (18, 10)


def test_items_count_options_and_abstentions_of_weighing_modes() -> None:
    counts = {"overall": {"satisfied": 9, "not_informed": 2, BLANK: 3}}
    score = score_slices(
        TallySlice(VILLAGER, Mode.HOUSEHOLD, returned=14, valid=9, standing=9, counts=counts),
        make_slice(mode=Mode.OPEN_DEVICE, satisfied=50),
    )
    assert score.items is not None
    item = score.items[0]
    assert item.n == {"satisfied": 9, "basically_satisfied": 0, "dissatisfied": 0, "not_informed": 2}
    assert item.by_class == {VILLAGER: item.n}
    assert (item.abstained, item.score, score.valid) == (3, 100, 59)


@pytest.mark.parametrize(("count_abstained", "expected"), [(False, 100), (True, 50)])
def test_blanks_count_0_where_the_formula_says_so(count_abstained: bool, expected: int) -> None:
    counts = {"overall": {"satisfied": 6, BLANK: 6}}
    ballots = TallySlice(VILLAGER, Mode.HOUSEHOLD, returned=12, valid=6, standing=6, counts=counts)
    assert score_slices(ballots, formula=make_formula(count_abstained=count_abstained)).score == expected


def test_an_item_that_nobody_rated_does_not_count() -> None:
    unrated = ScoredItem("unrated", "grade4", Decimal(3))
    formula = make_formula(coefficients={"satisfaction4": {"satisfied": 1}, "grade4": {"good": 1}})
    score = score_subject(
        formula=formula, items=[OVERALL, unrated], slices=[make_slice(satisfied=9)], eligible={}
    )
    assert score.score == 100
    assert score.items is not None
    assert score.items[1].score is None


def test_items_of_an_option_set_without_positive_options_have_no_rate() -> None:
    graded = ScoredItem("graded", "grade4", Decimal(1))
    formula = make_formula(
        coefficients={"satisfaction4": {"satisfied": 1}, "grade4": {"good": 1, "poor": Decimal("0.4")}}
    )
    counts = {"overall": {"satisfied": 9}, "graded": {"poor": 9}}
    ballots = TallySlice(VILLAGER, Mode.HOUSEHOLD, returned=9, valid=9, standing=9, counts=counts)
    score = score_subject(formula=formula, items=[OVERALL, graded], slices=[ballots], eligible={})
    assert (score.score, score.satisfaction_rate) == (70, 100)
    alone = score_subject(formula=formula, items=[graded], slices=[ballots], eligible={})
    assert (alone.score, alone.satisfaction_rate, alone.satisfaction_interval) == (40, None, None)
