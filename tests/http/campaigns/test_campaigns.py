"""The API of campaigns: from a draft to its end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine

from survey_service.core.db import Database, unit_of_work
from survey_service.organizations.rules import RosterSize
from survey_service.organizations.service import update_roster
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.campaigns.callers import Caller, Offices, campaign_body, fields_of, form_body, problem

CAMPAIGNS = "/campaigns"
LAUNCH_HASH_LENGTH = 64


def formula(**changes: Any) -> dict[str, Any]:
    return {"class_weights": {"villager": "1"}} | changes


@pytest.fixture
def draft(town: Caller, world: World, form: int) -> str:
    """The path of a draft of the town."""
    return f"{CAMPAIGNS}/{town.post(CAMPAIGNS, campaign_body(world, form)).json['id']}"


@pytest.fixture
def running(world: World) -> str:
    return f"{CAMPAIGNS}/{world.campaign_id}"


def test_the_campaign_of_the_contract(town: Caller, world: World, form: int) -> None:
    created = town.post(CAMPAIGNS, campaign_body(world, form))
    assert (created.status_code, created.json["state"]) == (201, "draft")
    path = f"{CAMPAIGNS}/{created.json['id']}"
    launched = town.post(f"{path}/launch")
    assert (launched.status_code, launched.json["state"], launched.json["warnings"]) == (200, "open", [])
    assert len(launched.json["formula_hash"]) == LAUNCH_HASH_LENGTH
    assert town.get(path).json["formula_hash"] == launched.json["formula_hash"]
    closed = town.post(f"{path}/close")
    assert (closed.status_code, closed.json["state"]) == (200, "closed")
    assert problem(town.post(f"{path}/close")) == (409, "wrong_state")


def test_a_campaign_is_shown_with_all_that_was_decided(town: Caller, world: World, form: int) -> None:
    codes = world.village_codes[::-1]
    body = campaign_body(
        world,
        form,
        organization_codes=codes,
        eligible={codes[0]: {"villager": 30}},
        subject_type="service_centre",
        open_requires="device",
        grace_hours=1,
        notice=" 请如实评价 ",
        revote="until_close",
    )
    shown = town.get(f"{CAMPAIGNS}/{town.post(CAMPAIGNS, body).json['id']}").json
    expected = {
        name: body[name] for name in ("title", "subject_type", "open_requires", "grace_hours", "revote")
    }
    assert expected.items() <= shown.items()
    assert shown["questionnaire"] == {"id": form, "version": 1}
    assert [(one["organization_code"], one["eligible"]) for one in shown["subjects"]] == [
        (codes[0], {"villager": 30}),
        (codes[1], {}),
    ]
    assert (shown["opens_at"], shown["notice"]) == ("2026-11-20T01:00:00+00:00", "请如实评价")
    assert shown["formula"]["class_weights"] == {"villager": "1"}
    assert (shown["formula_hash"], shown["closed_at"], shown["corrections"]) == (None, None, [])


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-11-20T09:00:00", "2026-11-20T01:00:00+00:00"),
        ("2026-11-20T09:00:00Z", "2026-11-20T09:00:00+00:00"),
        ("2026-11-20T09:00:00+02:00", "2026-11-20T07:00:00+00:00"),
        ("2020-01-01T00:00:00Z", "2020-01-01T00:00:00+00:00"),
    ],
)
def test_a_time_without_offset_is_one_in_shanghai(
    town: Caller, world: World, form: int, given: str, shown: str
) -> None:
    created = town.post(CAMPAIGNS, campaign_body(world, form, opens_at=given))
    assert town.get(f"{CAMPAIGNS}/{created.json['id']}").json["opens_at"] == shown


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "a\0"}, "title"),
        ({"questionnaire_id": 999_999}, "questionnaire_id"),
        ({"questionnaire_id": 10**20}, "questionnaire_id"),
        ({"questionnaire_id": 0}, "questionnaire_id"),
        ({"under": "nowhere"}, "under"),
        ({"organization_codes": ["nowhere"]}, "organization_codes"),
        ({"organization_codes": []}, "organization_codes"),
        ({"organization_codes": ["\0"]}, "organization_codes.0"),
        ({"organization_codes": ["x"], "under": "y"}, "organization_codes"),
        ({"opens_at": "yesterday"}, "opens_at"),
        ({"opens_at": "1999-12-31T00:00:00Z"}, "opens_at"),
        ({"opens_at": 7}, "opens_at"),
        ({"closes_at": "2026-11-20T09:00:00+08:00"}, "closes_at"),
        ({"closes_at": "2026-11-19T09:00:00+08:00"}, "closes_at"),
        ({"min_cell": 2}, "min_cell"),
        ({"grace_hours": -1}, "grace_hours"),
        ({"revote": "always"}, "revote"),
        ({"subject_type": "king"}, "subject_type"),
        ({"open_requires": "nothing"}, "open_requires"),
        ({"eligible": {"nowhere": {"villager": 1}}}, "eligible"),
        ({"eligible": {"x": {"villager": -1}}}, "eligible.x.villager"),
        ({"eligible": {"x": {"villager": 1.5}}}, "eligible.x.villager"),
        ({"notice": "字" * 4_001}, "notice"),
        ({"colour": "red"}, "colour"),
        ({"formula": {}}, "formula.class_weights"),
        ({"formula": formula(class_weights={})}, "formula.class_weights"),
        ({"formula": formula(class_weights={"villager": "0"})}, "formula.class_weights"),
        ({"formula": formula(class_weights={"king": "1"})}, "formula.class_weights.king"),
        ({"formula": formula(class_weights={"villager": "-1"})}, "formula.class_weights.villager"),
        ({"formula": formula(mode_weights={"pigeon": "1"})}, "formula.mode_weights.pigeon"),
        ({"formula": formula(mode_weights={"open": "1e9"})}, "formula.mode_weights.open"),
        ({"formula": formula(coefficients={"excellent": "1"})}, "formula.coefficients.satisfaction4"),
        ({"formula": formula(coefficients={"satisfied": "1.1"})}, "formula.coefficients.satisfaction4"),
        ({"formula": formula(coefficients=["1"])}, "formula.coefficients"),
        ({"formula": formula(positive="satisfied")}, "formula.positive"),
        ({"formula": formula(positive=["good"])}, "formula.positive"),
        ({"formula": formula(positive={"satisfaction4": "satisfied"})}, "formula.positive"),
        ({"formula": formula(positive=["\ud800"])}, "formula.positive"),
        ({"formula": formula(empty_class="zero")}, "formula.empty_class"),
        ({"formula": formula(min_response_rate="1e99999999")}, "formula.min_response_rate"),
        ({"formula": formula(min_response_rate={"king": "0.5"})}, "formula.min_response_rate"),
        ({"formula": formula(min_class=-1)}, "formula.min_class"),
        ({"formula": formula(bonus="1")}, "formula.bonus"),
    ],
)
def test_what_is_wrong_is_named(
    town: Caller, world: World, form: int, changes: dict[str, Any], field: str
) -> None:
    answer = town.post_raw(CAMPAIGNS, json.dumps(campaign_body(world, form, **changes)).encode())
    assert field in fields_of(answer)
    assert len(town.get(CAMPAIGNS).json["items"]) == 1


def test_flat_coefficients_are_for_one_used_set(town: Caller, world: World) -> None:
    items = form_body()["items"]
    graded = items[0] | {"key": "grade", "option_set": "grade4"}
    form = town.post("/questionnaires", form_body(items=[*items, graded])).json["id"]
    flat = formula(coefficients={"satisfied": "1"})
    assert fields_of(town.post(CAMPAIGNS, campaign_body(world, form, formula=flat))) == {
        "formula.coefficients"
    }
    nested = formula(
        coefficients={
            "satisfaction4": {"satisfied": "1", "basically_satisfied": "0.75", "dissatisfied": "0.55"},
            "grade4": {"good": "1", "fairly_good": "0.8", "average": "0.6", "poor": "0.4"},
        },
        positive=["satisfied", "good"],
        min_response_rate={"villager": "0.5"},
    )
    created = town.post(CAMPAIGNS, campaign_body(world, form, formula=nested)).json["id"]
    assert town.post(f"{CAMPAIGNS}/{created}/launch").status_code == 200


def test_an_incomplete_formula_is_not_launched(town: Caller, world: World, form: int) -> None:
    body = campaign_body(world, form, formula=formula(coefficients={"satisfied": "1", "dissatisfied": "0"}))
    path = f"{CAMPAIGNS}/{town.post(CAMPAIGNS, body).json['id']}"
    answer = town.post(f"{path}/launch")
    assert problem(answer) == (422, "incomplete_formula")
    assert answer.json["errors"] == {"formula.coefficients.satisfaction4": ["basically_satisfied"]}
    assert town.get(path).json["state"] == "draft"


def test_overlapping_modes_are_warned_of(town: Caller, world: World, form: int) -> None:
    weights = {"household": "1", "open": "1"}
    body = campaign_body(world, form, formula=formula(mode_weights=weights))
    launched = town.post(f"{CAMPAIGNS}/{town.post(CAMPAIGNS, body).json['id']}/launch")
    assert launched.status_code == 200
    assert len(launched.json["warnings"]) == 2


def test_a_draft_is_replaced(town: Caller, world: World, form: int, draft: str) -> None:
    body = campaign_body(world, form, title="新题", organization_codes=world.village_codes[:1])
    answer = town.put(draft, body)
    assert (answer.status_code, answer.json["state"]) == (200, "draft")
    shown = town.get(draft).json
    assert (shown["title"], [one["organization_code"] for one in shown["subjects"]]) == (
        "新题",
        world.village_codes[:1],
    )


def test_after_launch_everything_is_frozen(town: Caller, world: World, form: int, running: str) -> None:
    before = town.get(running).json
    assert problem(town.put(running, campaign_body(world, form))) == (409, "frozen")
    assert problem(town.post(f"{running}/launch")) == (409, "frozen")
    for name, value in {"formula": formula(), "opens_at": "2026-11-01T00:00:00Z", "min_cell": 9}.items():
        answer = town.patch(running, {name: value, "title": "新题", "reason": "想改"})
        assert problem(answer) == (409, "frozen")
        assert answer.json["errors"].keys() == {name}
    assert town.get(running).json == before


def test_title_notice_and_end_are_corrected_after_launch(town: Caller, running: str) -> None:
    body = {"title": "更正", "notice": "新告知", "closes_at": "2026-12-01T00:00:00+08:00", "reason": "写错了"}
    answer = town.patch(running, body)
    assert (answer.status_code, answer.json["title"], answer.json["notice"]) == (200, "更正", "新告知")
    shown = town.get(running).json
    assert shown["closes_at"] == "2026-11-30T16:00:00+00:00"
    assert [(one["field"], one["after"], one["reason"]) for one in shown["corrections"]] == [
        ("title", "更正", "写错了"),
        ("notice", "新告知", "写错了"),
        ("closes_at", "2026-11-30T16:00:00+00:00", "写错了"),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "更正"}, "reason"),
        ({"title": "更正", "reason": " "}, "reason"),
        ({"reason": "写错了"}, "_"),
        ({"title": "", "reason": "写错了"}, "title"),
        ({"closes_at": "2026-11-21T00:00:00Z", "reason": "写错了"}, "closes_at"),
    ],
)
def test_corrections_that_are_refused(town: Caller, running: str, body: dict[str, str], field: str) -> None:
    assert fields_of(town.patch(running, body)) == {field}


def test_a_draft_is_not_corrected(town: Caller, draft: str) -> None:
    assert problem(town.patch(draft, {"title": "更正", "reason": "写错了"})) == (409, "wrong_state")


def test_what_has_ended_is_frozen(town: Caller, running: str) -> None:
    body = {"closes_at": "2026-12-31T00:00:00Z", "reason": "延长"}
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        assert town.post(f"{running}/close").status_code == 200
        assert problem(town.patch(running, body)) == (409, "frozen")


def test_transitions_in_the_wrong_order(town: Caller, draft: str) -> None:
    assert problem(town.post(f"{draft}/close")) == (409, "wrong_state")
    assert town.post(f"{draft}/withdraw").json["state"] == "withdrawn"
    for step in ("withdraw", "launch", "close"):
        assert problem(town.post(f"{draft}/{step}")) == (409, "wrong_state")


def test_a_campaign_with_a_ballot_is_not_withdrawn(town: Caller, world: World, running: str) -> None:
    world.vote(["satisfied"])
    assert problem(town.post(f"{running}/withdraw")) == (409, "wrong_state")
    assert town.get(running).json["state"] == "open"


def test_last_years_campaign_is_copied(town: Caller, running: str) -> None:
    times = {"opens_at": "2027-11-20T09:00:00", "closes_at": "2027-11-28T09:00:00"}
    copied = town.post(f"{running}/copy", {"title": "2027年度测评"} | times)
    assert (copied.status_code, copied.json["state"]) == (201, "draft")
    old, new = town.get(running).json, town.get(f"{CAMPAIGNS}/{copied.json['id']}").json
    for name in ("formula", "min_cell", "subject_type", "questionnaire"):
        assert new[name] == old[name]
    assert (new["title"], new["opens_at"]) == ("2027年度测评", "2027-11-20T01:00:00+00:00")
    assert [one["organization_code"] for one in new["subjects"]] == [
        one["organization_code"] for one in old["subjects"]
    ]
    backwards = {"title": "x", "opens_at": times["closes_at"], "closes_at": times["opens_at"]}
    assert fields_of(town.post(f"{running}/copy", backwards)) == {"closes_at"}


def test_a_corrected_roster_leaves_a_running_campaign_alone(town: Caller, world: World, running: str) -> None:
    code = world.village_codes[0]
    before = town.get(running).json
    assert town.patch(f"/organizations/{code}", {"households": 999}).status_code == 200
    assert town.get(running).json == before
    assert before["subjects"][0]["eligible"] == {"villager": 100}


def test_two_campaigns_run_at_once(town: Caller, draft: str, running: str) -> None:
    assert town.post(f"{draft}/launch").json["state"] == "open"
    assert [one["state"] for one in town.get(CAMPAIGNS).json["items"]] == ["open", "open"]


def test_where_wechat_is_configured_posted_codes_ask_for_it(
    tmp_path: Path, database: Database, frozen_clock: None
) -> None:
    app = make_app(tmp_path, database, wechat_app_id="wx1")
    with app.app_context():
        world = start_campaign(app)
        town = Offices(world).caller(Role.TOWN_STAFF, "town")
        form = town.post("/questionnaires", form_body()).json["id"]
        for given, shown in (({}, "wechat"), ({"open_requires": "device"}, "device")):
            created = town.post(CAMPAIGNS, campaign_body(world, form, **given)).json["id"]
            assert town.get(f"{CAMPAIGNS}/{created}").json["open_requires"] == shown


def test_a_campaign_that_does_not_exist(town: Caller, world: World, form: int) -> None:
    path = f"{CAMPAIGNS}/999999"
    for answer in (
        town.get(path),
        town.get(f"{CAMPAIGNS}/99999999999999999999"),
        town.put(path, campaign_body(world, form)),
        town.patch(path, {"title": "x", "reason": "y"}),
        town.post(f"{path}/launch"),
        town.post(f"{path}/close"),
    ):
        assert problem(answer) == (404, "not_found")


def test_a_secretary_sees_his_own_part(secretary: Caller, world: World, running: str) -> None:
    assert [one["id"] for one in secretary.get(CAMPAIGNS).json["items"]] == [world.campaign_id]
    shown = secretary.get(running).json["subjects"]
    assert [one["organization_code"] for one in shown] == world.village_codes[:1]


def test_who_sees_a_campaign(everybody: dict[str, Caller], running: str) -> None:
    statuses = {name: caller.get(running).status_code for name, caller in everybody.items()}
    assert statuses == {
        "county": 200,
        "town": 200,
        "secretary": 200,
        "auditor": 200,
        "neighbour": 403,
        "stranger": 401,
    }


OFFICES = {"county": True, "town": True, "neighbour": False, "secretary": False, "auditor": False}


@pytest.mark.parametrize("step", ["create", "put", "patch", "copy", "launch", "close", "withdraw"])
def test_only_offices_in_scope_run_a_campaign(
    everybody: dict[str, Caller], world: World, step: str, form: int, draft: str, running: str
) -> None:
    body = campaign_body(world, form)
    refusals = {name: status_of(caller, step, body, draft, running) for name, caller in everybody.items()}
    assert refusals.pop("stranger") == 401
    assert {name: status != 403 for name, status in refusals.items()} == OFFICES


def status_of(caller: Caller, step: str, body: dict[str, Any], draft: str, running: str) -> int:
    """Return what a step in the life of a campaign is answered with."""
    if step == "create":
        return caller.post(CAMPAIGNS, body).status_code
    if step == "put":
        return caller.put(draft, body).status_code
    if step == "patch":
        return caller.patch(running, {"title": "更正", "reason": "写错了"}).status_code
    times = {name: body[name] for name in ("title", "opens_at", "closes_at")}
    return caller.post(f"{draft}/{step}", times if step == "copy" else None).status_code


def test_the_roster_at_launch_counts(town: Caller, world: World, draft: str) -> None:
    with unit_of_work() as session:
        sizes = {RosterSize.HOUSEHOLDS: 123}
        update_roster(session, code=world.village_codes[0], sizes=sizes)
    assert town.get(draft).json["subjects"][0]["eligible"] == {}
    town.post(f"{draft}/launch")
    assert town.get(draft).json["subjects"][0]["eligible"] == {"villager": 123}
