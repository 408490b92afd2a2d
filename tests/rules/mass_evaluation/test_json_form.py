import json
from fractions import Fraction

import pytest

from survey_service.mass_evaluation.json_form import detail_json, summary_json
from survey_service.mass_evaluation.rules import show
from tests.rules.mass_evaluation.builders import VILLAGER, make_slice, score_slices


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Fraction(471, 5), "94.20"),
        (Fraction("0.005"), "0.01"),
        (Fraction("89.495"), "89.50"),
        (Fraction("89.494999999999999999999999999999999999"), "89.49"),
        (Fraction(200, 3), "66.67"),
        (Fraction(0), "0.00"),
        (Fraction(100), "100.00"),
        (None, None),
    ],
)
def test_values_are_shown_with_two_places(value: Fraction | None, expected: str | None) -> None:
    assert show(value) == expected


def test_the_row_of_a_score() -> None:
    score = score_slices(make_slice(satisfied=30), eligible={VILLAGER: 30})
    figure = {
        "returned": 30,
        "n": 30,
        "weight": "1.00",
        "score": "100.00",
        "interval": ["100.00", "100.00"],
        "withheld": None,
    }
    assert summary_json(score) == {
        "status": "ok",
        "reason": None,
        "score": "100.00",
        "interval": ["100.00", "100.00"],
        "satisfaction_rate": "100.00",
        "satisfaction_interval": ["100.00", "100.00"],
        "returned": 30,
        "valid": 30,
        "eligible": 30,
        "response_rate": "100.00",
        "by_class": {"villager": figure},
        "by_mode": {"household": figure},
        "flags": [],
    }


def test_the_row_of_a_withheld_score() -> None:
    row = detail_json(score_slices(make_slice(satisfied=4), eligible={VILLAGER: 30}))
    assert {key: value for key, value in row.items() if value is not None} == {
        "status": "suppressed",
        "reason": "small_cell",
        "returned": 4,
        "eligible": 30,
        "response_rate": "13.33",
        "flags": [],
    }
    assert {"score", "interval", "satisfaction_rate", "by_class", "by_mode", "items", "trace"} <= row.keys()


def test_the_detail_is_json() -> None:
    row = json.loads(json.dumps(detail_json(score_slices(make_slice(satisfied=9, dissatisfied=1)))))
    assert row["items"] == [
        {
            "key": "overall",
            "option_set": "satisfaction4",
            "n": {"satisfied": 9, "basically_satisfied": 0, "dissatisfied": 1, "not_informed": 0},
            "abstained": 0,
            "by_class": {
                "villager": {"satisfied": 9, "basically_satisfied": 0, "dissatisfied": 1, "not_informed": 0}
            },
            "score": "95.50",
            "interval": row["interval"],
            "withheld": None,
        }
    ]
    assert row["trace"]["score"]["value"] == "191/2"
