"""The review page and its calls: what the office sees, and what it can do."""

from typing import Any

import pytest

from survey_service.ballots.rules import BallotFlag
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.ballots.phone import code_of
from tests.http.reports.conftest import Browser, People

pytestmark = pytest.mark.usefixtures("frozen_clock")

REASON = "电话核实过，是同一个人填的"


@pytest.fixture
def flagged(world: World) -> World:
    world.vote(["satisfied"] * 8)
    world.vote(["dissatisfied"] * 6, flag=BallotFlag.TOO_FAST)
    world.vote(["dissatisfied"] * 2, flag=BallotFlag.BURST)
    world.drain()
    return world


def group(world: World, **changes: Any) -> dict[str, Any]:
    return {
        "organization_code": world.village_codes[0],
        "rater_class": "villager",
        "mode": "household",
        "place_id": 0,
        "flag": "too_fast",
        "reason": REASON,
    } | changes


@pytest.fixture
def first(flagged: World, people: People) -> Browser:
    return people.browser(Role.TOWN_STAFF, flagged.town_code)


@pytest.fixture
def second(flagged: World, people: People, county_code: str) -> Browser:
    return people.browser(Role.COUNTY_ADMIN, county_code)


def page(browser: Browser, world: World) -> str:
    text: str = browser.get(f"/staff/campaigns/{world.campaign_id}/anomalies").text
    return text


def test_the_page_shows_counts_and_evidence(flagged: World, first: Browser) -> None:
    shown = page(first, flagged)
    assert "填得太快" in shown
    assert "比把题目看一遍用的时间还短" in shown
    assert '<td class="number">6</td><td class="number">16</td>' in shown
    assert "tone_4" in shown, "the bar stands beside the table"


def test_the_page_is_blind(flagged: World, first: Browser) -> None:
    """Neither an answer nor a score stands there, and small groups not even with their size."""
    shown = page(first, flagged)
    assert [word for word in ("不满意", "100.00", "80.71", "75.00") if word in shown] == []
    assert '<td class="number">2</td>' not in shown


def test_two_persons_exclude_a_group_through_the_page(
    flagged: World, first: Browser, second: Browser
) -> None:
    address = f"/staff/campaigns/{flagged.campaign_id}/anomalies"
    page(first, flagged)
    proposed = first.follow(address, group(flagged)).text
    assert "请另一位同志来决定" in proposed
    assert 'value="confirm"' not in proposed, "nobody decides about his own proposal"
    offered = page(second, flagged)
    exclusion = offered.split(f'action="{address}/')[1].split('"')[0]
    decided = second.follow(f"{address}/{exclusion}", {"reason": REASON, "act": "confirm"}).text
    assert "已排除" in decided
    assert decided.count(REASON) == 2


def test_a_form_without_a_reason_is_refused(flagged: World, first: Browser) -> None:
    page(first, flagged)
    answer = first.post(f"/staff/campaigns/{flagged.campaign_id}/anomalies", group(flagged, reason=" "))
    assert answer.status_code == 422


def test_the_calls_do_the_same(flagged: World, people: People, county_code: str) -> None:
    town = people.system(Role.TOWN_STAFF, flagged.town_code)
    county = people.system(Role.COUNTY_ADMIN, county_code)
    address = f"/api/v1/campaigns/{flagged.campaign_id}"
    review = town.get(f"{address}/anomalies").json
    assert [(one["flag"], one["ballots"]) for one in review["groups"]] == [("burst", None), ("too_fast", 6)]
    made = town.post(f"{address}/exclusions", json=group(flagged))
    assert (made.status_code, made.json["state"]) == (201, "proposed")
    confirm = f"{address}/exclusions/{made.json['id']}/confirm"
    assert code_of(town.post(confirm, json={"reason": REASON})) == (403, "forbidden")
    assert county.post(confirm, json={"reason": REASON}).json["state"] == "confirmed"
    assert code_of(county.post(confirm, json={"reason": REASON})) == (409, "wrong_state")
    assert code_of(town.post(f"{address}/exclusions", json=group(flagged))) == (409, "already_proposed")
    (listed,) = town.get(f"{address}/anomalies").json["exclusions"]
    assert (listed["state"], listed["ballots"], listed["may_decide"]) == ("confirmed", 6, False)


@pytest.mark.parametrize(
    "change",
    [{"flag": "ugly"}, {"mode": "telepathy"}, {"reason": ""}, {"place_id": -1}, {"flag": "burst"}],
    ids=["flag", "mode", "reason", "place", "too few"],
)
def test_what_does_not_fit_is_named(flagged: World, people: People, change: dict[str, Any]) -> None:
    town = people.system(Role.TOWN_STAFF, flagged.town_code)
    answer = town.post(f"/api/v1/campaigns/{flagged.campaign_id}/exclusions", json=group(flagged, **change))
    assert code_of(answer) == (422, "invalid")


@pytest.mark.parametrize("role", [Role.BRANCH_SECRETARY, Role.AUDITOR])
def test_others_never_see_it(flagged: World, people: People, role: Role) -> None:
    place = flagged.village_codes[0] if role is Role.BRANCH_SECRETARY else flagged.town_code
    browser = people.browser(role, place)
    address = f"/staff/campaigns/{flagged.campaign_id}"
    assert browser.get(f"{address}/anomalies").status_code == 403
    assert "/anomalies" not in browser.get(address).text


def test_another_town_sees_nothing(flagged: World, people: People) -> None:
    other = start_campaign(flagged.app, villages=1)
    outsider = people.system(Role.TOWN_STAFF, other.town_code)
    address = f"/api/v1/campaigns/{flagged.campaign_id}"
    assert code_of(outsider.get(f"{address}/anomalies")) == (403, "forbidden")
    assert code_of(outsider.post(f"{address}/exclusions", json=group(flagged))) == (403, "forbidden")
