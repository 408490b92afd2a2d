"""The form itself: checks, drafts, conditional items, and the same page without scripts."""

import re
import time

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.h5.pages import ALL_KINDS, BallotPage, Failure
from tests.h5.phone import FORM, answer_all, choose, expect_receipt, remembered, submit
from tests.h5.site import VoterSite
from tests.support.patience import PATIENCE_SECONDS

DAY_MS = 24 * 60 * 60 * 1000


def answer_all_kinds(page: Page) -> None:
    choose(page, "overall", "dissatisfied")
    choose(page, "why", "roads")
    choose(page, "why", "money")
    choose(page, "team.work", "satisfied")
    choose(page, "team.fair", "not_informed")
    page.get_by_label("今年参加过几次会").fill("１２")
    page.get_by_label("意见建议").fill(" 路灯坏了 ")


def test_every_kind_is_sent_as_the_contract_says(page: Page, site: VoterSite) -> None:
    site.items = ALL_KINDS
    page.goto(FORM)
    answer_all_kinds(page)
    submit(page)
    expect_receipt(page)
    assert site.ballots[0]["answers"] == {
        "overall": "dissatisfied",
        "why": ["roads", "money"],
        "team": {"work": "satisfied", "fair": "not_informed"},
        "meetings": "12",
        "remark": "路灯坏了",
    }


def test_hidden_items_are_not_sent(page: Page, site: VoterSite) -> None:
    site.items = ALL_KINDS
    page.goto(FORM)
    expect(page.get_by_text("哪些方面不满意")).to_be_hidden()
    answer_all_kinds(page)
    choose(page, "overall", "satisfied")
    expect(page.get_by_text("哪些方面不满意")).to_be_hidden()
    submit(page)
    expect_receipt(page)
    assert "why" not in site.ballots[0]["answers"]


def test_missing_answers_are_listed_and_led_to(page: Page, site: VoterSite) -> None:
    page.goto(FORM)
    answer_all(page)
    page.evaluate("document.querySelectorAll('[name=i3]').forEach((input) => { input.checked = false; })")
    submit(page)
    summary = page.locator("[data-errors]")
    expect(summary).to_be_focused()
    summary.get_by_role("link", name="工作制度：这一题还没有选").tap()
    expect(page.locator("[name=i3]").first).to_be_focused()
    expect(page.locator("#q-i3 legend")).to_be_in_viewport()
    choose(page, "i3", "satisfied")
    expect(page.locator("#e-i3")).to_be_hidden()
    submit(page)
    expect_receipt(page)
    assert len(site.ballots) == 1


@pytest.mark.parametrize(("typed", "message"), [("abc", "请填一个数字"), ("100", "请填 0 到 99 之间的数字")])
def test_numbers_are_checked(page: Page, site: VoterSite, typed: str, message: str) -> None:
    site.items = ALL_KINDS
    page.goto(FORM)
    answer_all_kinds(page)
    page.get_by_label("今年参加过几次会").fill(typed)
    submit(page)
    expect(page.locator("#e-meetings")).to_have_text(message)


def test_too_many_choices_are_told(page: Page, site: VoterSite) -> None:
    site.items = ALL_KINDS
    page.goto(FORM)
    answer_all_kinds(page)
    choose(page, "why", "water")
    submit(page)
    expect(page.locator("#e-why")).to_have_text("最多选 2 项")


def test_the_errors_of_the_service_have_the_focus(page: Page, site: VoterSite) -> None:
    site.page = BallotPage(errors=(Failure("i1", "这一题还没有选"),))
    page.goto(FORM)
    expect(page.locator("[data-errors]")).to_be_focused()
    expect(page.locator("#e-i1")).to_be_visible()


def test_progress_counts_required_questions(page: Page) -> None:
    page.goto(FORM)
    progress = page.locator(".progress")
    expect(progress).to_have_text("已答 0/7")
    choose(page, "i1", "satisfied")
    expect(progress).to_have_text("已答 1/7")
    answer_all(page)
    expect(progress).to_have_text("必答题都答完了，可以提交")


def test_the_counter_counts(page: Page) -> None:
    page.goto(FORM)
    page.get_by_label("意见建议").fill("路灯")
    expect(page.locator(".counter")).to_have_text("已写 2 字，最多 500 字")


def expect_kept(page: Page, keys: list[str]) -> None:
    """Wait for it: drafts are saved with a short delay. The page's policy forbids `wait_for_function`."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while list(remembered(page)) != keys and time.monotonic() < deadline:
        page.wait_for_timeout(50)
    assert list(remembered(page)) == keys


def begin(page: Page) -> None:
    page.goto(FORM)
    choose(page, "i1", "dissatisfied")
    page.get_by_label("意见建议").fill("路灯")
    expect_kept(page, ["ballot-draft:ticket-1"])


def test_a_draft_shows_nothing_before_it_is_taken_up(page: Page) -> None:
    begin(page)
    page.goto(FORM)
    expect(page.locator("[name=i1]:checked")).to_have_count(0)
    expect(page.get_by_label("意见建议")).to_have_value("")
    page.get_by_role("button", name="继续上次").tap()
    expect(page.locator("[name=i1]:checked")).to_have_value("dissatisfied")
    expect(page.get_by_label("意见建议")).to_have_value("路灯")
    expect_kept(page, ["ballot-draft:ticket-2"])


def test_somebody_else_starts_afresh(page: Page) -> None:
    begin(page)
    page.goto(FORM)
    page.get_by_role("button", name="换人填写").tap()
    expect(page.locator("[data-draft]")).to_be_hidden()
    assert remembered(page) == {}


def test_a_draft_belongs_to_its_code(page: Page, site: VoterSite) -> None:
    begin(page)
    site.page = BallotPage(code="ANOTHERCODE11")
    page.goto("/s/ANOTHERCODE11")
    expect(page.locator("[data-draft]")).to_be_hidden()


def test_a_draft_lives_for_a_day(phone: BrowserContext, page: Page) -> None:
    begin(page)
    later = phone.new_page()
    now = page.evaluate("Date.now()")
    later.clock.set_fixed_time((now + DAY_MS + 1000) / 1000)
    later.goto("/others")
    assert remembered(later) == {}


def test_leaving_at_once_keeps_the_draft(page: Page) -> None:
    page.goto(FORM)
    choose(page, "i1", "satisfied")
    page.goto("/others")
    assert list(remembered(page)) == ["ballot-draft:ticket-1"]


def test_going_back_from_the_receipt_shows_no_answers(page: Page) -> None:
    page.goto("/others")
    page.goto(FORM)
    answer_all(page)
    submit(page)
    expect_receipt(page)
    page.go_back()
    expect(page).to_have_url(re.compile("/others$"))


def test_the_page_works_without_scripts(browser: Browser, site: VoterSite) -> None:
    site.items = ALL_KINDS
    with browser.new_context(base_url=site.url, java_script_enabled=False, has_touch=True) as phone:
        page = phone.new_page()
        page.goto(FORM)
        answer_all_kinds(page)
        submit(page)
        expect_receipt(page)
    [form] = site.forms
    assert form == {
        "ticket": ["ticket-1"],
        "overall": ["dissatisfied"],
        "why": ["roads", "money"],
        "team.work": ["satisfied"],
        "team.fair": ["not_informed"],
        "meetings": ["１２"],
        "remark": [" 路灯坏了 "],
    }
