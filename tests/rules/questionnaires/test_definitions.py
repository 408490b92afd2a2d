"""What a questionnaire may be, and how it is written down."""

from decimal import Decimal

import pytest

from survey_service.core.texts import text
from survey_service.questionnaires.definitions import read_form, write_form
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.option_sets import OPTION_SETS, Option
from survey_service.questionnaires.rules import (
    MAX_ITEMS,
    MAX_ROWS,
    Form,
    Item,
    Row,
    ShowIf,
    find_definition_errors,
    read_number,
)
from tests.rules.questionnaires.builders import (
    if_dissatisfied,
    matrix,
    multiple,
    number,
    rating,
    single,
    words,
)

EVERYTHING = (
    rating(required=True, hint="凭印象"),
    matrix(),
    single(),
    multiple(max_choices=2, show_if=if_dissatisfied()),
    words(),
    number(minimum=Decimal("0.5"), maximum=Decimal(90)),
)


def errors_of(*items: Item) -> dict[str, list[str]]:
    return find_definition_errors(items, KINDS)


def test_a_good_questionnaire_has_no_errors() -> None:
    assert errors_of(*EVERYTHING) == {}


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        (Item("a", "stars", "x"), "unknown_kind"),
        (rating(option_set="satisfaction9"), "unknown_option_set"),
        (words(option_set="satisfaction9"), "unknown_option_set"),
        (rating(option_set=None), "needs_option_set"),
        (matrix(option_set=None), "needs_option_set"),
        (matrix(rows=()), "row_count"),
        (matrix(rows=tuple(Row(f"r{n}", "x") for n in range(MAX_ROWS + 1))), "row_count"),
        (matrix(rows=(Row("r", "x"), Row("r", "y"))), "duplicate_key"),
        (single(options=()), "bad_options"),
        (single(options=(Option("a", "甲"),)), "bad_options"),
        (multiple(options=(Option("a", "甲"), Option("a", "乙"))), "bad_options"),
        (words(max_length=0), "bad_length"),
        (words(max_length=2001), "bad_length"),
        (number(minimum=Decimal(2), maximum=Decimal(1)), "bad_bounds"),
        (single(weight=Decimal(1)), "weight_on_unscored"),
        (multiple(weight=Decimal(1)), "weight_on_unscored"),
        (words(weight=Decimal("0.1")), "weight_on_unscored"),
        (number(weight=Decimal(1)), "weight_on_unscored"),
        (single(rows=(Row("r", "x", Decimal(1)),)), "weight_on_unscored"),
        (rating(weight=Decimal(-1)), "negative_weight"),
        (matrix(rows=(Row("r", "x", Decimal(-1)),)), "negative_weight"),
        (words(show_if=if_dissatisfied("nobody")), "bad_condition"),
        (words(show_if=if_dissatisfied("remark")), "bad_condition"),
    ],
)
def test_what_is_wrong_is_told_by_place(item: Item, reason: str) -> None:
    names = {"most": 2000 if "length" in reason else MAX_ROWS, "kinds": "、".join(KINDS)}
    sentence = text(f"questionnaires.{reason}", **names, sets="、".join(OPTION_SETS))
    assert errors_of(rating("first"), item) == {"items.1": [sentence]}


@pytest.mark.parametrize(
    ("target", "condition"),
    [
        (rating(), ShowIf("overall", ("excellent",))),
        (rating(), ShowIf("overall", ())),
        (matrix(), ShowIf("m", ("good",))),
        (words("earlier"), ShowIf("earlier", ("x",))),
        (number(), ShowIf("years", ("1",))),
    ],
)
def test_a_condition_names_options_of_one_earlier_choice(target: Item, condition: ShowIf) -> None:
    assert errors_of(target, words(show_if=condition)) == {"items.1": [text("questionnaires.bad_condition")]}


def test_a_condition_looks_back_only() -> None:
    assert errors_of(words(show_if=if_dissatisfied()), rating()).keys() == {"items.0"}


def test_keys_are_used_once() -> None:
    assert errors_of(rating(), rating()) == {"items.1": [text("questionnaires.duplicate_key")]}


@pytest.mark.parametrize("count", [0, MAX_ITEMS + 1])
def test_there_is_something_to_ask_and_not_too_much(count: int) -> None:
    assert errors_of(*(rating(f"r{n}") for n in range(count))).keys() == {"items"}


def test_a_form_is_read_as_it_was_written() -> None:
    form = Form("测评表", EVERYTHING)
    assert read_form(write_form(form)) == form


def test_equal_forms_are_written_equally() -> None:
    other = Form("测评表", (rating(weight=Decimal("1.00")), matrix(rows=(Row("r", "x", Decimal("3.0")),))))
    form = Form("测评表", (rating(weight=Decimal(1)), matrix(rows=(Row("r", "x", Decimal(3)),))))
    assert write_form(form) == write_form(other)
    assert write_form(form) != write_form(Form("别的", form.items))


@pytest.mark.parametrize(
    ("raw", "read"), [("1.", "1"), (".5", "0.5"), ("+2", "2"), (Decimal("0.75"), "0.75"), (0.1, "0.1")]
)
def test_numbers_are_read_as_people_write_them(raw: object, read: str) -> None:
    assert read_number(raw) == Decimal(read)


@pytest.mark.parametrize("raw", ["", "1E-999999", "٣", "1,5", "0x1", None, False, [], 1e-9, float("nan")])
def test_what_people_do_not_write_is_no_number(raw: object) -> None:
    assert read_number(raw) is None


@pytest.mark.parametrize(
    ("key", "labels", "percent"),
    [
        ("satisfaction4", "满意 基本满意 不满意 不了解", (100, 75, 55, None)),
        ("satisfaction4b", "满意 比较满意 基本满意 不满意", (100, 80, 60, 40)),
        ("satisfaction5", "非常满意 满意 基本满意 不满意 非常不满意", (100, 80, 60, 40, 0)),
        ("grade4", "好 较好 一般 差", (100, 80, 60, 40)),
        ("competence4", "优秀 称职 基本称职 不称职", (100, 80, 60, 0)),
    ],
)
def test_option_sets_are_those_that_were_published(
    key: str, labels: str, percent: tuple[int | None, ...]
) -> None:
    options = OPTION_SETS[key].options
    assert " ".join(option.label for option in options) == labels
    assert [option.coefficient for option in options] == [
        None if one is None else Decimal(one) / 100 for one in percent
    ]


def test_option_keys_are_those_of_the_contract() -> None:
    assert {key: [option.key for option in one.options] for key, one in OPTION_SETS.items()} == {
        "satisfaction4": ["satisfied", "basically_satisfied", "dissatisfied", "not_informed"],
        "satisfaction4b": ["satisfied", "fairly_satisfied", "basically_satisfied", "dissatisfied"],
        "satisfaction5": [
            "very_satisfied",
            "satisfied",
            "basically_satisfied",
            "dissatisfied",
            "very_dissatisfied",
        ],
        "grade4": ["good", "fairly_good", "average", "poor"],
        "competence4": ["excellent", "competent", "basically_competent", "incompetent"],
    }
