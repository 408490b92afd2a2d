"""A phone in front of the small site; a script error on any page fails the test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.h5 import pages
from tests.h5.site import VoterSite, serving

NARROW = {"width": 360, "height": 640}


@pytest.fixture(scope="session", autouse=True)
def _built() -> None:
    if not (pages.STATIC / "manifest.json").exists():
        pytest.fail("h5/static is missing: run `npm ci && npm run build` in h5")


@pytest.fixture
def site() -> Iterator[VoterSite]:
    with serving(VoterSite()) as running:
        yield running


@pytest.fixture
def phone(browser: Browser, site: VoterSite) -> Iterator[BrowserContext]:
    errors: list[str] = []
    context = browser.new_context(base_url=site.url, viewport=NARROW, has_touch=True)  # type: ignore[arg-type] # a dict is what Playwright takes
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
    yield context
    context.close()
    assert errors == []


@pytest.fixture
def page(phone: BrowserContext) -> Page:
    return phone.new_page()
