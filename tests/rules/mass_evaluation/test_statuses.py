from decimal import Decimal
from fractions import Fraction

import pytest

from survey_service.campaigns.rules import EmptyClass, Mode
from survey_service.mass_evaluation.rules import Flag, MassScore, Reason, Status, withhold
from tests.rules.mass_evaluation.builders import MEMBER, VILLAGER, make_formula, make_slice, score_slices

TWO_CLASSES = {VILLAGER: Decimal("0.6"), MEMBER: Decimal("0.4")}
WITHHELD = (
    "valid",
    "score",
    "interval",
    "satisfaction_rate",
    "satisfaction_interval",
    "by_class",
    "by_mode",
    "items",
    "trace",
)


def outcome(score: MassScore) -> tuple[str, str]:
    return score.status.value, score.reason.value


def test_enough_ballots_are_ok() -> None:
    assert outcome(score_slices(make_slice(satisfied=5))) == ("ok", "")


def test_no_ballots() -> None:
    score = score_slices(eligible={VILLAGER: 30})
    assert outcome(score) == ("suppressed", "no_ballots")
    assert (score.returned, score.eligible, score.response_rate) == (0, 30, 0)


def test_fewer_ballots_than_min_cell() -> None:
    assert outcome(score_slices(make_slice(satisfied=4))) == ("suppressed", "small_cell")


@pytest.mark.parametrize("counts", [{"not_informed": 9}, {"satisfied": 4, "not_informed": 9}])
def test_ballots_outside_every_denominator_do_not_fill_a_cell(counts) -> None:
    assert outcome(score_slices(make_slice(**counts))) == ("suppressed", "small_cell")


def test_modes_without_weight_do_not_fill_a_cell() -> None:
    slices = make_slice(satisfied=4), make_slice(mode=Mode.OPEN_DEVICE, satisfied=40)
    assert outcome(score_slices(*slices)) == ("suppressed", "small_cell")


def test_classes_that_drop_out_do_not_fill_a_cell() -> None:
    formula = make_formula(class_weights=TWO_CLASSES, min_class=3)
    slices = make_slice(satisfied=4), make_slice(rater_class=MEMBER, satisfied=2)
    assert outcome(score_slices(*slices, formula=formula)) == ("suppressed", "small_cell")


def test_more_returned_than_issued_voids() -> None:
    score = score_slices(make_slice(satisfied=31), issued={Mode.HOUSEHOLD: 30})
    assert outcome(score) == ("void", "more_than_issued")


def test_all_issued_ballots_may_return() -> None:
    assert score_slices(make_slice(satisfied=30), issued={Mode.HOUSEHOLD: 30}).status is Status.OK


def test_unknown_numbers_of_issued_ballots_void_nothing() -> None:
    assert score_slices(make_slice(satisfied=30), issued={Mode.HOUSEHOLD: None}).status is Status.OK


def test_open_modes_are_flagged_and_not_voided() -> None:
    score = score_slices(
        make_slice(mode=Mode.OPEN, satisfied=31), eligible={VILLAGER: 30}, issued={Mode.OPEN: 1}
    )
    assert score.status is Status.OK
    assert score.flags == (Flag.MORE_RETURNED_THAN_ELIGIBLE, Flag.NO_FINITE_CORRECTION)


@pytest.mark.parametrize(("assisted", "flags"), [(2, ()), (3, (Flag.ASSISTED_SHARE,))])
def test_more_than_a_fifth_of_assisted_ballots_is_flagged(assisted: int, flags: tuple[Flag, ...]) -> None:
    score = score_slices(
        make_slice(satisfied=10 - assisted), make_slice(mode=Mode.ASSISTED, satisfied=assisted)
    )
    assert (score.status, score.flags) == (Status.OK, flags)


def test_assisted_ballots_weigh_one_and_stand_apart() -> None:
    score = score_slices(
        make_slice(satisfied=10), make_slice(mode=Mode.ASSISTED, dissatisfied=10), make_slice(mode=Mode.PANEL)
    )
    assert score.by_mode is not None
    assert score.by_mode[Mode.ASSISTED].weight == score.by_mode[Mode.HOUSEHOLD].weight == 1
    assert (score.by_mode[Mode.ASSISTED].n, score.by_mode[Mode.ASSISTED].score) == (10, 55)
    assert score.score == Fraction(155, 2)


def test_void_comes_before_suppressed() -> None:
    assert outcome(score_slices(make_slice(satisfied=2), issued={Mode.HOUSEHOLD: 1})) == (
        "void",
        "more_than_issued",
    )


def test_suppressed_comes_before_insufficient() -> None:
    formula = make_formula(min_response_rate={None: Fraction(1)}, empty_class=EmptyClass.BLOCK)
    score = score_slices(make_slice(satisfied=4), formula=formula, eligible={VILLAGER: 30})
    assert outcome(score) == ("suppressed", "small_cell")


def test_a_gate_comes_before_a_missing_class() -> None:
    formula = make_formula(
        class_weights=TWO_CLASSES, min_response_rate={VILLAGER: Fraction(1)}, empty_class=EmptyClass.BLOCK
    )
    score = score_slices(make_slice(satisfied=8), formula=formula, eligible={VILLAGER: 30})
    assert outcome(score) == ("insufficient", "below_gate")


