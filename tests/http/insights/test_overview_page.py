"""The page of the offices: warnings are ticked off, groups are joined, words are looked for."""

import re

from survey_service.opinions.rules import Level, State
from survey_service.staff.rules import Role
from tests.http.insights.conftest import Crowd
from tests.http.insights.test_insights import FIVE_LAMPS, HOUSE


def test_the_town_works_on_one_page(crowd: Crowd) -> None:
    crowd.write(HOUSE)
    lamps = crowd.write(*FIVE_LAMPS)
    crowd.report("举报村支书贪污路灯款")
    crowd.look()
    town = crowd.world.people.browser(Role.TOWN_STAFF, crowd.world.world.town_code)
    page = town.get("/staff/opinions/overview").text
    assert "涉及安全" in page
    assert "一周内多人反映同一件事" in page
    (warning,) = [
        item for item in crowd.items(crowd.world.county, "opinion-warnings") if item["kind"] == "safety"
    ]
    assert town.post(f"/staff/opinions/warnings/{warning['id']}", {}).status_code == 303
    assert "您已看过" in town.get("/staff/opinions/overview").text
    (group,) = crowd.items(crowd.world.county, "opinion-groups")
    chosen = {"opinion_ids": [str(one) for one in group["joinable"]]}
    assert town.post(f"/staff/opinions/groups/{group['first_id']}", chosen).status_code == 303
    assert [crowd.opinion(one).state for one in lamps].count(State.JOINED) == 4
    assert "找到 6 条" in town.get("/staff/opinions/search?words=路灯").text
    secretary = crowd.world.people.browser(Role.BRANCH_SECRETARY, crowd.villages[0])
    assert "没有找到" in secretary.get("/staff/opinions/search?words=路灯").text
    assert secretary.get("/staff/opinions/overview").status_code == 403
    assert town.get("/staff/opinions/search?words=路").status_code == 422


def test_the_head_of_every_page_counts_what_one_has_not_seen(crowd: Crowd) -> None:
    crowd.write(HOUSE)
    crowd.report("举报镇长，危房不管", about=Level.TOWN)
    crowd.look()
    people, world = crowd.world.people, crowd.world.world
    town = people.browser(Role.TOWN_STAFF, world.town_code)
    assert town.badges() == {"opinions": 1}
    assert people.browser(Role.COUNTY_ADMIN, crowd.world.county_code).badges() == {"opinions": 2}
    assert people.browser(Role.BRANCH_SECRETARY, crowd.villages[0]).badges() == {}
    (warning,) = re.findall(r"/staff/opinions/warnings/\d+", town.get("/staff/opinions/overview").text)
    assert town.follow(warning).status_code == 200
    assert town.badges() == {}
