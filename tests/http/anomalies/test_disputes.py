"""The button "this was not me": from the page and through the API, and what never comes of it."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from survey_service.anomalies.queries import count_disputes
from survey_service.campaigns.rules import Mode
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.ballots.phone import Phone, code_of
from tests.http.ballots.test_voter_pages import fill
from tests.http.reports.conftest import People

pytestmark = pytest.mark.usefixtures("frozen_clock")

BUTTON = "这不是我投的"


@pytest.fixture
def web_view(world: World) -> FlaskClient:
    return world.app.test_client()


@pytest.fixture
def code(world: World) -> str:
    """A one-time code that somebody has used on another phone."""
    code = world.issue()[0].code
    fill(world.app.test_client(), code)
    world.drain()
    return code


def number(world: World) -> int:
    with world.app.extensions["database"].reading() as session:
        return sum(count_disputes(session, world.campaign_id).values())


def press(client: FlaskClient, page: TestResponse) -> TestResponse:
    """Press the button as a browser without scripts does."""
    form = re.search(
        r'action="(/s/\w+/dispute)">\s*<input type="hidden" name="ticket" value="([^"]+)"', page.text
    )
    assert form, page.text
    return client.post(form[1], data={"ticket": form[2]})


def send(phone: Phone, code: str, ticket: Any = None) -> TestResponse:
    ticket = phone.open(code)["ticket"] if ticket is None else ticket
    return phone.client.post(f"/api/v1/entrances/{code}/disputes", json={"ticket": ticket})


def test_the_page_of_a_used_code_carries_the_button(world: World, web_view: FlaskClient, code: str) -> None:
    refused = fill(web_view, code)
    assert refused.status_code == 409
    assert BUTTON in refused.text
    noted = press(web_view, refused)
    assert (noted.status_code, number(world)) == (200, 1)
    assert "记下了" in noted.text
    assert "请联系汤溪镇" in noted.text


def test_the_device_that_voted_finds_the_button_on_opening(world: World, web_view: FlaskClient) -> None:
    code = world.issue()[0].code
    fill(web_view, code)
    opened = web_view.get(f"/s/{code}")
    assert press(web_view, opened).status_code == 200
    assert number(world) == 1


def test_pressing_again_counts_once(world: World, web_view: FlaskClient, code: str) -> None:
    refused = fill(web_view, code)
    for _ in range(3):
        assert press(web_view, refused).status_code == 200
    assert press(world.app.test_client(), refused).status_code == 200
    assert number(world) == 1


def test_a_posted_code_has_no_such_button(world: World, web_view: FlaskClient) -> None:
    (wall,) = world.issue(Mode.OPEN)
    fill(web_view, wall.code)
    assert BUTTON not in web_view.get(f"/s/{wall.code}").text
    assert BUTTON not in web_view.post(f"/s/{wall.code}").text
    assert code_of(send(Phone(web_view), wall.code)) == (403, "bad_ticket")


def test_the_call_of_the_contract(world: World, code: str) -> None:
    phone = Phone(world.app.test_client())
    for _ in range(2):
        answer = send(phone, code)
        assert (answer.status_code, answer.json) == (201, {"state": "noted"})
    assert number(world) == 1


def test_the_answer_does_not_say_whether_a_code_was_used(world: World, code: str) -> None:
    phone, fresh = Phone(world.app.test_client()), world.issue()[0].code
    used, unused = send(phone, code), send(phone, fresh)
    assert (used.status_code, used.data) == (unused.status_code, unused.data)
    assert number(world) == 1


@pytest.mark.parametrize("ticket", ["", "nonsense", "of_other_code"])
def test_a_ticket_of_another_page_is_refused(world: World, code: str, ticket: str) -> None:
    phone = Phone(world.app.test_client())
    given = phone.open(world.issue()[0].code)["ticket"] if ticket == "of_other_code" else ticket
    assert code_of(send(phone, code, given)) == (403, "bad_ticket")
    assert number(world) == 0


def test_an_unknown_code_is_told_as_such(world: World) -> None:
    assert code_of(send(Phone(world.app.test_client()), "2222222222222", "x")) == (404, "unknown_entrance")


def test_a_code_that_is_disputed_again_and_again_is_slowed_down(world: World, code: str) -> None:
    phone = Phone(world.app.test_client())
    answers = [send(phone, code).status_code for _ in range(6)]
    assert answers == [201] * 5 + [429]


@pytest.fixture
def disputed(world: World) -> World:
    """Ten ballots with codes; one is disputed, which is more than two in a hundred."""
    codes = [issued.code for issued in world.issue(count=10)]
    for one in codes:
        fill(world.app.test_client(), one)
    send(Phone(world.app.test_client()), codes[0])
    world.drain()
    return world


def row(client: FlaskClient, world: World) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/v1/campaigns/{world.campaign_id}/scores").json["items"][0]
    return found


def test_over_the_share_the_score_is_marked_and_still_shown(disputed: World, people: People) -> None:
    office = people.system(Role.TOWN_STAFF, disputed.town_code)
    assert (row(office, disputed)["flags"], row(office, disputed)["score"]) == (["disputed"], "100.00")


def close_in(world: World, office: FlaskClient) -> None:
    assert office.post(f"/api/v1/campaigns/{world.campaign_id}/close").status_code == 200
    world.drain()


def test_the_rated_party_is_not_told(disputed: World, people: People) -> None:
    close_in(disputed, people.system(Role.TOWN_STAFF, disputed.town_code))
    secretary = people.system(Role.BRANCH_SECRETARY, disputed.village_codes[0])
    assert row(secretary, disputed)["flags"] == []
    review = secretary.get(f"/api/v1/campaigns/{disputed.campaign_id}/anomalies")
    assert code_of(review) == (403, "forbidden")
    for page in ("", "/scores", f"/scores/{disputed.village_codes[0]}"):
        browser = people.app.test_client()
        browser.environ_base["HTTP_AUTHORIZATION"] = secretary.environ_base["HTTP_AUTHORIZATION"]
        assert "待核查" not in browser.get(f"/staff/campaigns/{disputed.campaign_id}{page}").text


def rule(client: FlaskClient, world: World, decision: str) -> TestResponse:
    body = {"organization_code": world.village_codes[0], "decision": decision, "reason": "正在走访核实"}
    return client.post(f"/api/v1/campaigns/{world.campaign_id}/disputes", json=body)


def test_only_the_county_decides(disputed: World, people: People) -> None:
    office = people.system(Role.TOWN_STAFF, disputed.town_code)
    assert code_of(rule(office, disputed, "hold")) == (403, "forbidden")


def test_a_held_score_is_shown_to_nobody_until_it_is_released(
    disputed: World, people: People, county_code: str
) -> None:
    county = people.system(Role.COUNTY_ADMIN, county_code)
    assert rule(county, disputed, "hold").status_code == 201
    held = row(county, disputed)
    assert (held["status"], held["reason"], held["score"], held["by_class"]) == (
        "suppressed",
        "held",
        None,
        None,
    )
    assert held["returned"] == 10
    address = f"/api/v1/campaigns/{disputed.campaign_id}/scores"
    detail = county.get(f"{address}/{disputed.village_codes[0]}").json
    assert (detail["items"], detail["trace"]) == (None, None)
    assert county.get(f"{address}.xlsx").status_code == 200
    assert rule(county, disputed, "release").status_code == 201
    assert row(county, disputed)["score"] == "100.00"
