"""Each of the five published systems from opening the cycle to the filed result, on pages; grades by hand."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from survey_service.core.db import Database
from survey_service.organizations.queries import list_ancestors
from survey_service.ratings import overview, rulings
from survey_service.staff.rules import Role
from survey_service.webhooks.models import WebhookDelivery
from tests.factories.campaigns import World, start_campaign
from tests.http.ratings.conftest import shares
from tests.http.reports.conftest import People
from tests.http.reports.rating_hands import Hands


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What is looked at here is the same on every database."""
    return sqlite_database


@pytest.fixture
def hands(campaign_app: Flask, frozen_clock: None, people: People) -> Hands:
    """A county over a town of thirteen villages; another town stands beside it."""
    start_campaign(campaign_app, villages=1)
    world = start_campaign(campaign_app, villages=13)
    return Hands(world, people, people.browser(Role.COUNTY_ADMIN, county_of(world)))


def county_of(world: World) -> str:
    with world.app.extensions["database"].reading() as session:
        return list_ancestors(session, path=world.staff.path)[0].code


def test_raoping_centre_star(hands: Hands) -> None:
    """90 = 27 + 27 + 36 has five stars; 89.5 is below the line; the review takes 15 off the third."""
    hands.open("raoping-centre-star", villages=3)
    phone = hands.secretary(0)
    page = phone.get(f"{hands.sheet(0)}").text
    assert "场地规范化建设水平" in page
    assert "乡镇考评" not in page
    hands.fill_in(
        0, {"site": "29", "operation": "28", "effect": "38"}, by="self", act="submit", browser=phone
    )
    assert "已经提交" in phone.get(hands.sheet(0)).text
    assert "已提交" in hands.county.get(f"{hands.address}/work").text
    hands.complete("self")
    for village, effect in enumerate(("36", "35.5", "36")):
        hands.fill_in(village, {"site": "27", "operation": "27", "effect": effect})
    hands.complete("town_assessment")
    hands.fill_in(2, {"effect": "21"}, by="county", **{"notes.effect": "活动室长期关门"})
    side_by_side = hands.county.get(hands.sheet(0)).text
    assert 'class="differs"' in side_by_side
    assert "有出入" in side_by_side
    assert hands.column("grade_proposed") == ["star5", "star4", "star3"]
    hands.complete("county_review", "filing")
    assert hands.column("grade_final") == ["star5", "star4", "star3"]
    assert hands.column("total") == ["90.00", "89.50", "75.00"]
    assert "全部步骤已经办完" in hands.county.get(f"{hands.address}/work").text


def test_shuocheng_secretary_star(hands: Hands) -> None:
    """54 + 16 + 19 = 89: three stars; X = 8 makes 97, five stars; less Y = 3 is 94, four."""
    hands.open("shuocheng-secretary-star", villages=4)
    points = dict.fromkeys(("leader", "income", "site", "rules", "service"), "18") | {"mass": "19"}
    for village in range(3):
        hands.fill_in(village, points, **{"choices.organisation": "fairly_good"})
    hands.note(1, "findings", **{"bonus.honour": "8"})
    hands.note(2, "findings", **{"bonus.honour": "8", "penalty.discipline": "3"})
    hands.note(3, "findings", excluded="任职不满一年")
    assert "任职不满一年" in hands.county.get(f"{hands.address}/work").text
    hands.complete("standards", "working_group", "opinions", "scoring", "appraisal", "star_rating")
    assert hands.column("grade_final") == ["star3", "star5", "star4", None]
    assert hands.column("total") == ["89.00", "97.00", "94.00", None]


BASE = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")


