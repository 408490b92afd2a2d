"""The API of questionnaires."""

import json
from typing import Any

import pytest

from survey_service.core.db import unit_of_work
from survey_service.questionnaires.queries import PAGE_SIZE
from survey_service.questionnaires.service import create_questionnaire
from tests.factories.campaigns import ITEMS, NOW, World
from tests.http.campaigns.callers import Caller, fields_of, form_body, problem

FORMS = "/questionnaires"
RATING = {"key": "a", "kind": "rating", "text": "评价", "option_set": "grade4", "weight": "1"}
EVERY_KIND = [
    RATING | {"required": True, "hint": "凭印象", "weight": "1.50"},
    {
        "key": "m",
        "kind": "matrix",
        "text": "逐项评价",
        "option_set": "competence4",
        "weight": "2",
        "rows": [{"key": "r1", "text": "学习"}, {"key": "r2", "text": "工作", "weight": "0.5"}],
    },
    {
        "key": "s",
        "kind": "single",
        "text": "选一项",
        "options": [{"key": "yes", "label": "是"}, {"key": "no", "label": "否"}],
        "show_if": {"item": "a", "options": ["poor"]},
    },
    {"key": "x", "kind": "multiple", "text": "选几项", "option_set": "grade4", "max_choices": 2},
    {"key": "t", "kind": "text", "text": "意见", "max_length": 500},
    {"key": "n", "kind": "number", "text": "年数", "minimum": "0.5", "maximum": 90},
]


def with_item(**changes: Any) -> dict[str, Any]:
    return form_body(items=[RATING | changes])


def test_the_questionnaire_of_the_contract(town: Caller) -> None:
    created = town.post(FORMS, form_body())
    assert created.status_code == 201
    shown = town.get(f"{FORMS}/{created.json['id']}").json
    assert created.json == {"id": shown["id"], "version": 1}
    assert (shown["title"], shown["is_frozen"]) == ("党员群众满意度测评表", False)
    assert [(one["key"], one["weight"], one["required"]) for one in shown["items"]] == [
        ("overall", "1", True),
        ("remark", "0", False),
    ]


def test_a_rating_counts_once_when_nothing_is_said_of_its_weight(town: Caller) -> None:
    bare = {name: value for name, value in RATING.items() if name != "weight"}
    remark = {"key": "remark", "kind": "text", "text": "意见建议"}
    created = town.post(FORMS, form_body(items=[bare, remark]))
    shown = town.get(f"{FORMS}/{created.json['id']}").json["items"]
    assert [one["weight"] for one in shown] == ["1", "0"]


def test_every_kind_comes_back_as_it_was_given(town: Caller) -> None:
    created = town.post(FORMS, form_body(items=EVERY_KIND))
    shown = town.get(f"{FORMS}/{created.json['id']}").json["items"]
    for given, found in zip(EVERY_KIND, shown, strict=True):
        plain = {"1.50": "1.5", 90: "90"}
        expected = {name: plain.get(value, value) if not isinstance(value, list | dict) else value
                    for name, value in given.items() if name != "rows"}  # fmt: skip
        assert expected.items() <= found.items()
    assert [row["weight"] for row in shown[1]["rows"]] == [None, "0.5"]
    assert town.put(f"{FORMS}/{created.json['id']}", {"title": "表", "items": shown}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "title"),
        (form_body(title=" "), "title"),
        (form_body(title="字" * 201), "title"),
        (form_body(title="a\0b"), "title"),
        (form_body(title="\ud800"), "title"),
        (form_body(title=7), "title"),
        (form_body(name="x"), "name"),
        (form_body(items=[]), "items"),
        (form_body(items=None), "items"),
        (form_body(items=[RATING | {"key": f"a{n}"} for n in range(61)]), "items"),
        (form_body(items=[RATING, RATING]), "items.1"),
        (with_item(key="1a"), "items.0.key"),
        (with_item(key="a.b"), "items.0.key"),
        (with_item(key="a\n"), "items.0.key"),
        (with_item(key="重"), "items.0.key"),
        (with_item(text=""), "items.0.text"),
        (with_item(text="\x07"), "items.0.text"),
        (with_item(kind="stars"), "items.0"),
        (with_item(kind="text", option_set=None), "items.0"),
        (with_item(kind="single"), "items.0"),
        (with_item(option_set="satisfaction9"), "items.0"),
        (with_item(weight="-1"), "items.0.weight"),
        (with_item(weight="1001"), "items.0.weight"),
        (with_item(weight="1E-99999999"), "items.0.weight"),
        (with_item(weight="NaN"), "items.0.weight"),
        (with_item(weight=True), "items.0.weight"),
        (with_item(kind="text", weight="0", max_length=0), "items.0"),
        (with_item(kind="number", weight="0", minimum="2", maximum="1"), "items.0"),
        (with_item(show_if={"item": "a", "options": ["good"]}), "items.0"),
        (with_item(show_if={"item": "a", "options": []}), "items.0.show_if.options"),
        (with_item(rows=[{"key": "r"}]), "items.0.rows.0.text"),
        (with_item(options=[{"key": "a", "label": ""}]), "items.0.options.0.label"),
        (with_item(colour="red"), "items.0.colour"),
    ],
)
def test_what_is_wrong_is_named(town: Caller, body: dict[str, Any], field: str) -> None:
    answer = town.post_raw(FORMS, json.dumps(body).encode())
    assert field in fields_of(answer)


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"title":"a","title":"b","items":[]}',
        b'{"title":NaN}',
        b'{"title":' + b"9" * 5_000 + b"}",
        b'{"\\ud800":1}',
    ],
)
def test_what_is_no_honest_json_is_malformed(town: Caller, content: bytes) -> None:
    assert problem(town.post_raw(FORMS, content)) == (400, "malformed")


