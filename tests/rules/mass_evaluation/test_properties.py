from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from survey_service.campaigns.rules import Formula, Mode
from survey_service.mass_evaluation.rules import MassScore, score_subject
from survey_service.tallies.rules import BLANK, TallySlice
from tests.rules.mass_evaluation.builders import MEMBER, VILLAGER, tally
from tests.rules.mass_evaluation.situations import FEW, OPTIONS, Situation, scored

ALL_ONE = {key: dict.fromkeys(options, Decimal(1)) for key, options in OPTIONS.items()}


def slices_of(situation: Situation) -> list[TallySlice]:
    return tally(situation.ballots, situation.items, situation.formula)


def score_of(situation: Situation, slices: Sequence[TallySlice]) -> MassScore:
    return score_subject(
        formula=situation.formula, items=situation.items, slices=slices, eligible=situation.eligible
    )


def halves(whole: TallySlice) -> list[TallySlice]:
    """Split a slice in two of the same class and mode, with every number divided as it comes."""
    lower = {key: {option: n // 2 for option, n in counts.items()} for key, counts in whole.counts.items()}
    upper = {
        key: {option: n - lower[key][option] for option, n in counts.items()}
        for key, counts in whole.counts.items()
    }
    names = ("returned", "valid", "standing", "invalid")
    small = {name: getattr(whole, name) // 2 for name in names}
    rest = {name: getattr(whole, name) - small[name] for name in names}
    return [replace(whole, counts=lower, **small), replace(whole, counts=upper, **rest)]


@FEW
@given(situation=scored(), data=st.data())
def test_the_order_of_slices_does_not_matter(situation: Situation, data: st.DataObject) -> None:
    slices = slices_of(situation)
    shuffled = data.draw(st.permutations(slices))
    assert score_of(situation, shuffled) == score_of(situation, slices)


@FEW
@given(situation=scored(), data=st.data())
def test_the_order_of_ballots_does_not_matter(situation: Situation, data: st.DataObject) -> None:
    shuffled = replace(situation, ballots=data.draw(st.permutations(situation.ballots)))
    assert shuffled.score() == situation.score()


@FEW
@given(situation=scored())
def test_a_slice_may_come_in_two_parts(situation: Situation) -> None:
    slices = slices_of(situation)
    parts = [part for whole in slices for part in halves(whole)]
    assert score_of(situation, parts) == score_of(situation, slices)


@FEW
@given(situation=scored())
def test_permuted_classes(situation: Situation) -> None:
    """When the two classes change names with their weights and numbers, the total stays."""
    other = {VILLAGER: MEMBER, MEMBER: VILLAGER}
    permuted = Situation(
        formula=replace(
            situation.formula,
            class_weights={other[key]: weight for key, weight in situation.formula.class_weights.items()},
        ),
        items=situation.items,
        ballots=[{**ballot, "rater_class": other[ballot["rater_class"]]} for ballot in situation.ballots],
        eligible={other[key]: number for key, number in situation.eligible.items()},
        issued=situation.issued,
    )
    score, expected = permuted.score(), situation.score()
    assert (score.score, score.interval, score.satisfaction_rate) == (
        expected.score,
        expected.interval,
        expected.satisfaction_rate,
    )


@FEW
@given(situation=scored(coefficients=ALL_ONE, count_abstained=False))
def test_coefficients_of_one_give_100(situation: Situation) -> None:
    assert situation.score().score == 100


@FEW
@given(situation=scored(count_abstained=False, count_not_informed=False))
def test_the_score_lies_between_the_coefficients(situation: Situation) -> None:
    used = {item.option_set for item in situation.items}
    values = [value for key in used for value in situation.formula.coefficients[key].values()]
    score = situation.score().score
    assert score is not None
    assert 100 * min(values) <= score <= 100 * max(values)


@FEW
@given(situation=scored())
def test_intervals_hold_their_estimate(situation: Situation) -> None:
    score = situation.score()
    pairs = [(score.score, score.interval), (score.satisfaction_rate, score.satisfaction_interval)]
    for figures in (score.by_class or {}, score.by_mode or {}):
        pairs += [(figure.score, figure.interval) for figure in figures.values()]
    pairs += [(item.score, item.interval) for item in score.items or ()]
    assert all(
        0 <= interval.low <= value <= interval.high <= 100
        for value, interval in pairs
        if interval and value is not None
    )


@FEW
@given(situation=scored(), data=st.data())
def test_a_better_answer_never_lowers_the_score(situation: Situation, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(situation.ballots) - 1))
    ballot, item = situation.ballots[index], data.draw(st.sampled_from(situation.items))
    scale = situation.formula.coefficients[item.option_set]
    before = ballot["answers"].get(item.key, BLANK)
    assume(before in scale and not ballot["invalid"])
    after = data.draw(st.sampled_from([option for option in scale if scale[option] >= scale[before]]))
    better = {**ballot, "answers": {**ballot["answers"], item.key: after}}
    ballots = [better if n == index else other for n, other in enumerate(situation.ballots)]
    raised, score = replace(situation, ballots=ballots).score().score, situation.score().score
    assert raised is not None
    assert score is not None
    assert raised >= score


@FEW
@given(situation=scored(), factor=st.sampled_from(["0.1", "2", "7"]))
def test_only_the_proportion_of_mode_weights_counts(situation: Situation, factor: str) -> None:
    def scaled(formula: Formula) -> Formula:
        weights = {mode: formula.mode_weights.get(mode, Decimal(1)) * Decimal(factor) for mode in Mode}
        return replace(formula, mode_weights=weights)

    other = replace(situation, formula=scaled(situation.formula)).score()
    assert (other.score, other.satisfaction_interval) == (
        situation.score().score,
        situation.score().satisfaction_interval,
    )
