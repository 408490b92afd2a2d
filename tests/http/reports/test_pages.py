"""What each role finds on the pages, and what all pages have in common."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World, start_campaign
from tests.http.reports.conftest import Browser, People

Counting = Callable[[], AbstractContextManager[list[str]]]

ABOVE = {Role.COUNTY_ADMIN, Role.TOWN_STAFF}
READERS = ABOVE | {Role.AUDITOR}
BUSINESS = READERS | {Role.BRANCH_SECRETARY}
ADMINISTRATORS = {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}
PAGES = {
    "/staff/campaigns": BUSINESS,
    "/staff/campaigns/new": ABOVE,
    "/staff/campaigns/{id}": BUSINESS,
    "/staff/campaigns/{id}/scores": ABOVE,
    "/staff/campaigns/{id}/scores/{village}": ABOVE,
    "/staff/campaigns/{id}/entrances": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/campaigns/{id}/codes": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/campaigns/{id}/method": BUSINESS,
    "/staff/campaigns/{id}/copy": ABOVE,
    "/staff/campaigns/{id}/correct": ABOVE,
    "/staff/campaigns/{id}/anomalies": ABOVE,
    "/staff/campaigns/{id}/paper": ABOVE,
    "/staff/campaigns/{id}/close": ABOVE,
    "/staff/campaigns/{id}/seal": ABOVE,
    "/staff/campaigns/{id}/withdraw": ABOVE,
    "/staff/campaigns/{id}/launch": ABOVE,
    "/staff/campaigns/{id}/edit": ABOVE,
    "/staff/campaigns/{id}/panel-codes/{village}": ABOVE,
    "/staff/questionnaires/new": ABOVE,
    "/staff/organizations": set(Role),
    "/staff/organizations/import": ABOVE | {Role.SYSTEM_ADMIN},
    "/staff/accounts": READERS | ADMINISTRATORS,
    "/staff/accounts/new": ABOVE | {Role.SYSTEM_ADMIN},
    "/staff/password": set(Role),
    "/staff/opinions": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/opinions/new": ABOVE,
    "/staff/opinions/overview": ABOVE,
    "/staff/opinions/search": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/opinions/boxes": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/visits": ABOVE,
    "/staff/unlock": set(Role),
    "/staff/ratings": BUSINESS,
    "/staff/ratings/new": ABOVE,
    "/staff/webhooks": {Role.COUNTY_ADMIN},
    "/staff/clear-letters": BUSINESS,
    "/staff/clear-letters/new": ABOVE | {Role.BRANCH_SECRETARY},
    "/staff/clear-letters/new?organization={village}": ABOVE | {Role.BRANCH_SECRETARY},
}
"""Every page with the roles that may open it while the campaign is running."""

INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]* src=)|javascript:")


def place_of(role: Role, town: World) -> str:
    return town.village_codes[0] if role is Role.BRANCH_SECRETARY else town.town_code


def open_all(browser: Browser, town: World) -> dict[str, tuple[int, str]]:
    """Return status and text of every page."""
    values = {"id": town.campaign_id, "village": town.village_codes[0]}
    answers = {page: browser.get(page.format(**values)) for page in PAGES}
    return {page: (answer.status_code, answer.text) for page, answer in answers.items()}


@pytest.fixture
def voted(town: World) -> World:
    """A town in which both villages have ballots of every mode, and one of them a score."""
    town.vote(["satisfied"] * 6 + ["basically_satisfied", "dissatisfied", "not_informed"])
    town.vote(["satisfied"] * 2, village=1)
    town.issue(Mode.OPEN)
    town.issue(Mode.PANEL, count=2)
    town.drain()
    return town


@pytest.mark.parametrize("role", list(Role))
def test_every_page_opens_for_whom_it_is(voted: World, people: People, role: Role) -> None:
    pages = open_all(people.browser(role, place_of(role, voted)), voted)
    opened = {page for page, (status, _) in pages.items() if status == 200}
    refused = {page for page, (status, _) in pages.items() if status == 403}
    assert opened == {page for page, roles in PAGES.items() if role in roles}
    assert opened | refused == set(PAGES)


def test_no_page_holds_a_script_or_a_style_of_its_own(voted: World, people: People) -> None:
    pages = open_all(people.browser(Role.TOWN_STAFF, voted.town_code), voted)
    assert {page for page, (_, text) in pages.items() if INLINE.search(text)} == set()


def test_what_a_role_cannot_do_is_not_offered(voted: World, people: People) -> None:
    secretary = people.browser(Role.BRANCH_SECRETARY, voted.village_codes[0])
    pages = open_all(secretary, voted)
    seen = "".join(text for status, text in pages.values() if status == 200)
    for words in (
        "新建测评",
        "结束测评",
        "导入组织",
        "下载入户码",
        "查看邀请码",
        "生成入口",
        "得分</a>",
        "/accounts",
    ):
        assert words not in seen, words
    assert "下载海报" in seen
    assert "第2村" not in seen
    assert "分票种" not in pages["/staff/campaigns/{id}"][1]
    auditor = people.browser(Role.AUDITOR, voted.town_code)
    seen = "".join(text for status, text in open_all(auditor, voted).values() if status == 200)
    for words in ("新建测评", "结束测评", "导入组织", "新建账号", "重置密码", "入口与海报</a>", "得分</a>"):
        assert words not in seen, words


def test_a_secretary_reads_the_own_score_after_the_closing(voted: World, people: People) -> None:
    with voted.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=voted.campaign_id, now=NOW)
    voted.drain()
    browser = people.browser(Role.BRANCH_SECRETARY, voted.village_codes[0])
    page = browser.get(f"/staff/campaigns/{voted.campaign_id}/scores")
    assert ("91.25" in page.text, "第2村" in page.text, "汇总表" in page.text) == (True, False, False)
    other = browser.get(f"/staff/campaigns/{voted.campaign_id}/scores/{voted.village_codes[1]}")
    assert (other.status_code, "没有这项权限" in other.text) == (403, True)


def test_a_village_above_nothing_cannot_open_codes(voted: World, people: People) -> None:
    outside = start_campaign(voted.app, villages=1)
    browser = people.browser(Role.TOWN_STAFF, outside.town_code)
    values = {"id": voted.campaign_id, "village": voted.village_codes[0]}
    for page in PAGES:
        if "{id}" in page:
            assert browser.get(page.format(**values)).status_code == 403, page


def test_statuses_are_said_in_words(voted: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, voted.town_code)
    page = browser.get(f"/staff/campaigns/{voted.campaign_id}/scores").text
    assert "91.25" in page
    assert "计分的票不足 5 张，为保护填写人，不公布结果。" in page
    assert page.index("第1村") < page.index("第2村")


def test_a_subject_s_page_shows_how_the_score_came_about(voted: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, voted.town_code)
    code = voted.village_codes[0]
    page = browser.get(f"/staff/campaigns/{voted.campaign_id}/scores/{code}").text
    assert "100 × (满意 6 × 1 + 基本满意 1 × 0.75 + 不满意 1 × 0.55) ÷ 8" in page
    assert "入户码：收回 9 张，发出 9 张，没有超出。" in page
    assert "保留两位小数：91.25 分。" in page
    assert f"/api/v1/campaigns/{voted.campaign_id}/scores/{code}" in page


@pytest.mark.parametrize(
    "page", ["/staff/campaigns", "/staff/campaigns/{id}", "/staff/campaigns/{id}/entrances"]
)
def test_more_villages_cost_no_more_queries(
    campaign_app: Flask, frozen_clock: None, people: People, count_queries: Counting, page: str
) -> None:
    numbers = []
    for villages in (1, 6):
        world = start_campaign(campaign_app, villages=villages)
        for village in range(villages):
            world.vote(["satisfied"] * 2, village=village)
        world.drain()
        browser = people.browser(Role.TOWN_STAFF, world.town_code)
        with count_queries() as statements:
            answer = browser.get(page.format(id=world.campaign_id))
        assert answer.status_code == 200
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] <= 14


def test_the_parts_of_a_panel_stand_in_the_order_of_the_glossary(
    campaign_app: Flask, frozen_clock: None, people: People
) -> None:
    weights = {"villager": 1, "veteran_cadre": 1, "party_member": 1}
    world = start_campaign(campaign_app, villages=1, formula={"class_weights": weights})
    for rater_class in (RaterClass.VETERAN_CADRE, RaterClass.PARTY_MEMBER, RaterClass.VILLAGER):
        issued = world.issue(Mode.PANEL, count=5, rater_class=rater_class)
        for one in issued:
            world.cast(world.open(one.code))
    world.drain()
    browser = people.browser(Role.TOWN_STAFF, world.town_code)
    page = browser.get(f"/staff/campaigns/{world.campaign_id}").text
    assert page.index("村（居）民") < page.index("党员</th>") < page.index("老干部")
