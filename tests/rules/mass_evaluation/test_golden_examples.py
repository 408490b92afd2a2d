import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.mass_evaluation.rules import Status, show
from tests.rules.mass_evaluation.builders import VILLAGER, make_formula, make_slice, score_slices

CASES = Path(__file__).parents[2] / "cases" / "scoring"
GOLDEN_1 = tomllib.loads((CASES / "golden_1.toml").read_text(encoding="utf-8"))
GOLDEN_2 = tomllib.loads((CASES / "golden_2.toml").read_text(encoding="utf-8"))


def decimals(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(value) for key, value in values.items()}


@pytest.mark.parametrize("variant", GOLDEN_1["variants"])
def test_golden_example_1(variant: dict[str, Any]) -> None:
    formula = make_formula(
        coefficients={"satisfaction4": decimals(variant["coefficients"])},
        positive={"satisfaction4": frozenset(variant["positive"])},
        count_not_informed=variant["count_not_informed"],
    )
    ballots = make_slice(mode=Mode.PAPER, invalid=GOLDEN_1["invalid"], **GOLDEN_1["counts"])

    score = score_slices(
        ballots,
        formula=formula,
        eligible={VILLAGER: GOLDEN_1["eligible"]},
        issued={Mode.PAPER: GOLDEN_1["issued"]},
    )

    assert score.status is Status.OK
    assert (score.returned, score.valid) == (GOLDEN_1["returned"], GOLDEN_1["valid"])
    assert show(score.response_rate) == GOLDEN_1["response_rate"]
    assert show(score.score) == variant["score"]
    assert show(score.satisfaction_rate) == variant["satisfaction_rate"]


def test_golden_example_2() -> None:
    formula = make_formula(
        coefficients={"satisfaction4": decimals(GOLDEN_2["coefficients"])},
        class_weights=decimals(GOLDEN_2["class_weights"]),
        mode_weights=decimals(GOLDEN_2["mode_weights"]),
    )
    slices = [
        make_slice(rater_class=RaterClass(given["rater_class"]), mode=Mode(given["mode"]), **given["counts"])
        for given in GOLDEN_2["slices"]
    ]

    score = score_slices(*slices, formula=formula)

    assert show(score.score) == GOLDEN_2["score"]
    assert score.by_class is not None
    assert {key: show(figure.score) for key, figure in score.by_class.items()} == GOLDEN_2["by_class"]
    assert score.by_mode is not None
    assert {key: show(figure.score) for key, figure in score.by_mode.items()} == GOLDEN_2["by_mode"]


def test_the_interval_of_golden_example_1() -> None:
    """The one that `docs/scoring.md` computes by hand."""
    variant = GOLDEN_1["variants"][0]
    score = score_slices(
        make_slice(mode=Mode.PAPER, **GOLDEN_1["counts"]), eligible={VILLAGER: GOLDEN_1["eligible"]}
    )
    assert score.interval is not None
    assert [show(bound) for bound in score.interval] == variant["interval"]
