"""Bad networks: whatever happens on the way, one ballot arrives and nothing is left on the phone."""

import re
from dataclasses import replace

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.h5.pages import BallotPage, Step
from tests.h5.phone import (
    ENDLESS_PAUSES,
    FORM,
    HELD_PAUSES,
    SHORT_PAUSES,
    answer_all,
    end_pause,
    expect_pending,
    expect_receipt,
    pauses,
    remembered,
    submit,
    vote,
)
from tests.h5.site import DROPPED, Reply, VoterSite, problem

SECRET = re.compile(r"[A-Za-z0-9_-]{22,}")
ANSWERS = {f"i{number}": "satisfied" for number in range(1, 8)}
PORTAL = Reply(200, "<html>please log in</html>")
FORBIDDING_STORAGE = """
    Object.defineProperty(window, "localStorage", {get() { throw new DOMException("no", "SecurityError"); }});
"""


def secrets(site: VoterSite) -> list[str]:
    return [ballot["secret"] for ballot in site.ballots]


def test_a_ballot_is_sent_and_forgotten(page: Page, site: VoterSite) -> None:
    vote(page)
    expect_receipt(page)
    [ballot] = site.ballots
    assert ballot["answers"] == ANSWERS
    assert ballot["ticket"] == "ticket-1"
    assert SECRET.fullmatch(ballot["secret"])
    assert remembered(page) == {}