@pytest.mark.parametrize(("returned", "expected"), [(20, Status.OK), (19, Status.INSUFFICIENT)])
def test_a_gate_on_the_response_rate_is_exact(returned, expected) -> None:
    formula = make_formula(min_response_rate={None: Fraction(2, 3)})
    assert (
        score_slices(make_slice(satisfied=returned), formula=formula, eligible={VILLAGER: 30}).status
        is expected
    )


def test_invalid_ballots_and_abstentions_are_turnout() -> None:
    formula = make_formula(min_response_rate={None: Fraction(1, 2)})
    ballots = make_slice(mode=Mode.PAPER, satisfied=5, not_informed=5, invalid=5)
    score = score_slices(ballots, formula=formula, eligible={VILLAGER: 30})
    assert score.status is Status.OK
    assert score.response_rate == 50


def test_gates_ignore_modes_without_weight_and_the_response_rate_does_not() -> None:
    formula = make_formula(min_response_rate={None: Fraction(1, 2)})
    slices = make_slice(satisfied=10), make_slice(mode=Mode.OPEN_DEVICE, satisfied=15)
    score = score_slices(*slices, formula=formula, eligible={VILLAGER: 30})
    assert outcome(score) == ("insufficient", "below_gate")
    assert score.response_rate == Fraction(250, 3)


@pytest.mark.parametrize(("members", "expected"), [(10, Status.OK), (9, Status.INSUFFICIENT)])
def test_gates_by_class(members, expected) -> None:
    """One county asks for all members and a tenth of the villagers."""
    formula = make_formula(
        class_weights=TWO_CLASSES, min_response_rate={MEMBER: Fraction(1), VILLAGER: Fraction(1, 10)}
    )
    slices = make_slice(satisfied=30), make_slice(rater_class=MEMBER, satisfied=members)
    assert score_slices(*slices, formula=formula, eligible={VILLAGER: 300, MEMBER: 10}).status is expected


@pytest.mark.parametrize(("returned", "expected"), [(30, Status.OK), (29, Status.INSUFFICIENT)])
def test_a_gate_on_the_number_of_ballots(returned, expected) -> None:
    assert (
        score_slices(make_slice(satisfied=returned), formula=make_formula(min_ballots=30)).status is expected
    )


@pytest.mark.parametrize("eligible", [{}, {VILLAGER: None}, {VILLAGER: 0}])
def test_an_unknown_response_rate_meets_no_gate(eligible) -> None:
    formula = make_formula(min_response_rate={None: Fraction(1, 10)})
    score = score_slices(make_slice(satisfied=9), formula=formula, eligible=eligible)
    assert outcome(score) == ("insufficient", "below_gate")
    assert score.response_rate is None


def test_an_unknown_response_rate_meets_a_gate_of_zero() -> None:
    formula = make_formula(min_response_rate={None: Fraction(0)})
    assert score_slices(make_slice(satisfied=9), formula=formula).status is Status.OK


def test_a_class_of_nobody_meets_its_gate() -> None:
    formula = make_formula(class_weights=TWO_CLASSES, min_response_rate={MEMBER: Fraction(1)})
    score = score_slices(make_slice(satisfied=9), formula=formula, eligible={VILLAGER: 30, MEMBER: 0})
    assert outcome(score) == ("ok", "")


def test_the_eligible_number_is_unknown_as_soon_as_that_of_one_class_is() -> None:
    formula = make_formula(class_weights=TWO_CLASSES)
    assert score_slices(make_slice(satisfied=9), formula=formula, eligible={VILLAGER: 30}).eligible is None


def test_a_blocking_class() -> None:
    formula = make_formula(class_weights=TWO_CLASSES, empty_class=EmptyClass.BLOCK)
    slices = make_slice(satisfied=9), make_slice(rater_class=MEMBER, satisfied=4)
    assert outcome(score_slices(*slices, formula=formula)) == ("insufficient", "class_missing")


def test_a_class_without_weight_does_not_block() -> None:
    formula = make_formula(
        class_weights={VILLAGER: Decimal(1), MEMBER: Decimal(0)}, empty_class=EmptyClass.BLOCK
    )
    assert outcome(score_slices(make_slice(satisfied=9), formula=formula)) == ("ok", "")


def test_renormalizing_needs_one_class() -> None:
    formula = make_formula(class_weights=TWO_CLASSES)
    slices = make_slice(satisfied=4), make_slice(rater_class=MEMBER, satisfied=4)
    assert outcome(score_slices(*slices, formula=formula)) == ("insufficient", "class_missing")


@pytest.mark.parametrize("name", WITHHELD)
def test_a_withheld_score_holds_turnout_alone(name) -> None:
    score = score_slices(make_slice(satisfied=4), eligible={VILLAGER: 8})
    assert getattr(score, name) is None
    assert (score.returned, score.eligible, score.response_rate) == (4, 8, 50)


def test_a_score_can_be_withheld_afterwards() -> None:
    score = score_slices(make_slice(satisfied=9), eligible={VILLAGER: 8})
    hidden = withhold(score, Reason.COMPLEMENTARY)
    assert outcome(hidden) == ("suppressed", "complementary")
    assert hidden.flags == (Flag.MORE_RETURNED_THAN_ELIGIBLE,)
    assert (hidden.returned, hidden.score, hidden.trace) == (9, None, None)
