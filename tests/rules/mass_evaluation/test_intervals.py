from fractions import Fraction

import pytest

from survey_service.mass_evaluation.intervals import (
    Estimate,
    Interval,
    distinguishable,
    mean_interval,
    mover,
    sample_size,
    square_root,
    weighted_mean,
    wilson_interval,
)

ONE = Fraction(1)


def tenths(interval: Interval | None) -> list[str]:
    assert interval is not None
    return [f"{float(bound):.1f}" for bound in interval]


def estimate(value: int, low: int, high: int) -> Estimate:
    return Estimate(Fraction(value), Interval(Fraction(low), Fraction(high)))


def test_wilson_interval_of_ninety_percent_of_thirty() -> None:
    assert tenths(wilson_interval(Fraction(90), sample_size([(ONE, 30)], None))) == ["74.4", "96.5"]


def test_wilson_interval_of_half_a_population_of_sixty() -> None:
    assert tenths(wilson_interval(Fraction(90), sample_size([(ONE, 30)], 60))) == ["79.7", "95.4"]


def test_mean_interval_by_hand() -> None:
    """25 ballots with s² = 0.04: 80 ± 1.96·100·√(0.04 / 25) = 80 ± 7.84."""
    interval = mean_interval(Fraction(80), Fraction("0.04"), sample_size([(ONE, 25)], None))
    assert interval == Interval(Fraction("72.16"), Fraction("87.84"))


def test_weights_lower_the_effective_number() -> None:
    assert sample_size([(ONE, 10), (Fraction(1, 2), 40)], None).effective == 45


def test_effective_number_does_not_depend_on_the_scale_of_the_weights() -> None:
    assert sample_size([(ONE, 7), (ONE / 3, 9)], 50) == sample_size([(ONE * 3, 7), (ONE, 9)], 50)


@pytest.mark.parametrize(
    "find",
    [lambda size: wilson_interval(Fraction(90), size), lambda size: mean_interval(Fraction(90), ONE, size)],
)
def test_a_whole_population_leaves_no_width(find) -> None:
    assert find(sample_size([(ONE, 30)], 30)) == (90, 90)


def test_more_ballots_than_people_are_not_corrected() -> None:
    size = sample_size([(ONE, 31)], 30)
    assert size.exceeds_eligible
    assert size.corrected == 31


def test_one_ballot_has_no_interval() -> None:
    assert wilson_interval(Fraction(100), sample_size([(ONE, 1)], 500)) is None
    assert mean_interval(Fraction(100), ONE, sample_size([(ONE, 1)], None)) is None


def test_two_ballots_have_one() -> None:
    assert wilson_interval(Fraction(100), sample_size([(ONE, 2)], None)) is not None


def test_bounds_stay_between_0_and_100() -> None:
    size = sample_size([(ONE, 3)], None)
    assert mean_interval(Fraction(50), Fraction(1, 4), size) == (0, 100)
    assert wilson_interval(Fraction(100), size).high == 100
    assert wilson_interval(Fraction(0), size).low == 0


@pytest.mark.parametrize(("square", "root"), [(0, 0), (4, 2), (Fraction(9, 16), Fraction(3, 4))])
def test_roots_of_squares_are_exact(square, root) -> None:
    assert square_root(Fraction(square)) == root


def test_other_roots_are_rounded_up_at_the_twelfth_place() -> None:
    assert square_root(Fraction(2)) == Fraction("1.414213562374")


def test_items_join_by_the_mean_of_their_bounds() -> None:
    joined = weighted_mean([(Fraction(3), estimate(80, 70, 84)), (ONE, estimate(60, 50, 72)), (ONE, None)])
    assert joined == estimate(75, 65, 81)


def test_classes_join_by_squared_distances() -> None:
    joined = mover([(ONE, estimate(80, 74, 90)), (ONE, estimate(60, 52, 84))])
    assert joined == estimate(70, 65, 83)


@pytest.mark.parametrize("join", [weighted_mean, mover])
def test_one_part_without_interval_leaves_the_whole_without(join) -> None:
    assert join([(ONE, estimate(80, 74, 90)), (ONE, Estimate(Fraction(60), None))]) == Estimate(
        Fraction(70), None
    )


@pytest.mark.parametrize("join", [weighted_mean, mover])
def test_parts_without_weight_are_left_out(join) -> None:
    assert join([(ONE, estimate(80, 74, 90)), (Fraction(0), estimate(0, 0, 0))]) == estimate(80, 74, 90)
    assert join([(Fraction(0), estimate(80, 74, 90)), (ONE, None)]) is None


@pytest.mark.parametrize(("gap", "expected"), [(5, False), (6, True)])
def test_subjects_differ_beyond_their_intervals(gap, expected) -> None:
    """√(3² + 4²) = 5: a gap of exactly 5 does not tell them apart."""
    better, worse = estimate(80 + gap, 77 + gap, 100), estimate(80, 0, 84)
    assert distinguishable(better, worse) is expected
    assert distinguishable(worse, better) is expected


def test_nothing_is_told_apart_without_intervals() -> None:
    assert not distinguishable(estimate(90, 89, 91), Estimate(Fraction(10), None))
