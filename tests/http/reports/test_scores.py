"""Scores: released figures with live turnout, and who may read them when."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from survey_service.campaigns.rules import LiveScores, RaterClass
from survey_service.campaigns.service import close_campaign, launch_campaign
from survey_service.organizations.rules import RosterSize
from survey_service.organizations.service import update_roster
from survey_service.reports.schemas import ScoreDetail, ScoresOut
from survey_service.staff.rules import Role
from tests.factories.campaigns import FORMULA, NOW, OPENS_AT, World, start_campaign
from tests.http.reports.conftest import People

Counting = Callable[[], AbstractContextManager[list[str]]]

GOLDEN = ["satisfied"] * 20 + ["basically_satisfied"] * 4 + ["dissatisfied"] + ["not_informed"] * 2
"""Golden example 1 of the design without its spoiled ballot."""


def address(world: World, code: str = "") -> str:
    return f"/api/v1/campaigns/{world.campaign_id}/scores" + (f"/{code}" if code else "")


def close(world: World) -> None:
    with world.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=NOW)
    world.drain()


def scores_of(client: Any, world: World) -> list[dict[str, Any]]:
    answer = client.get(address(world))
    assert answer.status_code == 200, answer.text
    assert ScoresOut().validate(answer.json) == {}
    items: list[dict[str, Any]] = answer.json["items"]
    return items


def test_a_score_stands_with_its_interval_its_classes_and_its_modes(town: World, people: People) -> None:
    town.vote(GOLDEN)
    town.drain()
    client = people.system(Role.COUNTY_ADMIN, town.town_code)
    [first, _] = scores_of(client, town)
    assert (first["status"], first["reason"]) == ("ok", None)
    assert (first["score"], first["satisfaction_rate"]) == ("94.20", "96.00")
    assert (first["returned"], first["valid"], first["eligible"]) == (27, 25, 100)
    assert (first["response_rate"], first["as_of_returned"]) == ("27.00", 27)
    assert first["by_class"]["villager"]["score"] == first["by_mode"]["household"]["score"] == "94.20"
    low, high = map(float, first["interval"])
    assert low < 94.2 < high


def test_a_village_without_ballots_has_a_row_without_figures(town: World, people: People) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    for row in scores_of(client, town):
        assert (row["status"], row["reason"]) == ("suppressed", "no_ballots")
        assert (row["returned"], row["eligible"], row["response_rate"]) == (0, 100, "0.00")
        withheld = ("score", "interval", "satisfaction_rate", "valid", "by_class", "by_mode")
        assert [row[name] for name in withheld] == [None] * 6


def test_a_draft_has_rows_too(campaign_app: Flask, people: People) -> None:
    world = start_campaign(campaign_app, is_launched=False)
    answer = people.system(Role.TOWN_STAFF, world.town_code).get(address(world))
    assert answer.json["formula_hash"] is None
    assert [row["reason"] for row in answer.json["items"]] == ["no_ballots"] * 2


def test_too_few_ballots_show_their_number_and_nothing_else(town: World, people: People) -> None:
    town.vote(["satisfied"] * 4)
    town.drain()
    [first, _] = scores_of(people.system(Role.TOWN_STAFF, town.town_code), town)
    assert (first["reason"], first["returned"], first["score"]) == ("small_cell", 4, None)


def test_turnout_is_live_while_figures_are_the_last_release(town: World, people: People) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    town.vote(["satisfied"] * 5)
    town.drain()
    town.vote(["dissatisfied"] * 2)
    town.drain()
    [open_row, _] = scores_of(client, town)
    assert (open_row["returned"], open_row["as_of_returned"], open_row["score"]) == (7, 5, "100.00")
    assert open_row["by_mode"]["household"]["returned"] == 5
    close(town)
    [final, _] = scores_of(client, town)
    assert (final["returned"], final["as_of_returned"], final["score"]) == (7, 7, "87.14")


def test_whoever_closes_finds_exact_figures_at_once(town: World, people: People) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    town.vote(["satisfied"] * 5)
    town.drain()
    town.vote(["dissatisfied"] * 2)
    closed = client.post(f"/api/v1/campaigns/{town.campaign_id}/close")
    assert closed.status_code == 200, closed.text
    [final, _] = scores_of(client, town)
    assert (final["as_of_returned"], final["score"]) == (7, "87.14")


def test_a_campaign_may_wait_with_all_figures(
    campaign_app: Flask, frozen_clock: None, people: People
) -> None:
    world = start_campaign(campaign_app, live_scores=LiveScores.AFTER_CLOSING)
    world.vote(["satisfied"] * 6)
    world.drain()
    close(world)
    client = people.system(Role.COUNTY_ADMIN, world.town_code)
    [first, _] = scores_of(client, world)
    assert (first["status"], first["reason"]) == ("suppressed", "until_closing")
    assert (first["returned"], first["score"], first["by_class"]) == (6, None, None)
    page = people.browser(Role.TOWN_STAFF, world.town_code).get(f"/staff{address(world)[7:]}").text
    assert "停止收票以后公布" in page


def total_of(client: Any, world: World) -> Any:
    [total] = client.get(address(world)).json["totals"]
    return total


def test_a_town_has_a_total(town: World, people: People) -> None:
    town.vote(["satisfied"] * 6)
    town.vote(["dissatisfied"] * 6, village=1)
    town.drain()
    total = total_of(people.system(Role.COUNTY_ADMIN, town.town_code), town)
    assert (total["organization_code"], total["subjects"], total["status"]) == (town.town_code, 2, "ok")
    assert (total["score"], total["returned"], total["eligible"]) == ("77.50", 12, 200)
    assert total["as_of_returned"] == 12
    page = people.browser(Role.TOWN_STAFF, town.town_code).get(f"/staff{address(town)[7:]}").text
    assert "汤溪镇合计" in page
    village = people.system(Role.TOWN_STAFF, town.village_codes[0])
    assert village.get(address(town)).json["totals"] == []


def test_a_total_that_would_give_away_a_village_is_withheld(town: World, people: People) -> None:
    town.vote(["satisfied"] * 6)
    town.vote(["dissatisfied"] * 2, village=1)
    town.drain()
    client = people.system(Role.COUNTY_ADMIN, town.town_code)
    assert total_of(client, town)["score"] == "100.00"
    close(town)
    total = total_of(client, town)
    assert (total["status"], total["reason"], total["score"]) == ("suppressed", "complementary", None)
    assert (total["returned"], total["response_rate"]) == (8, "4.00")


def test_a_rated_party_sees_no_total(town: World, people: People) -> None:
    town.vote(["satisfied"] * 6)
    town.vote(["dissatisfied"] * 6, village=1)
    town.drain()
    close(town)
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    assert client.get(address(town)).json["totals"] == []


def test_a_small_class_is_named_and_not_shown(
    campaign_app: Flask, frozen_clock: None, people: People
) -> None:
    weights = {"class_weights": {"villager": Decimal(1), "party_member": Decimal(1)}}
    world = start_campaign(campaign_app, formula=FORMULA | weights)
    world.vote(["satisfied"] * 9)
    for code in world.issue(count=2, rater_class=RaterClass.PARTY_MEMBER):
        world.cast(world.open(code.code), {"overall": "dissatisfied"})
    world.drain()
    close(world)
    client = people.system(Role.COUNTY_ADMIN, world.town_code)
    detail = client.get(address(world, world.village_codes[0])).json
    assert ScoreDetail().validate(detail) == {}
    member = detail["by_class"]["party_member"]
    assert (member["returned"], member["n"], member["withheld"]) == (2, None, "small_cell")
    assert (detail["score"], detail["items"][0]["n"]["dissatisfied"]) == ("100.00", 0)
    browser = people.browser(Role.TOWN_STAFF, world.town_code)
    page = browser.get(f"/staff{address(world, world.village_codes[0])[7:]}").text
    assert "党员：票太少，为保护填写人，不公布。" in page


def test_a_secretary_waits_for_the_closing(town: World, people: People) -> None:
    town.vote(["satisfied"] * 6)
    town.vote(["satisfied"] * 6, village=1)
    town.drain()
    first, second = town.village_codes
    client = people.system(Role.BRANCH_SECRETARY, first)
    for place in (address(town), address(town, first)):
        assert (client.get(place).status_code, client.get(place).json["code"]) == (403, "not_released")
    close(town)
    [row] = scores_of(client, town)
    assert (row["organization_code"], row["score"]) == (first, "100.00")
    assert row["by_class"] is not None
    assert client.get(address(town, second)).status_code == 403


def with_households(app: Flask, number: int) -> World:
    """Start a campaign over one village of so many households."""
    world = start_campaign(app, villages=1, is_launched=False)
    with app.app_context(), app.extensions["database"].unit_of_work() as session:
        update_roster(session, code=world.village_codes[0], sizes={RosterSize.HOUSEHOLDS: number})
        launch_campaign(session, campaign_id=world.campaign_id, now=OPENS_AT)
    return world


@pytest.mark.parametrize(
    ("households", "returned", "is_parted"), [(9, 6, False), (12, 10, False), (12, 9, True)]
)
def test_a_secretary_sees_no_parts_that_would_name_those_who_stayed_away(
    campaign_app: Flask, frozen_clock: None, people: People, households: int, returned: int, is_parted: bool
) -> None:
    world = with_households(campaign_app, households)
    [code] = world.village_codes
    world.vote(["satisfied"] * returned)
    world.drain()
    close(world)
    client = people.system(Role.BRANCH_SECRETARY, code)
    [row] = scores_of(client, world)
    detail = client.get(address(world, code)).json
    assert row["score"] == detail["score"] == "100.00"
    shown = [row["by_class"], row["by_mode"], detail["trace"], detail["items"][0]["by_class"]]
    assert [one is not None for one in shown] == [is_parted] * 4


def test_one_subject_stands_with_its_items_and_its_trace(town: World, people: People) -> None:
    town.vote(GOLDEN)
    town.drain()
    answer = people.system(Role.TOWN_STAFF, town.town_code).get(address(town, town.village_codes[0]))
    assert ScoreDetail().validate(answer.json) == {}
    [item] = answer.json["items"]
    counts = {"satisfied": 20, "basically_satisfied": 4, "dissatisfied": 1, "not_informed": 2}
    assert (item["key"], item["score"], item["n"]) == ("overall", "94.20", counts)
    assert answer.json["trace"]["score"]["value"] == "471/5"
    assert len(answer.json["formula_hash"]) == 64


def test_one_subject_without_a_score_has_neither(town: World, people: People) -> None:
    client = people.system(Role.TOWN_STAFF, town.town_code)
    answer = client.get(address(town, town.village_codes[0])).json
    assert (answer["reason"], answer["items"], answer["trace"]) == ("no_ballots", None, None)


def test_what_is_outside_is_forbidden_and_what_is_not_there_is_not_found(
    town: World, elsewhere: World, people: People
) -> None:
    own = people.system(Role.TOWN_STAFF, town.town_code)
    other = people.system(Role.TOWN_STAFF, elsewhere.town_code)
    assert own.get(address(town, "nowhere")).status_code == 404
    assert own.get(address(town, elsewhere.village_codes[0])).status_code == 404
    assert own.get("/api/v1/campaigns/999999/scores").status_code == 404
    assert other.get(address(town)).status_code == 403
    assert other.get(address(town, town.village_codes[0])).status_code == 403


def test_more_villages_cost_no_more_queries(
    campaign_app: Flask, frozen_clock: None, people: People, count_queries: Counting
) -> None:
    numbers = []
    for villages in (2, 9):
        world = start_campaign(campaign_app, villages=villages)
        for village in range(villages):
            world.vote(["satisfied"] * 5, village=village)
        world.drain()
        client = people.system(Role.TOWN_STAFF, world.town_code)
        scores_of(client, world)
        with count_queries() as statements:
            assert len(scores_of(client, world)) == villages
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 7
