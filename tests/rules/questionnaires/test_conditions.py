"""Items that are shown only after certain answers."""

from typing import Any

import pytest

from survey_service.questionnaires.rules import ShowIf
from tests.rules.questionnaires.builders import (
    errors_of,
    form,
    if_dissatisfied,
    matrix,
    multiple,
    plan,
    rating,
    single,
    words,
)

ASKING_WHY = plan(rating(required=True), words("why", required=True, show_if=if_dissatisfied()))
CHAIN = plan(
    rating(),
    single("reason", show_if=if_dissatisfied(), required=True),
    words("more", show_if=ShowIf("reason", ("c",)), required=True),
)


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ({"overall": "satisfied"}, set()),
        ({"overall": "satisfied", "why": ""}, set()),
        ({"overall": "satisfied", "why": None}, set()),
        ({"overall": "satisfied", "why": "路灯"}, {"why"}),
        ({"overall": "dissatisfied"}, {"why"}),
        ({"overall": "dissatisfied", "why": "路灯"}, set()),
        ({"why": "路灯"}, {"overall", "why"}),
    ],
)
def test_a_hidden_item_is_neither_asked_nor_answered(answers: dict[str, Any], refused: set[str]) -> None:
    assert errors_of(ASKING_WHY, answers) == refused


def test_a_form_drops_what_no_script_has_hidden() -> None:
    checked = ASKING_WHY.check_form(form(overall="satisfied", why="路灯"))
    assert (checked.closed, checked.texts) == ({"overall": "satisfied"}, {})
    assert ASKING_WHY.check_form(form(overall="dissatisfied", why="路灯")).texts == {"why": "路灯"}


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ({"overall": "satisfied"}, set()),
        ({"overall": "dissatisfied", "reason": "a"}, set()),
        ({"overall": "dissatisfied", "reason": "c"}, {"more"}),
        ({"overall": "dissatisfied", "reason": "c", "more": "x"}, set()),
        ({"overall": "satisfied", "reason": "c", "more": "x"}, {"reason", "more"}),
        ({"reason": "c"}, {"reason"}),
    ],
)
def test_what_hangs_on_a_hidden_item_is_hidden_as_well(answers: dict[str, Any], refused: set[str]) -> None:
    assert errors_of(CHAIN, answers) == refused


def test_a_form_drops_a_whole_hidden_chain() -> None:
    checked = CHAIN.check_form(form(overall="satisfied", reason="c", more="x"))
    assert (checked.closed, checked.texts) == ({"overall": "satisfied"}, {})


def test_one_of_several_choices_is_enough() -> None:
    asked = plan(multiple(), words(show_if=ShowIf("some", ("b", "c"))))
    assert errors_of(asked, {"some": ["a", "c"], "remark": "x"}) == set()
    assert errors_of(asked, {"some": ["a"], "remark": "x"}) == {"remark"}


def test_a_hidden_matrix_is_left_out_of_a_form() -> None:
    asked = plan(rating(), matrix(required=True, show_if=if_dissatisfied()))
    assert asked.check_form(form(overall="satisfied", m__study="good")).closed == {"overall": "satisfied"}


def test_unknown_items_are_refused_and_strange_fields_ignored() -> None:
    assert errors_of(ASKING_WHY, {"overall": "satisfied", "name": "张三"}) == {"name"}
    assert ASKING_WHY.check_form(form(overall="satisfied", name="张三")).closed == {"overall": "satisfied"}