def test_feicheng_branch_star(hands: Hands) -> None:
    """95 has five stars, with a veto four; 95 on the spot confirmed, 80 in a school four.

    Rewards of a year for five and four stars in the country: 500 × 12 + 400 × 12 × 1, and 10,000 once.
    """
    hands.open("feicheng-branch-star", villages=4)
    for village in range(3):
        hands.fill_in(village, BASE | {"rural_effect": "35"})
    hands.note(3, "findings", field="school")
    hands.fill_in(3, BASE | {"field_effect": "20"})
    hands.note(1, "findings", findings=["organized_crime"], **{"note.organized_crime": "线索已查实"})
    assert hands.column("grade_by_score") == ["star5", "star5", "star5", "star4"]
    assert hands.column("grade_proposed") == ["star5", "star4", "star5", "star4"]
    hands.complete("self", "town_assessment")
    refused = hands.county.post(f"{hands.address}/steps/county_review", {})
    assert (refused.status_code, "没有实地核查记录" in refused.text) == (409, True)
    for village in (0, 2):
        hands.visit(village)
    decisions = hands.county.get(f"{hands.address}/decisions").text
    assert "不能评为：五星级" in decisions
    vetoed = f"{hands.address}/decisions/{hands.world.village_codes[1]}"
    answer = hands.county.post(vetoed, {"grade": "star5", "reason": "x"})
    assert (answer.status_code, "一票否决" in answer.text) == (422, True)
    hands.complete("county_review")
    running = hands.county.get(f"{hands.address}/notice").text
    assert "公示到 2026-11-26 24 时为止" in running
    assert "五星级 2 个　四星级 2 个" in running
    announced = hands.world.app.test_client().get(f"/n/{hands.cycle_id}")
    assert (announced.status_code, "五星级 2 个" in announced.text, "95.00" in announced.text) == (
        200,
        True,
        False,
    )
    code = hands.world.village_codes[2]
    hands.post("objections", organization_code=code, text="台账不实")
    early = hands.county.post(f"{hands.address}/steps/public_notice", {})
    assert (early.status_code, "到期以后才能结束" in early.text) == (409, True)
    hands.let_days_pass(6)
    late = hands.county.post(f"{hands.address}/objections", {"organization_code": code, "text": "晚了"})
    assert (late.status_code, "不再受理异议" in late.text) == (409, True)
    hands.post("objections/1", outcome="属实，降为四星级", grade="star4")
    hands.complete("public_notice", "filing")
    assert hands.world.app.test_client().get(f"/n/{hands.cycle_id}").status_code == 404
    assert hands.column("grade_final") == ["star5", "star4", "star4", "star4"]
    page = hands.county.get(hands.address).text
    assert "3 个，全年合计 15600.00 元" in page
    assert "1 个，全年合计 10000.00 元" in page
    hands.post(f"downgrades/{code}", grade="star3", trigger="petition", reason="信访举报查实")
    assert hands.column("grade_final")[2] == "star3"


TOTALS = (97, 93, 93, 91, "89.5", 89, 85, 82, "79.99", 75, 70, 62, 55)


def test_township_classification(hands: Hands) -> None:
    """Of 13 at most 2 are 好 (20 % is 2.6) and at least 2 较差 (10 % is 1.3).

    By score 4 are 好. The second place is tied at 93: the committee gives it to the third branch. 62 goes
    down to 较差 beside 55; 89.5 is below 90.
    """
    hands.open("township-classification", villages=13)
    for village, total in enumerate(TOTALS):
        hands.fill_in(village, shares(total))
    by_score = ["好"] * 4 + ["较好"] * 4 + ["一般"] * 4 + ["较差"]
    assert hands.column("grade_by_score") == by_score
    assert hands.column("needs_decision") == [False, True, True] + [False] * 10
    hands.complete("self", "mass_evaluation", "summary", "town_assessment")
    refused = hands.county.post(f"{hands.address}/steps/county_review", {})
    assert (refused.status_code, "正好在名额线上" in refused.text) == (409, True)
    without = hands.county.post(
        f"{hands.address}/decisions/{hands.world.village_codes[1]}", {"grade": "较好"}
    )
    assert (without.status_code, "请写明理由" in without.text) == (422, True)
    hands.decide(1, "较好", "集体收入较低")
    hands.decide(2, "好", "现场核查后集体决定")
    hands.complete("county_review")
    expected = ["好", "较好", "好"] + ["较好"] * 5 + ["一般"] * 3 + ["较差"] * 2
    assert hands.column("grade_final") == expected


def test_the_second_of_two_committee_members_sees_what_the_first_has_decided(hands: Hands) -> None:
    hands.open("raoping-centre-star", villages=1)
    assert "一个名额也没有" not in hands.county.get(f"{hands.address}/work").text
    hands.fill_in(0, {"site": "27", "operation": "27", "effect": "36"})
    hands.complete("self", "town_assessment")
    other = hands.people.browser(Role.COUNTY_ADMIN, hands.world.town_code)
    address = f"{hands.address}/decisions"
    for browser in (hands.county, other):
        browser.get(address)
    hands.decide(0, "star4", "核查发现活动少")
    place = f"{address}/{hands.world.village_codes[0]}"
    second = other.post(place, {"grade": "star3", "reason": "另有意见"})
    assert second.status_code == 403, "the cycle belongs to the county"
    second = hands.county.post(place, {"grade": "star3", "reason": "另有意见"})
    assert second.status_code == 409
    assert "另一位同志刚刚作了决定" in second.text
    assert "已决定：四星级" in second.text
    hands.decide(0, "star3", "另有意见", replaces="1")
    hands.complete("county_review")
    assert hands.column("grade_final") == ["star3"]


