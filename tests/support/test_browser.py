from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Error, Page


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def picture_of(page: Page, text: str) -> bytes:
    page.set_content(f"<span style='font: 40px sans-serif'>{text}</span>")
    return page.locator("span").screenshot()


def test_chinese_letters_are_more_than_empty_boxes(page: Page) -> None:
    assert picture_of(page, "满") != picture_of(page, "意")


@pytest.mark.parametrize("host", ["example.org", "192.0.2.1"])
def test_the_browser_stays_on_this_machine(page: Page, host: str) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        page.goto(f"http://{host}/")
