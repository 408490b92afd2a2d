"""Each kind of question reads what belongs to it and refuses the rest."""

from decimal import Decimal
from typing import Any

import pytest

from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.rules import Item, ScoredItem
from tests.rules.questionnaires.builders import (
    errors_of,
    form,
    matrix,
    multiple,
    number,
    plan,
    rating,
    single,
    words,
)


@pytest.mark.parametrize(
    ("item", "answer", "stored"),
    [
        (rating(), "satisfied", {"overall": "satisfied"}),
        (rating(), "not_informed", {"overall": "not_informed"}),
        (single(), "b", {"one": "b"}),
        (single(option_set="grade4"), "good", {"one": "good"}),
        (multiple(), ["c", "a"], {"some": ["a", "c"]}),
        (multiple(), [], {}),
        (matrix(), {"study": "good", "work": ""}, {"m.study": "good"}),
        (matrix(), {}, {}),
        (number(), "12.50", {"years": "12.5"}),
        (number(), "-0", {"years": "0"}),
        (number(), " 007 ", {"years": "7"}),
        (number(), 12.5, {"years": "12.5"}),
        (number(), 3, {"years": "3"}),
        (number(minimum=Decimal(1), maximum=Decimal(3)), "3", {"years": "3"}),
    ],
)
def test_an_answer_is_stored_in_one_way(item: Item, answer: Any, stored: dict[str, Any]) -> None:
    assert plan(item).check({item.key: answer}).closed == stored


@pytest.mark.parametrize(
    ("item", "answer"),
    [
        (rating(), "excellent"),
        (rating(), "满意"),
        (rating(), ["satisfied"]),
        (rating(), {"satisfied": True}),
        (rating(), 1),
        (rating(), True),
        (single(), "d"),
        (multiple(), "a"),
        (multiple(), ["a", "d"]),
        (multiple(), ["a", "a"]),
        (multiple(), [["a"]]),
        (multiple(max_choices=2), ["a", "b", "c"]),
        (matrix(), "good"),
        (matrix(), ["good"]),
        (words(), 5),
        (words(), ["好"]),
        (words(), "字" * 11),
        (words(), "a\0b"),
        (words(), "\x1b[31m"),
        (words(), "a\x85b"),
        (words(), "\ud800"),
        (number(), "1e3"),
        (number(), "１２"),
        (number(), "+-5"),
        (number(), "1.2.3"),
        (number(), "."),
        (number(), "NaN"),
        (number(), "inf"),
        (number(), True),
        (number(), "1" * 21),
        (number(), 1e300),
        (number(minimum=Decimal(1)), "0.99"),
        (number(maximum=Decimal(3)), "3.01"),
    ],
)
def test_what_does_not_belong_is_refused(item: Item, answer: Any) -> None:
    assert errors_of(plan(item), {item.key: answer}) == {item.key}


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        ({"study": "best"}, {"m.study"}),
        ({"study": "good", "strange": "good"}, {"m"}),
        ({"study": 1, "work": ["good"]}, {"m.study", "m.work"}),
    ],
)
def test_a_matrix_names_the_rows_that_are_wrong(answer: dict[str, Any], refused: set[str]) -> None:
    assert errors_of(plan(matrix()), {"m": answer}) == refused


def test_a_required_matrix_wants_every_row() -> None:
    required = plan(matrix(required=True))
    assert errors_of(required, {"m": {"study": "good"}}) == {"m.work", "m.idle"}
    assert errors_of(required, {}) == {"m"}


@pytest.mark.parametrize(
    ("raw", "stored"),
    [(" 好\r\n很好 ", "好\n很好"), ("\t好", "好"), ("👨‍👩‍👧", "👨‍👩‍👧"), ("字" * 10, "字" * 10)],
)
def test_words_are_kept_as_written(raw: str, stored: str) -> None:
    checked = plan(words()).check({"remark": raw})
    assert (checked.closed, checked.texts) == ({}, {"remark": stored})


@pytest.mark.parametrize("item", [rating(), matrix(), single(), multiple(), words(), number()])
@pytest.mark.parametrize("nothing", [None, ""])
def test_no_answer_is_an_answer_unless_required(item: Item, nothing: str | None) -> None:
    asked = {item.key: nothing}
    assert errors_of(plan(item), asked) == set()
    required = Item(**vars(item) | {"required": True})
    assert errors_of(plan(required), asked) == errors_of(plan(required), {}) == {item.key}


def test_blank_words_are_no_answer() -> None:
    assert plan(words()).check({"remark": " \n "}).texts == {}
    assert errors_of(plan(words(required=True)), {"remark": " \n "}) == {"remark"}


def test_a_form_is_read_by_its_field_names() -> None:
    asked = plan(rating(), matrix(), multiple(), words(), number(), single())
    sent = form(
        overall="satisfied",
        m__study="good",
        m__work="",
        some=["c", "a"],
        remark="好",
        years="3",
        one="",
        x="y",
    )
    checked = asked.check_form(sent)
    assert checked.closed == {"overall": "satisfied", "m.study": "good", "some": ["a", "c"], "years": "3"}
    assert checked.texts == {"remark": "好"}


def test_only_rated_items_and_rows_with_a_weight_score() -> None:
    asked = plan(
        rating(),
        rating("free", weight=Decimal(0)),
        matrix(weight=Decimal(2)),
        matrix("n", weight=Decimal(0)),
        single(),
        words(),
    )
    assert [(one.key, one.option_set, one.weight) for one in asked.scored_items] == [
        ("overall", "satisfaction4", 1),
        ("m.study", "grade4", 2),
        ("m.work", "grade4", 3),
        ("n.work", "grade4", 3),
    ]
    assert asked.scored_items[0] == ScoredItem("overall", "satisfaction4", Decimal(1), "总体评价")


def test_the_registry_knows_the_kinds_of_the_contract() -> None:
    assert set(KINDS) == {"rating", "matrix", "single", "multiple", "text", "number"}
    assert {name for name, kind in KINDS.items() if kind.scores} == {"rating", "matrix"}