@pytest.mark.parametrize("content", [b"[]", b"7", b"null", b'"x"', b""])
def test_what_is_no_object_is_refused(town: Caller, content: bytes) -> None:
    assert problem(town.post_raw(FORMS, content)) == (422, "invalid")


def test_a_megabyte_is_too_large(town: Caller) -> None:
    assert problem(town.post_raw(FORMS, b" " * 1_000_000)) == (413, "too_large")


def test_a_used_form_gets_a_new_version(town: Caller, world: World) -> None:
    [used] = town.get(FORMS).json["items"]
    assert used["is_frozen"]
    answer = town.put(f"{FORMS}/{used['id']}", form_body())
    assert (answer.status_code, answer.json) == (200, {"id": used["id"], "version": 2})
    assert town.get(f"{FORMS}/{used['id']}").json["is_frozen"] is False
    assert town.put(f"{FORMS}/{used['id']}", form_body(title="改")).json["version"] == 2


def test_a_list_comes_in_pages(town: Caller, world: World) -> None:
    with unit_of_work() as session:
        for _ in range(PAGE_SIZE):
            create_questionnaire(session, staff=world.staff, title="表", items=ITEMS, now=NOW)
    first = town.get(FORMS).json
    rest = town.get(f"{FORMS}?cursor={first['next_cursor']}").json
    assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (PAGE_SIZE, 1, None)
    assert problem(town.get(f"{FORMS}?cursor=x")) == (422, "invalid")


@pytest.mark.parametrize("number", ["999999", "99999999999999999999"])
def test_a_form_that_does_not_exist(town: Caller, number: str) -> None:
    assert problem(town.get(f"{FORMS}/{number}")) == (404, "not_found")


def test_who_writes_forms(everybody: dict[str, Caller]) -> None:
    statuses = {name: caller.post(FORMS, form_body()).status_code for name, caller in everybody.items()}
    assert statuses == {
        "county": 201,
        "town": 201,
        "neighbour": 201,
        "secretary": 403,
        "auditor": 403,
        "stranger": 401,
    }


@pytest.mark.parametrize(
    ("owner", "readers", "writers"),
    [
        ("town", {"county", "auditor", "town"}, {"county", "town"}),
        ("county", {"county", "auditor", "town"}, {"county"}),
        ("neighbour", {"neighbour"}, {"neighbour"}),
    ],
)
def test_a_form_is_read_in_its_line_and_revised_from_above(
    everybody: dict[str, Caller], owner: str, readers: set[str], writers: set[str]
) -> None:
    path = f"{FORMS}/{everybody[owner].post(FORMS, form_body()).json['id']}"
    may_read = {name for name, caller in everybody.items() if caller.get(path).status_code == 200}
    may_write = {name for name, one in everybody.items() if one.put(path, form_body()).status_code == 200}
    assert (may_read, may_write) == (readers, writers)
