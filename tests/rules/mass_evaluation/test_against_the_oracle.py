"""The package and the oracle look at the same ballots; they share no code."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given

from survey_service.campaigns.rules import Formula
from survey_service.mass_evaluation.rules import Interval
from tests.oracle.scores import recount
from tests.rules.mass_evaluation.builders import Ballot
from tests.rules.mass_evaluation.situations import FEW, Situation, scored, situations


def plain(formula: Formula) -> dict[str, Any]:
    """Write the formula as the oracle reads it."""
    return {
        "coefficients": formula.coefficients,
        "positive": formula.positive,
        "class_weights": {key.value: weight for key, weight in formula.class_weights.items()},
        "mode_weights": {key.value: weight for key, weight in formula.mode_weights.items()},
        "count_not_informed": formula.count_not_informed,
        "count_abstained": formula.count_abstained,
        "min_class": formula.min_class,
        "empty_class": formula.empty_class.value,
        "min_response_rate": {
            key.value if key else "all": rate for key, rate in formula.min_response_rate.items()
        },
        "min_ballots": formula.min_ballots,
        "min_cell": formula.min_cell,
    }


def judge(situation: Situation) -> dict[str, Any]:
    items = [
        {"key": item.key, "option_set": item.option_set, "weight": item.weight} for item in situation.items
    ]
    return recount(situation.ballots, items, plain(situation.formula), situation.eligible, situation.issued)


def near(interval: Interval | None) -> Any:
    """Compare bounds with the oracle's floats."""
    return None if interval is None else pytest.approx(tuple(map(float, interval)), abs=1e-6)


@given(situation=situations())
def test_status_and_turnout(situation: Situation) -> None:
    score, expected = situation.score(), judge(situation)
    assert (score.status, score.reason) == (expected["status"], expected["reason"])
    assert (score.returned, score.eligible) == (expected["returned"], expected["eligible"])
    assert score.response_rate == expected["response_rate"]
    assert score.score == expected["score"]


@given(situation=scored())
def test_scores_and_intervals(situation: Situation) -> None:
    score, expected = situation.score(), judge(situation)
    assert (score.score, score.satisfaction_rate, score.valid) == (
        expected["score"],
        expected["rate"],
        expected["valid"],
    )
    assert expected["interval"] == near(score.interval)
    assert expected["rate_interval"] == near(score.satisfaction_interval)


@given(situation=scored())
def test_excluded_ballots_are_returned_and_nothing_else(situation: Situation) -> None:
    score = situation.score()
    excluded = [ballot for ballot in situation.ballots if ballot["excluded"]]
    assert score.excluded == len(excluded)
    if not excluded:
        assert score.with_excluded is None
        return
    counted: list[Ballot] = [{**ballot, "excluded": False} for ballot in situation.ballots]
    expected = judge(replace(situation, ballots=counted))
    assert score.with_excluded is not None
    if expected["status"] == "ok":
        found = score.with_excluded
        assert (found.score, found.satisfaction_rate) == (expected["score"], expected["rate"])


@FEW
@given(situation=scored())
def test_classes(situation: Situation) -> None:
    figures, expected = situation.score().by_class, judge(situation)["classes"]
    assert figures is not None
    assert {key: figure.n for key, figure in figures.items()} == {key: n for key, (n, _) in expected.items()}
    shown = {key: figure.score for key, figure in figures.items() if figure.score is not None}
    assert shown == visible(expected.items(), situation.formula.min_cell)


def visible(classes: Sequence[tuple[str, tuple[int, Fraction | None]]], min_cell: int) -> dict[str, Fraction]:
    return {key: value for key, (n, value) in classes if n >= min_cell and value is not None}


@FEW
@given(situation=scored())
def test_modes_alone(situation: Situation) -> None:
    """The figure of a mode is what the oracle finds when there are no other ballots."""
    figures = situation.score().by_mode
    assert figures is not None
    for mode, figure in figures.items():
        own = [ballot for ballot in situation.ballots if ballot["mode"] == mode]
        alone = Situation(situation.formula, situation.items, own, situation.eligible, {})
        assert figure.returned == len(own)
        assert figure.score == judge(alone)["score"]
