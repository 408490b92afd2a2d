"""Progress: exact and live for town and county, its own row and nothing more for a rated party."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

from flask import Flask

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.reports.schemas import ProgressOut
from survey_service.staff.rules import Role
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.reports.conftest import People

Counting = Callable[[], AbstractContextManager[list[str]]]


def address(world: World) -> str:
    return f"/api/v1/campaigns/{world.campaign_id}/progress"


def test_the_town_sees_every_village_with_its_modes_and_classes(town: World, people: People) -> None:
    town.vote(["satisfied"] * 3)
    town.vote(["satisfied"], mode=Mode.PANEL)
    town.drain()
    answer = people.system(Role.TOWN_STAFF, town.town_code).get(address(town))
    first, second = town.village_codes
    assert answer.json == {
        "items": [
            {
                "organization_code": first,
                "name": "第1村",
                "eligible": 100,
                "returned": 4,
                "response_rate": "4.00",
                "by_mode": {"household": 3, "panel": 1},
                "by_class": {"villager": 4},
            },
            {
                "organization_code": second,
                "name": "第2村",
                "eligible": 100,
                "returned": 0,
                "response_rate": "0.00",
                "by_mode": {},
                "by_class": {},
            },
        ]
    }
    assert ProgressOut().validate(answer.json) == {}


def test_a_ballot_that_no_tally_knows_is_not_counted_yet(town: World, people: People) -> None:
    town.vote(["satisfied"])
    [first, _] = people.system(Role.AUDITOR, town.town_code).get(address(town)).json["items"]
    assert first["returned"] == 0


def test_a_secretary_sees_the_own_total_only(town: World, people: People) -> None:
    town.vote(["satisfied"] * 2)
    town.drain()
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    answer = client.get(address(town)).json
    [row] = answer["items"]
    assert (row["organization_code"], row["returned"]) == (town.village_codes[0], 0)
    assert row["by_mode"] is row["by_class"] is None
    assert answer["as_of"] == "2026-11-20"
    assert ProgressOut().validate(answer) == {}


def test_a_secretary_sees_the_turnout_of_the_end_of_yesterday(town: World, people: People) -> None:
    town.vote(["satisfied"] * 2)
    database = town.app.extensions["database"]
    with town.app.app_context(), database.unit_of_work() as session:
        rebuild_dirty(session, campaign_id=town.campaign_id, now=NOW - timedelta(days=1))
    town.vote(["satisfied"] * 3)
    town.drain()
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    assert [row["returned"] for row in client.get(address(town)).json["items"]] == [2]
    with database.unit_of_work() as session:
        close_campaign(session, campaign_id=town.campaign_id, now=NOW)
    assert [row["returned"] for row in client.get(address(town)).json["items"]] == [5]


def test_the_page_of_a_secretary_names_the_day(town: World, people: People) -> None:
    browser = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    assert "截至11月20日24时的数字" in browser.get(f"/staff/campaigns/{town.campaign_id}").text


def test_where_a_number_of_people_is_unknown_so_is_the_rate(campaign_app: Flask, people: People) -> None:
    classes = {"villager": 1, RaterClass.VETERAN_CADRE: 1}
    world = start_campaign(campaign_app, formula={"class_weights": classes})
    [first, _] = people.system(Role.TOWN_STAFF, world.town_code).get(address(world)).json["items"]
    assert first["eligible"] is first["response_rate"] is None


def test_nothing_is_shown_outside_the_scope(town: World, elsewhere: World, people: People) -> None:
    client = people.system(Role.TOWN_STAFF, elsewhere.town_code)
    assert client.get(address(town)).status_code == 403
    assert client.get("/api/v1/campaigns/999999/progress").status_code == 404


def test_more_villages_cost_no_more_queries(
    campaign_app: Flask, people: People, count_queries: Counting
) -> None:
    numbers = []
    for villages in (2, 9):
        world = start_campaign(campaign_app, villages=villages)
        client = people.system(Role.TOWN_STAFF, world.town_code)
        with count_queries() as statements:
            assert len(client.get(address(world)).json["items"]) == villages
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 6
