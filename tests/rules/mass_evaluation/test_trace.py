"""A reader with the trace alone finds the score again, by the formulas of `docs/scoring.md`."""

import json
from fractions import Fraction
from math import inf, sqrt
from typing import Any

import pytest
from hypothesis import given

from tests.rules.mass_evaluation.builders import VILLAGER, make_slice, score_slices
from tests.rules.mass_evaluation.situations import FEW, Situation, scored

Trace = dict[str, Any]


def stands(formula: Trace, item: Trace, option: str) -> bool:
    if option == "":
        return formula["count_abstained"]
    if option == "not_informed" and formula["count_not_informed"]:
        return True
    return option in formula["coefficients"][item["option_set"]]


def weighted_counts(trace: Trace, rater_class: str, item: Trace) -> dict[str, Fraction]:
    found: dict[str, Fraction] = {}
    for part in trace["slices"]:
        weight = Fraction(trace["formula"]["mode_weights"][part["modes"][0]])
        for option, n in part["counts"].get(item["key"], {}).items():
            if part["class"] == rater_class and weight * n and stands(trace["formula"], item, option):
                found[option] = found.get(option, Fraction(0)) + weight * n
    return found


def value_of_item(trace: Trace, item: Trace, weighted: dict[str, Fraction]) -> Fraction:
    scale = trace["formula"]["coefficients"][item["option_set"]]
    points = sum(number * Fraction(scale.get(option, "0")) for option, number in weighted.items())
    return 100 * points / sum(weighted.values())


def value_of_class(trace: Trace, rater_class: str) -> Fraction | None:
    rows = []
    for item in trace["formula"]["items"]:
        if weighted := weighted_counts(trace, rater_class, item):
            rows.append((Fraction(item["weight"]), value_of_item(trace, item, weighted)))
    whole = sum(weight for weight, _ in rows)
    return sum(weight * value for weight, value in rows) / whole if whole else None


@FEW
@given(situation=scored())
def test_the_score_follows_from_the_slices_of_the_trace(situation: Situation) -> None:
    score = situation.score()
    trace = json.loads(json.dumps(score.trace))
    counted = {key: part for key, part in trace["classes"].items() if part["is_counted"]}
    whole = sum(Fraction(part["weight"]) for part in counted.values())
    values = {key: value_of_class(trace, key) for key in counted}
    assert sum(Fraction(part["weight"]) / whole * values[key] for key, part in counted.items()) == score.score


@FEW
@given(situation=scored())
def test_every_step_of_the_trace_leads_to_the_next(situation: Situation) -> None:
    trace = json.loads(json.dumps(situation.score().trace))
    for key, part in trace["classes"].items():
        for item in trace["formula"]["items"]:
            if cell := part["items"].get(item["key"]):
                weighted = weighted_counts(trace, key, item)
                assert cell["weighted"] == {option: str(number) for option, number in weighted.items()}
                assert Fraction(cell["denominator"]) == sum(weighted.values())
                assert Fraction(cell["score"]["value"]) == value_of_item(trace, item, weighted)
        if part["score"]:
            assert Fraction(part["score"]["value"]) == value_of_class(trace, key)
    parts = [(share, trace["classes"][key]["score"]) for key, share in trace["score"]["shares"].items()]
    assert sum(Fraction(share) * Fraction(part["value"]) for share, part in parts) == Fraction(
        trace["score"]["value"]
    )


@FEW
@given(situation=scored())
def test_the_interval_of_an_item_follows_from_the_trace(situation: Situation) -> None:
    trace = json.loads(json.dumps(situation.score().trace))
    for part in trace["classes"].values():
        for cell in part["items"].values():
            if cell["score"]["interval"]:
                n = inf if cell["corrected"] is None else float(Fraction(cell["corrected"]))
                value, half = (
                    float(Fraction(cell["score"]["value"])),
                    196 * sqrt(float(Fraction(cell["spread"])) / n),
                )
                expected = [max(0.0, value - half), min(100.0, value + half)]
                assert [float(bound) for bound in cell["score"]["interval"]] == pytest.approx(
                    expected, abs=1e-5
                )


def test_the_trace_of_a_small_example() -> None:
    score = score_slices(make_slice(satisfied=4, basically_satisfied=4), eligible={VILLAGER: 15})
    assert score.trace is not None
    assert score.trace["classes"] == {
        "villager": {
            "n": 8,
            "eligible": 15,
            "weight": "1",
            "is_counted": True,
            "items": {
                "overall": {
                    "weighted": {"basically_satisfied": "4", "satisfied": "4"},
                    "denominator": "8",
                    "n": 8,
                    "effective": "8",
                    "corrected": "16",
                    "spread": "1/18",
                    "score": {"value": "175/2", "interval": ["75.950589", "99.049411"]},
                    "satisfaction_rate": {"value": "100", "interval": ["80.638658", "100.000000"]},
                }
            },
            "score": {"value": "175/2", "interval": ["75.950589", "99.049411"]},
            "satisfaction_rate": {"value": "100", "interval": ["80.638658", "100.000000"]},
        }
    }
    assert score.trace["checks"] == [
        {"against": "no_ballots", "measures": "returned", "scope": None, "actual": "8", "limit": "1"},
        {"against": "small_cell", "measures": "standing", "scope": None, "actual": "8", "limit": "5"},
        {"against": "below_gate", "measures": "standing", "scope": None, "actual": "8", "limit": "0"},
        {
            "against": "class_missing",
            "measures": "counted_classes",
            "scope": None,
            "actual": "1",
            "limit": "1",
        },
    ]
