"""The pages of paper as a browser without scripts goes through them."""

import pytest

from survey_service.core.db import Database
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import Browser, People
from tests.support.pdf import codes_on

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What the pages show is the same on both engines."""
    return sqlite_database


@pytest.fixture
def office(world: World, people: People, county_code: str) -> list[Browser]:
    """Two people, one of the town and one of the county."""
    return [
        people.browser(Role.TOWN_STAFF, world.town_code),
        people.browser(Role.COUNTY_ADMIN, county_code),
    ]


def board(world: World) -> str:
    return f"/staff/campaigns/{world.campaign_id}/paper"


def open_batch(world: World, browser: Browser, mode: str = "paper") -> str:
    """Open a batch through its form, and return its address."""
    browser.get(board(world))
    fields = {"organization_code": world.village_codes[0], "rater_class": "villager", "issued": "30"}
    answer = browser.post(board(world), fields | {"mode": mode})
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def key(browser: Browser, address: str, lines: list[str], act: str = "finish") -> str:
    browser.get(address)
    return str(browser.follow(address, {"line": lines, "act": act}).text)


def test_two_people_key_a_batch_and_it_is_closed(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    codes = [one.code for one in world.issue(count=6)]
    for look, browser in zip(("first", "second"), office, strict=True):
        key(browser, f"{batch}/stubs/{look}", codes)
        shown = key(browser, f"{batch}/ballots/{look}", ["1", "1", "2", "3", "9", "0"])
    assert shown.count("一致") == 2
    office[0].get(batch)
    done = office[0].follow(f"{batch}/end", {"act": "close"}).text
    assert "已结清" in done
    assert "收回 6" in done
    assert "废票 1" in done
    assert "<rect" in done, "a bar stands beside the numbers"


def test_a_bundle_is_saved_and_the_next_one_follows(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    shown = key(office[0], f"{batch}/ballots/first", ["1"] * 50, act="next")
    assert "第 2 沓" in shown
    assert 'start="51"' in shown
    kept = office[0].get(f"{batch}/ballots/first").text
    assert kept.count('value="1"') >= 50


def test_a_wrong_key_is_shown_beside_its_line(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    office[0].get(f"{batch}/ballots/first")
    answer = office[0].post(f"{batch}/ballots/first", {"line": ["1", "8", "1"]})
    assert answer.status_code == 422
    assert "第 1 项没有这个选项" in answer.text
    assert answer.text.count('aria-invalid="true"') == 1


def test_differences_are_settled_with_somebody_else(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    key(office[0], f"{batch}/ballots/first", ["1", "2"])
    shown = key(office[1], f"{batch}/ballots/second", ["1", "3"])
    assert "有 1 处不同" in shown
    shown = office[0].follow(f"{batch}/ballots/settlement", {"line-2": "3"}).text
    assert "等另一位同志确认" in shown
    assert "我看过纸质票" not in shown, "nobody confirms himself"
    assert "我看过纸质票" in office[1].get(batch).text
    shown = office[1].follow(f"{batch}/ballots/settlement", {"act": "confirm"}).text
    assert "一致" in shown


def test_nobody_sees_what_the_other_keys(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    key(office[0], f"{batch}/ballots/first", ["1", "2"], act="next")
    assert office[1].get(f"{batch}/ballots/first").status_code == 409
    assert 'value="2"' not in office[1].get(f"{batch}/ballots/second").text


def test_a_meeting_is_keyed_in_cells(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0], mode="paper_total")
    sheet = {"cell-0": ["28"], "cell-1": ["20", "4", "1", "2", "0", "1"], "act": "finish"}
    for look, browser in zip(("first", "second"), office, strict=True):
        assert "基本满意" in browser.get(f"{batch}/totals/{look}").text
        shown = browser.follow(f"{batch}/totals/{look}", sheet).text
    assert "一致" in shown
    assert "收回 28" in office[1].follow(f"{batch}/end", {"act": "close"}).text
    assert "废票 1" in office[1].get(batch).text


def test_a_batch_is_given_up_with_a_reason(world: World, office: list[Browser]) -> None:
    batch = open_batch(world, office[0])
    office[0].get(batch)
    assert office[0].post(f"{batch}/end", {"act": "discard", "reason": " "}).status_code == 422
    assert "拿错了" in office[0].follow(f"{batch}/end", {"act": "discard", "reason": "拿错了"}).text


def test_printed_ballots_have_a_code_on_the_stub_alone(world: World, office: list[Browser]) -> None:
    codes = {one.code for one in world.issue(count=3)}
    office[0].get(board(world))
    fields = {"organization_code": world.village_codes[0], "rater_class": "villager", "mode": "household"}
    answer = office[0].post(f"/staff/campaigns/{world.campaign_id}/paper-ballots", fields)
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    for dpi in (150, 300):
        first, second = codes_on(answer.data, dpi)
        assert {address.rpartition("/")[2] for address in first | second} == codes
    none = office[0].post(f"/staff/campaigns/{world.campaign_id}/paper-ballots", fields | {"mode": "panel"})
    assert none.status_code == 409


def test_a_secretary_has_no_such_page(world: World, people: People) -> None:
    browser = people.browser(Role.BRANCH_SECRETARY, world.village_codes[0])
    assert browser.get(board(world)).status_code == 403
    assert "/paper" not in browser.get(f"/staff/campaigns/{world.campaign_id}").text
