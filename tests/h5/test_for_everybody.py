"""Elderly and blind readers, small phones and large text."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.h5.pages import ALL_KINDS, H5, BallotPage, Failure
from tests.h5.phone import FORM
from tests.h5.site import VoterSite

AXE = H5 / "node_modules" / "axe-core" / "axe.min.js"
RECEIPT_PAGE = "/r/7K2M9QXW3FHTP"
PATHS = (FORM, RECEIPT_PAGE, "/message/spent_code", "/others", "/subjects", "/enter", "/lookup/unknown")
SIZES = ((360, 640), (412, 915))
STANDARD_TARGET_PX, ELDER_TARGET_PX, ELDER_TEXT_PX = 44, 60, 18
SMALL_TARGETS = """smallest => Array.from(document.querySelectorAll("a, button, .choice__box, .input"))
    .map((element) => [element.textContent.trim(), element.getBoundingClientRect()])
    .filter(([_, box]) => box.width && (box.width < smallest || box.height < smallest))
    .map(([text, box]) => `${text} ${box.width} x ${box.height}`)"""
SMALL_TEXTS = """smallest => Array.from(document.querySelectorAll("body *"))
    .filter((element) => element.offsetHeight && element.innerText && element.childElementCount === 0)
    .filter((element) => parseFloat(getComputedStyle(element).fontSize) < smallest)
    .map((element) => element.outerHTML)"""
VOICE = """
    const voices = [{lang: "%s", localService: %s}];
    Object.defineProperty(window, "speechSynthesis", {value: {
        getVoices: () => voices,
        cancel() { window.said = []; },
        speak(utterance) { window.said.push(utterance.text); },
    }});
    window.said = [];
    window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
"""


def violations(page: Page) -> list[str]:
    page.evaluate(AXE.read_text("utf-8"))
    found: list[str] = page.evaluate(
        "axe.run().then((result) => result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.html)}`))"
    )
    return found


def to_elder_mode(page: Page) -> None:
    page.get_by_role("button", name="放大字").tap()


@pytest.fixture
def everything(site: VoterSite) -> VoterSite:
    """A page that shows all there is to show."""
    site.items = ALL_KINDS
    errors = (Failure("overall", "这一题还没有选"), Failure("", "这一页放得太久了"))
    site.page = BallotPage(is_preview=True, warning="这里不核对身份。", errors=errors)
    return site


@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing(page: Page, everything: VoterSite, path: str) -> None:
    page.goto(path)
    assert violations(page) == []


@pytest.mark.parametrize("path", [FORM, RECEIPT_PAGE])
def test_axe_finds_nothing_in_elder_mode(page: Page, everything: VoterSite, path: str) -> None:
    page.goto(path)
    to_elder_mode(page)
    assert violations(page) == []


@pytest.mark.parametrize("path", PATHS)
def test_targets_and_text_are_large(page: Page, everything: VoterSite, path: str) -> None:
    page.goto(path)
    assert page.evaluate(SMALL_TARGETS, STANDARD_TARGET_PX) == []
    to_elder_mode(page)
    assert page.evaluate(SMALL_TARGETS, ELDER_TARGET_PX) == []
    assert page.evaluate(SMALL_TEXTS, ELDER_TEXT_PX) == []


def test_elder_mode_has_a_larger_main_action(page: Page) -> None:
    page.goto(FORM)
    to_elder_mode(page)
    expect(page.get_by_role("button", name="提交")).to_have_css("font-size", "30px")


def test_elder_mode_is_remembered(phone: BrowserContext, page: Page) -> None:
    page.goto(FORM)
    to_elder_mode(page)
    later = phone.new_page()
    later.goto("/others")
    expect(later.locator("body")).to_have_attribute("data-weui-mode", "care")
    later.get_by_role("button", name="恢复字号").tap()
    expect(later.locator("body")).not_to_have_attribute("data-weui-mode", "care")


@pytest.mark.parametrize("path", PATHS)
def test_nothing_leaves_the_screen(page: Page, everything: VoterSite, path: str) -> None:
    page.goto(path)
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        for zoom in (100, 200, 250):
            page.evaluate("zoom => { document.documentElement.style.fontSize = `${zoom}%`; }", zoom)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_voice_of_the_phone_reads_the_page(page: Page) -> None:
    page.add_init_script(VOICE % ("zh-CN", "true"))
    page.goto(FORM)
    page.get_by_role("button", name="读给我听").tap()
    [said] = page.evaluate("window.said")
    assert said.startswith("填写前请看")
    page.get_by_role("button", name="停止朗读").tap()
    page.locator("label:has([name=i1][value=satisfied])").tap()
    page.get_by_role("button", name="读给我听").tap()
    [said] = page.evaluate("window.said")
    assert said.startswith("工作思路")


@pytest.mark.parametrize(("language", "is_local"), [("en-US", "true"), ("zh-CN", "false")])
def test_no_button_where_nothing_would_sound(page: Page, language: str, is_local: str) -> None:
    page.add_init_script(VOICE % (language, is_local))
    page.goto(FORM)
    expect(page.get_by_role("button", name="放大字")).to_be_visible()
    expect(page.locator("[data-module=read-aloud]")).to_be_hidden()


def test_an_uploaded_recording_comes_first(page: Page, site: VoterSite) -> None:
    site.page = BallotPage(recording_url="/recording.mp3")
    page.goto(FORM)
    expect(page.get_by_role("button", name="读给我听")).to_be_visible()
    expect(page.locator("audio")).to_be_hidden()


def test_a_typed_code_is_echoed_in_groups(page: Page) -> None:
    page.goto("/enter")
    page.get_by_label("输入参评码").fill("７k2m 9qxw-3fhol")
    expect(page.locator("output")).to_have_text("7K2M-9QXW-3FH0-1")