def test_it_is_saved_before_it_is_sent(page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    expect_pending(page)
    saved = remembered(page)["ballot-queue:ticket-1"]
    assert saved == {
        **site.ballots[0],
        "page_url": FORM,
        "api_url": f"/api/v1/entrances{FORM[2:]}/ballots",
    }


@pytest.mark.parametrize(
    "reply",
    [
        DROPPED,
        PORTAL,
        Reply(404, "<html>not found</html>"),
        Reply(201, '{"welcome": true}'),
        problem(429, "slow_down"),
        problem(500, "internal"),
    ],
    ids=["dropped", "portal", "foreign_404", "no_receipt", "slow_down", "internal"],
)
def test_it_is_sent_again_with_the_same_secret(page: Page, site: VoterSite, reply: Reply) -> None:
    page.add_init_script(SHORT_PAUSES)
    site.replies.append(reply)
    vote(page)
    expect_receipt(page)
    assert len(site.ballots) == 2
    assert site.ballots[0] == site.ballots[1]
    assert remembered(page) == {}


def test_a_used_secret_is_replaced(page: Page, site: VoterSite) -> None:
    page.add_init_script(SHORT_PAUSES)
    site.replies.append(problem(409, "secret_in_use"))
    vote(page)
    expect_receipt(page)
    assert len(set(secrets(site))) == 2


def test_the_pause_that_the_service_asks_for_is_kept(page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(Reply(503, problem(503, "unavailable").body, {"Retry-After": "30"}))
    vote(page)
    expect_pending(page)
    [pause] = pauses(page)
    assert 30_000 <= pause <= 45_000
    page.evaluate("window.dispatchEvent(new Event('online')); fetch('/others')")
    assert len(site.ballots) == 1


def test_the_pauses_grow(page: Page, site: VoterSite) -> None:
    page.add_init_script(SHORT_PAUSES)
    site.replies.extend([DROPPED] * 9)
    vote(page)
    expect_receipt(page)
    shortest = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 120_000, 120_000]
    for pause, least in zip(pauses(page), shortest, strict=True):
        assert least <= pause <= 1.5 * least


def test_it_goes_out_when_the_network_is_back(phone: BrowserContext, page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    page.goto(FORM)
    answer_all(page)
    phone.set_offline(True)
    submit(page)
    expect_pending(page)
    assert site.ballots == []
    phone.set_offline(False)
    expect_receipt(page)


def test_a_person_can_try_at_once(page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    page.get_by_role("button", name="马上再试").tap()
    expect_receipt(page)


@pytest.mark.parametrize("path", ["/message/closed", "/others", "/r/1111111111111"])
def test_any_page_sends_what_is_left(phone: BrowserContext, page: Page, site: VoterSite, path: str) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    expect_pending(page)
    page.close()
    later = phone.new_page()
    later.goto(path)
    expect(later.locator(".banner")).to_contain_text("已经送达")
    expect(later.locator(".banner").get_by_role("link")).to_have_attribute("href", "/r/7K2M9QXW3FHTP")
    assert site.ballots[0] == site.ballots[1]
    assert remembered(later) == {}


def test_the_form_opened_again_leads_to_the_receipt(
    phone: BrowserContext, page: Page, site: VoterSite
) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    expect_pending(page)
    page.close()
    later = phone.new_page()
    later.goto(FORM)
    expect_receipt(later)


def test_somebody_else_is_not_disturbed(phone: BrowserContext, page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.extend([DROPPED, DROPPED])
    vote(page)
    expect_pending(page)
    page.close()
    later = phone.new_page()
    later.add_init_script(SHORT_PAUSES)
    later.goto("/s/ANOTHERCODE11")
    answer_all(later)
    expect(later.locator(".banner")).to_contain_text("已经送达")
    assert later.url.endswith("/s/ANOTHERCODE11")


def test_two_tabs_send_the_same_ballot(phone: BrowserContext, page: Page, site: VoterSite) -> None:
    page.add_init_script(HELD_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    expect_pending(page)
    other = phone.new_page()
    other.goto("/message/closed")
    expect(other.locator(".banner")).to_contain_text("已经送达")
    end_pause(page)
    expect_receipt(page)
    assert len(site.ballots) == 3
    assert len(set(secrets(site))) == 1
    assert remembered(page) == {}


def test_two_taps_send_one_ballot(page: Page, site: VoterSite) -> None:
    page.goto(FORM)
    answer_all(page)
    page.evaluate("""() => {
        const button = document.querySelector("[type=submit]");
        button.click(); button.click(); button.click();
    }""")
    expect_receipt(page)
    assert len(site.ballots) == 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "malformed"),
        (404, "unknown_entrance"),
        (409, "different_answers"),
        (410, "closed"),
        (413, "too_large"),
    ],
)
def test_a_final_answer_is_told_and_ends_it(page: Page, site: VoterSite, status: int, code: str) -> None:
    site.replies.append(problem(status, code, "这是最后的说明"))
    vote(page)
    expect(page.locator("[data-sending]").get_by_text("这是最后的说明")).to_be_visible()
    expect(page.get_by_role("link", name="重新打开填写页")).to_be_visible()
    assert remembered(page) == {}
    assert len(site.ballots) == 1


def test_whoever_has_voted_is_led_to_the_other_ways(page: Page, site: VoterSite) -> None:
    """One handset, three generations: the household's code, a visit, paper; or "this was not me"."""
    site.replies.append(problem(409, "already_submitted", "已经投过"))
    site.page = replace(site.page, others_url="")
    vote(page)
    for way in ("用信上的参评码填", "请镇上的工作人员上门", "要一张纸质测评表来填"):
        expect(page.locator("[data-part=ways]").get_by_text(way)).to_be_visible()
    expect(page.get_by_role("button", name="这不是我投的")).to_be_visible()
    expect(page.get_by_role("link", name="重新打开填写页")).to_be_hidden()


def test_a_panel_member_is_led_on_to_the_next_subject(page: Page, site: VoterSite) -> None:
    site.page = replace(site.page, step=Step(organization_code="42", receipt_url="/r/"))
    site.replies.append(problem(409, "already_submitted", "已经投过"))
    vote(page)
    expect(page.get_by_role("link", name="重新打开填写页")).to_be_visible()
    expect(page.locator("[data-part=ways]")).to_be_hidden()
    assert site.ballots[0]["organization_code"] == "42"


def test_a_final_answer_to_an_earlier_ballot_is_told(
    phone: BrowserContext, page: Page, site: VoterSite
) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.extend([DROPPED, problem(410, "closed", "已经结束了")])
    vote(page)
    expect_pending(page)
    page.close()
    later = phone.new_page()
    later.goto("/others")
    expect(later.locator(".banner")).to_contain_text("有 1 份没有被接收：已经结束了")
    assert remembered(later) == {}


def test_an_old_page_keeps_the_draft(page: Page, site: VoterSite) -> None:
    site.replies.append(problem(403, "bad_ticket", "这一页放得太久了"))
    vote(page)
    page.get_by_role("link", name="重新打开填写页").tap()
    page.get_by_role("button", name="继续上次").tap()
    submit(page)
    expect_receipt(page)
    assert site.ballots[1]["answers"] == ANSWERS
    assert site.ballots[1]["ticket"] == "ticket-2"
    assert remembered(page) == {}


def test_what_the_service_finds_wrong_is_shown(page: Page, site: VoterSite) -> None:
    site.replies.append(problem(422, "invalid_answers", errors={"i2": ["选项不对"], "other": ["还有别的"]}))
    vote(page)
    summary = page.locator("[data-errors]")
    expect(summary).to_be_focused()
    expect(summary).to_contain_text("工作思路：选项不对")
    expect(summary).to_contain_text("还有别的")
    expect(page.locator("#e-i2")).to_have_text("选项不对")
    assert list(remembered(page)) == ["ballot-draft:ticket-1"]
    submit(page)
    expect_receipt(page)


def test_signing_in_keeps_the_ballot(page: Page, site: VoterSite) -> None:
    site.replies.append(problem(401, "sign_in_required", sign_in_url="/message/bad_ticket"))
    vote(page)
    expect_receipt_link_after_sign_in(page)
    assert site.ballots[0] == site.ballots[1]


def expect_receipt_link_after_sign_in(page: Page) -> None:
    page.wait_for_url("**/message/bad_ticket")
    expect(page.locator(".banner").get_by_role("link")).to_have_text("查看回执")


def test_one_code_for_several_subjects(phone: BrowserContext, page: Page, site: VoterSite) -> None:
    page.add_init_script(ENDLESS_PAUSES)
    site.page = BallotPage(step=Step(organization_code="330702104201"))
    site.replies.append(DROPPED)
    vote(page, "/s/7K2M9QXW3FHTP?organization_code=330702104201")
    expect_pending(page)
    assert site.ballots[0]["organization_code"] == "330702104201"
    later = phone.new_page()
    later.goto("/s/7K2M9QXW3FHTP?organization_code=330702104202")
    expect(later.locator(".banner")).to_contain_text("已经送达")


def test_a_phone_that_keeps_nothing_still_votes(page: Page, site: VoterSite) -> None:
    page.add_init_script(FORBIDDING_STORAGE)
    page.add_init_script(ENDLESS_PAUSES)
    site.replies.append(DROPPED)
    vote(page)
    expect(page.get_by_text("请先不要关掉本页")).to_be_visible()
    page.get_by_role("button", name="马上再试").tap()
    expect_receipt(page)
    assert site.ballots[0] == site.ballots[1]
