"""What a person does on the phone, and what the phone remembers."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.h5.pages import INDICATORS
from tests.h5.site import RECEIPT

FORM = "/s/7K2M9QXW3FHTP"
SUBMIT = "提交"
PENDING = "有 1 份未送达"

# The pauses between two attempts, which tests note and then shorten, hold or never end.
_PAUSES = """
    const later = window.setTimeout.bind(window);
    const pauses = JSON.parse(sessionStorage.getItem("pauses") || "[]");
    window.setTimeout = (action, pause) => {
        if (pause < 1000) return later(action, pause);
        pauses.push(pause);
        sessionStorage.setItem("pauses", JSON.stringify(pauses));
        return %s;
    };
"""
SHORT_PAUSES = _PAUSES % "later(action, 0)"
ENDLESS_PAUSES = _PAUSES % "0"
HELD_PAUSES = _PAUSES % "(window.endPause = action, 0)"


def end_pause(page: Page) -> None:
    """Let the last of the pauses that are held end now."""
    page.evaluate("window.endPause()")


def pauses(page: Page) -> list[float]:
    """Return the noted pauses in milliseconds."""
    noted: list[float] = page.evaluate("JSON.parse(sessionStorage.getItem('pauses'))")
    return noted


def choose(page: Page, name: str, value: str) -> None:
    page.locator(f"label:has([name='{name}'][value='{value}'])").tap()


def answer_all(page: Page, value: str = "satisfied") -> None:
    for number in range(1, len(INDICATORS) + 1):
        choose(page, f"i{number}", value)


def submit(page: Page) -> None:
    page.get_by_role("button", name=SUBMIT).tap()


def vote(page: Page, path: str = FORM) -> None:
    page.goto(path)
    answer_all(page)
    submit(page)


def expect_receipt(page: Page) -> None:
    page.wait_for_url(f"**/r/{RECEIPT}")


def expect_pending(page: Page) -> None:
    expect(page.locator(".banner")).to_contain_text(PENDING)


def remembered(page: Page) -> dict[str, Any]:
    """Return what the phone keeps, by key."""
    kept: dict[str, Any] = page.evaluate(
        "Object.fromEntries(Object.entries(localStorage).map(([key, value]) => [key, JSON.parse(value)]))"
    )
    return kept
