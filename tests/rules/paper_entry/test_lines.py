"""A line of keys: what it says, what is refused, and what a spoiled item takes away."""

from decimal import Decimal
from typing import Any

import pytest

from survey_service.ballots.rules import SPOILED
from survey_service.paper_entry.rules import (
    Difference,
    LineError,
    LineFault,
    TotalsForm,
    compare_lines,
    count_pile,
    is_settled,
    paper_form,
    settle_lines,
)
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.option_sets import Option
from survey_service.questionnaires.rules import Item, Plan, Row, ScoredItem, ShowIf

YES_NO = (Option("yes", "是"), Option("no", "否"))
ITEMS = (
    Item("overall", "rating", "总体", required=True, weight=Decimal(1), option_set="satisfaction4"),
    Item(
        "m", "matrix", "各项", weight=Decimal(1), option_set="grade4", rows=(Row("a", "一"), Row("b", "二"))
    ),
    Item("knows", "single", "知道吗", options=YES_NO),
    Item("how", "multiple", "怎样知道", options=YES_NO, max_choices=1, show_if=ShowIf("knows", ("yes",))),
    Item("remark", "text", "意见"),
    Item("age", "number", "年龄"),
)


@pytest.fixture
def form() -> Any:
    return paper_form(ITEMS, Plan(ITEMS, KINDS).scored_items)


def test_each_item_row_and_tick_has_a_column(form: Any) -> None:
    assert [column.name for column in form.columns] == ["overall", "m.a", "m.b", "knows", "how.yes", "how.no"]
    assert [column.is_scored for column in form.columns] == [True, True, True, False, False, False]


def test_a_line_says_what_stands_on_the_ballot(form: Any) -> None:
    assert form.answers("112110") == {
        "overall": "satisfied",
        "m.a": "good",
        "m.b": "fairly_good",
        "knows": "yes",
        "how": ["yes"],
    }


def test_full_width_keys_and_spaces_are_understood(form: Any) -> None:
    assert form.read(" １１２ 110") == "112110"


@pytest.mark.parametrize(
    ("typed", "fault", "place"),
    [
        ("11211", LineFault.LENGTH, 0),
        ("1121100", LineFault.LENGTH, 0),
        ("512110", LineFault.KEY, 1),
        ("11x110", LineFault.KEY, 3),
        ("112120", LineFault.KEY, 5),
    ],
)
def test_what_cannot_be_read_is_named(form: Any, typed: str, fault: LineFault, place: int) -> None:
    with pytest.raises(LineError) as refused:
        form.read(typed)
    assert (refused.value.fault, refused.value.place) == (fault, place)


def test_a_spoiled_item_is_lost_alone(form: Any) -> None:
    assert form.answers("192000") == {"overall": "satisfied", "m.a": SPOILED, "m.b": "fairly_good"}


def test_a_star_spoils_the_whole_ballot(form: Any) -> None:
    line = form.read("*")
    assert form.answers(line) == dict.fromkeys(("overall", "m.a", "m.b"), SPOILED)


def test_blank_hidden_and_too_many_ticks_leave_nothing(form: Any) -> None:
    assert form.answers("000000") == {}
    assert form.answers("000210") == {"knows": "no"}, "the form hides the next item"
    assert form.answers("000111") == {"knows": "yes"}, "one tick is the most"


def test_the_pile_is_counted_by_the_rules(form: Any) -> None:
    counts = count_pile(form, ["111110", "191110", "999999", "000000", "999110"])
    assert (counts.returned, counts.invalid, counts.blank, counts.partly_spoiled) == (5, 2, 1, 1)


@pytest.fixture
def totals() -> TotalsForm:
    return TotalsForm((ScoredItem("overall", "satisfaction4", Decimal(1)),))


def test_a_meeting_writes_numbers(totals: TotalsForm) -> None:
    assert totals.read("20 4，1、2, 0 1", 1) == "20,4,1,2,0,1"
    assert totals.counts({0: "28", 1: "20,4,1,2,0,1"}) == {
        "overall": {
            "satisfied": 20,
            "basically_satisfied": 4,
            "dissatisfied": 1,
            "not_informed": 2,
            "": 0,
            SPOILED: 1,
        }
    }


@pytest.mark.parametrize("typed", ["1,2", "1,2,3,4,5,x", "1,2,3,4,5,-6", "1,2,3,4,5,100000", "٢,2,3,4,5,6x"])
def test_other_numbers_are_refused(totals: TotalsForm, typed: str) -> None:
    with pytest.raises(LineError):
        totals.read(typed, 1)


def test_every_item_adds_up_to_the_returned(totals: TotalsForm) -> None:
    assert totals.uneven({0: "28", 1: "20,4,1,2,0,1"}) == []
    assert totals.uneven({0: "27", 1: "20,4,1,2,0,1"}) == [1]
    assert totals.uneven({0: "28"}) == [1]
    assert totals.uneven({1: "20,4,1,2,0,1"}) == [0]


def test_differences_are_found_and_settled() -> None:
    first, second = {1: "1", 2: "2", 3: "3"}, {1: "1", 2: "4"}
    assert compare_lines(first, second) == [Difference(2, "2", "4"), Difference(3, "3", None)]
    assert settle_lines(first, second, {2: "4"}) is None, "one is still open"
    assert settle_lines(first, second, {2: "4", 3: ""}) == {1: "1", 2: "4"}
    assert settle_lines(first, first, {4: "1"}) == {**first, 4: "1"}, "a third look may find one more"


@pytest.mark.parametrize(
    ("settled_by", "confirmed_by", "holds"),
    [(None, None, False), (3, None, True), (1, None, False), (2, None, False), (1, 2, True), (2, 3, True)],
)
def test_a_keyer_does_not_settle_alone(settled_by: int | None, confirmed_by: int | None, holds: bool) -> None:
    assert is_settled(keyers=(1, 2), settled_by=settled_by, confirmed_by=confirmed_by) is holds