def test_a_share_that_leaves_nobody_is_told(hands: Hands) -> None:
    hands.open("township-classification", villages=3)
    assert "参评只有 3 个，按比例“好”一个名额也没有。" in hands.county.get(f"{hands.address}/work").text


CHECKS = ["politics", "organization", "team", "service", "rules", "guarantee"]


def test_fuzhou_standard(hands: Hands) -> None:
    """All six aspects are the standard; five of six are 83.33 and not."""
    hands.open("fuzhou-standard", villages=3)
    given: tuple[Any, ...] = (CHECKS, CHECKS[:5], ["-"])
    for village, passed in enumerate(given):
        form = {"shown.village_standard": "1", "checks.village_standard": passed}
        hands.fill_in(village, {}, **form)
    hands.complete("self", "town_assessment", "county_review", "filing")
    assert hands.column("grade_final") == ["met", "not_met", "not_met"]
    assert hands.column("total") == ["100.00", "83.33", "0.00"]
    decided = hands.county.get(f"{hands.address}/decisions").text
    assert ("等次已经定了" in decided, "降级" in decided) == (True, False), "no trigger lowers a grade here"


def test_the_last_step_on_a_page_sends_the_signed_grades(hands: Hands) -> None:
    county = county_of(hands.world)
    wanted = {"title": "市平台", "url": "https://1.1.1.1/grades", "topics": ["rating.published"]}
    system = hands.people.system(Role.COUNTY_ADMIN, county, name="platform")
    assert system.post("/api/v1/webhooks", json={"organization_code": county} | wanted).status_code == 201
    hands.open("raoping-centre-star", villages=1)
    hands.fill_in(0, {"site": "27", "operation": "27", "effect": "36"})
    hands.complete("self", "town_assessment", "county_review")
    with hands.world.app.extensions["database"].reading() as session:
        assert session.scalars(select(WebhookDelivery.body)).all() == []
    hands.complete("filing")
    with hands.world.app.extensions["database"].reading() as session:
        [body] = session.scalars(select(WebhookDelivery.body))
    assert json.loads(body)["data"]["document"]["grades"][0]["grade"] == "star5"


def test_a_large_cycle_is_decided_and_announced_page_by_page(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five branches, two a page; three were moved off their band, and two of them are shown at once."""
    monkeypatch.setattr(overview, "PAGE_SIZE", 2)
    monkeypatch.setattr(rulings, "MOST_ASKING", 2)
    hands.open("feicheng-branch-star", villages=5)
    codes = hands.world.village_codes
    for village in range(5):
        hands.fill_in(village, BASE | {"rural_effect": "25"})
    for village in (0, 1, 4):
        hands.note(village, "findings", findings=["inspection_problem"])
    hands.complete("self", "town_assessment", "county_review")

    def asking(query: str = "") -> list[str]:
        page = hands.county.get(f"{hands.address}/decisions{query}").text
        return [code for code in codes if f'id="subject-{code}"' in page]

    def pages(place: str) -> list[str]:
        """Return the pages of a list, as their links lead from one to the next."""
        address = f"{hands.address}/{place}"
        found = [hands.county.get(address).text]
        while after := re.search(rf'"{address}(\?after=\d+)"', found[-1]):
            found.append(hands.county.get(address + after[1]).text)
        return found

    assert asking() == [codes[0], codes[1]]
    assert codes[4] in asking(f"?subject={codes[4]}")
    assert len(pages("decisions")) == 3
    looked_for = hands.county.get(f"{hands.address}/decisions?words=第5村").text
    assert [code for code in codes if f"?subject={code}#" in looked_for] == [codes[4]]
    announced = pages("notice")
    assert ["四星级 2 个　三星级 3 个" in page for page in announced] == [True] * 3
    assert [[code for code in codes if code in page] for page in announced] == [
        codes[:2],
        codes[2:4],
        codes[4:5],
    ]
