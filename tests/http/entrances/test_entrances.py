"""The API of entrances: codes, QR images, previews and paper."""

from collections.abc import Callable
from typing import Any

import pytest

from survey_service.campaigns.service import close_campaign
from survey_service.core.db import unit_of_work
from survey_service.entrances.codes import grouped
from survey_service.entrances.service import MAX_COUNT
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.campaigns.callers import MADE_ABOVE, Caller, campaign_body, fields_of, problem
from tests.rules.core.test_qr import pixels_of_png, pixels_of_svg, read

PUBLIC_URL = "http://survey.example"
UNKNOWN = "2222222222222"


def codes_of(body: dict[str, Any]) -> list[str]:
    return [item["code"] for item in body["items"]]


@pytest.fixture
def entrances(world: World) -> str:
    return f"/campaigns/{world.campaign_id}/entrances"


@pytest.fixture
def body(world: World) -> Callable[..., dict[str, Any]]:
    """Return the call of the contract for the first village, with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        given = {
            "organization_code": world.village_codes[0],
            "mode": "household",
            "rater_class": "villager",
            "count": 2,
        } | changes
        return {name: value for name, value in given.items() if value is not None}

    return make


def test_one_time_codes_of_the_contract(town: Caller, world: World, entrances: str, body: Any) -> None:
    answer = town.post(entrances, body())
    assert answer.status_code == 201
    first, second = answer.json["items"]
    assert first == {
        "code": first["code"],
        "serial": 1,
        "url": f"{PUBLIC_URL}/s/{first['code']}",
        "mode": "household",
        "organization_code": world.village_codes[0],
        "rater_class": "villager",
        "place": "",
    }
    assert (second["serial"], len(first["code"])) == (2, 13)


def test_a_posted_code_of_the_contract(town: Caller, entrances: str, body: Any) -> None:
    [item] = town.post(entrances, body(mode="open", count=None, place=" 公告栏 ")).json["items"]
    assert (item["mode"], item["serial"], item["place"]) == ("open", None, "公告栏")


def test_several_organizations_at_once(town: Caller, world: World, entrances: str, body: Any) -> None:
    first, second = world.village_codes
    several = body(organization_code=None, organization_codes=[second, first, second], mode="panel")
    items = town.post(entrances, several).json["items"]
    assert [item["organization_code"] for item in items] == [first, first, second, second]


def test_five_thousand_codes_and_no_more(town: Caller, entrances: str, body: Any) -> None:
    answer = town.post(entrances, body(count=MAX_COUNT))
    assert (answer.status_code, len(set(codes_of(answer.json)))) == (201, MAX_COUNT)
    assert fields_of(town.post(entrances, body(count=MAX_COUNT + 1))) == {"count"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"organization_code": None}, "organization_code"),
        ({"organization_codes": ["x"]}, "organization_code"),
        ({"organization_code": None, "organization_codes": []}, "organization_codes"),
        ({"organization_code": "nowhere"}, "organization_codes"),
        ({"organization_code": "\0"}, "organization_code"),
        ({"mode": "paper"}, "mode"),
        ({"mode": "open_device"}, "mode"),
        ({"mode": None}, "mode"),
        ({"rater_class": "party_member"}, "rater_class"),
        ({"rater_class": "king"}, "rater_class"),
        ({"count": 0}, "count"),
        ({"count": -1}, "count"),
        ({"count": 1.5}, "count"),
        ({"place": "字" * 101}, "place"),
        ({"place": "a\0"}, "place"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_is_wrong_is_named(
    town: Caller, entrances: str, body: Any, changes: dict[str, Any], field: str
) -> None:
    assert field in fields_of(town.post(entrances, body(**changes)))


def test_a_village_of_another_campaign(town: Caller, world: World, entrances: str, body: Any) -> None:
    other = start_campaign(world.app)
    answer = town.post(entrances, body(organization_code=other.village_codes[0]))
    assert fields_of(answer) == {"organization_codes"}


def test_a_retry_gives_the_same_codes(town: Caller, entrances: str, body: Any) -> None:
    first = town.post(entrances, body(), Idempotency_Key="k1")
    again = town.post(entrances, body(), Idempotency_Key="k1")
    assert (again.status_code, again.json) == (201, first.json)
    assert codes_of(town.post(entrances, body(), Idempotency_Key="k2").json) != codes_of(first.json)
    other = town.post(entrances, body(count=3), Idempotency_Key="k1")
    assert problem(other) == (409, "idempotency_key_reused")


@pytest.mark.parametrize("key", ["", "k" * 129])
def test_a_key_has_a_length(town: Caller, entrances: str, body: Any, key: str) -> None:
    assert problem(town.post(entrances, body(), Idempotency_Key=key)) == (422, "invalid")


def test_codes_are_made_in_draft_and_while_open_and_not_after_closing(
    town: Caller, world: World, entrances: str, body: Any, form: int
) -> None:
    draft = town.post("/campaigns", campaign_body(world, form)).json["id"]
    assert town.post(f"/campaigns/{draft}/entrances", body()).status_code == 201
    assert town.post(entrances, body()).status_code == 201
    with unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW)
    assert problem(town.post(entrances, body())) == (409, "wrong_state")


def test_who_makes_codes(everybody: dict[str, Caller], entrances: str, body: Any) -> None:
    for mode in ("household", "panel", "open"):
        statuses = {name: one.post(entrances, body(mode=mode)).status_code for name, one in everybody.items()}
        assert statuses == MADE_ABOVE


def test_offices_above_a_village_make_its_codes_in_a_campaign_of_the_county(
    everybody: dict[str, Caller], world: World, body: Any, form: int
) -> None:
    of_county = everybody["county"].post("/campaigns", campaign_body(world, form)).json["id"]
    households = {"items": [{"organization_code": world.village_codes[0], "count": 2}]}
    for call, wanted in (
        ("entrances", body()),
        ("entrances", body(mode="open")),
        ("household-codes", households),
    ):
        address = f"/campaigns/{of_county}/{call}"
        statuses = {name: one.post(address, wanted).status_code for name, one in everybody.items()}
        assert statuses == MADE_ABOVE, call


def test_who_revokes_codes(everybody: dict[str, Caller], town: Caller, entrances: str, body: Any) -> None:
    codes = codes_of(town.post(entrances, body(count=len(everybody))).json)
    statuses = {
        name: caller.delete(f"/entrances/{code}").status_code
        for (name, caller), code in zip(everybody.items(), codes, strict=True)
    }
    assert statuses == {
        "county": 204,
        "town": 204,
        "neighbour": 403,
        "secretary": 403,
        "auditor": 403,
        "stranger": 401,
    }


def test_a_revoked_code_is_unknown(town: Caller, stranger: Caller, entrances: str, body: Any) -> None:
    code = codes_of(town.post(entrances, body()).json)[0]
    assert stranger.get(f"/entrances/{code}").status_code == 200
    assert town.delete(f"/entrances/{grouped(code).lower()}").status_code == 204
    assert problem(stranger.get(f"/entrances/{code}")) == (404, "unknown_entrance")
    assert problem(town.delete(f"/entrances/{code}")) == (404, "unknown_entrance")
    assert problem(town.delete(f"/entrances/{UNKNOWN}")) == (404, "unknown_entrance")


def test_images_lead_to_the_address(stranger: Caller, town: Caller, entrances: str, body: Any) -> None:
    [item] = town.post(entrances, body(mode="open", count=1)).json["items"]
    drawn = stranger.get(f"/entrances/{item['code']}.svg")
    painted = stranger.get(f"/entrances/{item['code']}.png")
    assert (drawn.content_type, painted.content_type) == ("image/svg+xml", "image/png")
    for code in (read(pixels_of_svg(drawn.data)), read(pixels_of_png(painted.data))):
        assert code.text == item["url"]
        assert code.ec_level in {"M", "Q", "H"}


def test_a_typed_code_is_drawn_as_it_is_meant(
    stranger: Caller, town: Caller, entrances: str, body: Any
) -> None:
    code = codes_of(town.post(entrances, body()).json)[0]
    typed = stranger.get(f"/entrances/{grouped(code).lower()}.svg")
    assert typed.data == stranger.get(f"/entrances/{code}.svg").data


@pytest.mark.parametrize("code", ["x", "2" * 12 + "3", "汤溪", "%00", "A" * 300])
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_what_is_no_code_is_not_drawn(stranger: Caller, code: str, kind: str) -> None:
    assert problem(stranger.get(f"/entrances/{code}.{kind}")) == (404, "unknown_entrance")


def test_a_poster_is_printed_by_the_branch_itself(
    everybody: dict[str, Caller], world: World, town: Caller, entrances: str, body: Any
) -> None:
    posters = f"/campaigns/{world.campaign_id}/posters"
    asked = {"organization_code": world.village_codes[0], "layout": "poster"}
    assert problem(town.post(posters, asked)) == (409, "no_posted_entrance")
    town.post(entrances, body(mode="open", count=1))
    printed = {name: caller.post(posters, asked) for name, caller in everybody.items()}
    assert {name: answer.status_code for name, answer in printed.items()} == {
        "county": 200,
        "town": 200,
        "secretary": 200,
        "neighbour": 403,
        "auditor": 403,
        "stranger": 401,
    }
    assert printed["secretary"].content_type == "application/pdf"
    assert printed["secretary"].data.startswith(b"%PDF")
    assert problem(town.post(posters, asked | {"place": "学校"})) == (409, "no_posted_entrance")


def test_a_sheet_is_printed_above_the_branch_only(everybody: dict[str, Caller], world: World) -> None:
    posters = f"/campaigns/{world.campaign_id}/posters"
    asked = {"organization_code": world.village_codes[0], "layout": "sheet"}
    assert problem(everybody["town"].post(posters, asked)) == (409, "no_household_codes")
    printed = {name: caller.post(posters, asked | {"count": 3}) for name, caller in everybody.items()}
    assert {name: answer.status_code for name, answer in printed.items()} == {
        "county": 200,
        "town": 200,
        "secretary": 403,
        "neighbour": 403,
        "auditor": 403,
        "stranger": 401,
    }
    assert printed["town"].data.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"layout": "wallpaper"}, "layout"),
        ({"count": 0}, "count"),
        ({"organization_code": ""}, "organization_code"),
    ],
)
def test_paper_that_does_not_exist(town: Caller, world: World, changes: dict[str, Any], field: str) -> None:
    asked = {"organization_code": world.village_codes[0], "layout": "sheet"} | changes
    assert fields_of(town.post(f"/campaigns/{world.campaign_id}/posters", asked)) == {field}


def test_paper_for_a_place_outside_the_campaign(town: Caller, world: World) -> None:
    asked = {"organization_code": "nowhere", "layout": "poster"}
    assert problem(town.post(f"/campaigns/{world.campaign_id}/posters", asked)) == (404, "not_found")
    assert problem(town.post("/campaigns/999999/posters", asked)) == (404, "not_found")
