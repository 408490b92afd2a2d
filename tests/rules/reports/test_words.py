"""The formula and the trace in words: every number stands there, and a reader can redo the sum."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from survey_service.campaigns.rules import EmptyClass, Mode, RaterClass
from survey_service.mass_evaluation.json_form import detail_json
from survey_service.questionnaires.rules import ScoredItem
from survey_service.reports.presentation.formula import describe_formula
from survey_service.reports.presentation.trace import decimal, exact_number, trace_view
from tests.rules.mass_evaluation.builders import (
    MEMBER,
    OVERALL,
    VILLAGER,
    make_formula,
    make_gate,
    make_slice,
)

TEXTS = {"overall": "总体评价"}
ALL_MODES = dict.fromkeys(Mode, Decimal(1)) | {Mode.OPEN: Decimal("0.5"), Mode.OPEN_DEVICE: Decimal(0)}


def said(formula: Any, items: list[ScoredItem]) -> str:
    return "\n".join(sentence for clause in describe_formula(formula, items) for sentence in clause.sentences)


def test_a_formula_is_told_point_by_point() -> None:
    weights = {VILLAGER: Decimal(2), MEMBER: Decimal(1), RaterClass.VETERAN_CADRE: Decimal(0)}
    formula = make_formula(class_weights=weights, mode_weights=ALL_MODES, min_ballots=30)
    words = said(formula, [OVERALL])
    for expected in (
        "满意 100 分、基本满意 75 分、不满意 55 分。",
        "选“不了解”的不计入这一项。",
        "选“满意、基本满意”的",
        "村（居）民 66.6667%、党员 33.3333%。",
        "它的权重按比例分给其他票种",
        "公开扫码（微信）：每张按 0.5 张计算。",
        "公开扫码（手机）：不计入得分，只统计参评。",
        "计分票要达到 30 张。",
    ):
        assert expected in words
    assert "老干部" not in words


def test_other_choices_are_told_too() -> None:
    formula = make_formula(
        class_weights={VILLAGER: Decimal(1), MEMBER: Decimal(1)},
        mode_weights=ALL_MODES,
        empty_class=EmptyClass.BLOCK,
        count_not_informed=True,
        count_abstained=True,
        min_response_rate={None: Fraction(1, 2), MEMBER: Fraction(2, 3)},
    )
    items = [OVERALL, ScoredItem("site", "satisfaction4", Decimal(3), "活动阵地")]
    words = said(formula, items)
    for expected in (
        "整个对象不出分",
        "选“不了解”的按 0 分计入。",
        "没有填的项目按 0 分计入。",
        "全部参评人员的参评率要达到 50%。",
        "党员的参评率要达到 66.6667%。",
        "活动阵地（权重 3）",
    ):
        assert expected in words


@pytest.mark.parametrize(
    ("value", "shown", "exact"),
    [("471/5", "94.2", ""), ("2/3", "0.6667", "2/3"), ("100", "100", ""), ("1/1000000", "0", "1/1000000")],
)
def test_numbers_are_short_and_their_fractions_exact(value: str, shown: str, exact: str) -> None:
    number = exact_number(value)
    assert (number.shown, number.exact) == (shown, exact)


def test_long_fractions_are_left_to_the_json() -> None:
    assert exact_number(f"1/{10**30}").exact == ""
    assert decimal("1/3", 6) == "0.333333"


def golden() -> Any:
    """Golden example 2: two classes, of which the first votes through two modes."""
    formula = make_formula(
        class_weights={VILLAGER: Decimal("0.6"), MEMBER: Decimal("0.4")},
        coefficients={
            "satisfaction4": {
                "satisfied": Decimal(1),
                "basically_satisfied": Decimal("0.8"),
                "dissatisfied": Decimal("0.55"),
            }
        },
    )
    slices = [
        make_slice(satisfied=10),
        make_slice(mode=Mode.OPEN, dissatisfied=40),
        make_slice(rater_class=MEMBER, basically_satisfied=6),
    ]
    return detail_json(make_gate(formula=formula).score(slices))


def test_every_step_of_a_trace_can_be_redone() -> None:
    detail = golden()
    view = trace_view(detail["trace"], TEXTS)
    villagers, members = view.classes
    [cell] = villagers.cells
    assert cell.score.calculation == "100 × (满意 10 × 1 + 不满意 20 × 0.55) ÷ 30"
    assert cell.score.value.shown == "70"
    assert villagers.score is not None
    assert villagers.score.calculation == "(70 × 1) ÷ 1"
    assert (members.label, members.score and members.score.value.shown) == ("党员", "80")
    assert view.score.result.calculation == "70 × 0.6 + 80 × 0.4"
    assert (view.score.result.value.shown, detail["score"]) == ("74", "74.00")
    assert view.score.shares == "村（居）民 60%，党员 40%"
    assert [
        bound.endswith(end) for bound, end in zip(view.score.bounds, detail["interval"], strict=True)
    ] == [True] * 2


def test_the_bounds_are_the_roots_that_they_say() -> None:
    view = trace_view(golden()["trace"], TEXTS)
    low, _ = view.score.bounds
    value, bound = float(low.split(" − ")[0].split(" = ")[1]), float(low.rsplit(" = ", 1)[1])
    parts = re.findall(r"\(([\d.]+) × \|([\d.]+) − ([\d.]+)\|\)²", low)
    root = sum((float(share) * (float(one) - float(other))) ** 2 for share, one, other in parts) ** 0.5
    assert value - root == pytest.approx(bound, abs=0.01)


def test_every_check_is_a_sentence_with_both_sides() -> None:
    view = trace_view(golden()["trace"], TEXTS)
    assert "一共收回 56 张，至少要有 1 张。" in view.checks
    assert "计分票 56 张，至少 5 张才公布。" in view.checks
    assert "计入总分的票种有 2 个，至少要有 1 个。" in view.checks


def test_ballots_are_counted_by_class_and_mode() -> None:
    view = trace_view(golden()["trace"], TEXTS)
    first = view.slices[0]
    assert (first.rater_class, first.returned, first.standing) == ("村（居）民", 10, "10")
    assert first.counts == [("总体评价", "满意 10")]
