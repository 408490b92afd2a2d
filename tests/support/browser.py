"""A real Chromium, one per test process, started at first use."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.support.patience import PATIENCE_SECONDS

SWITCHES = (
    # Root may not use the sandbox, and the pages are our own.
    "--no-sandbox",
    "--disable-gpu",
    # Containers often have only 64 MB of shared memory.
    "--disable-dev-shm-usage",
    # The browser stays on this machine, as the tests do.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window; make a context of its own for each test.

    Playwright keeps an event loop running in this thread: such tests cannot call `asyncio.run`.
    """
    expect.set_options(timeout=1000 * PATIENCE_SECONDS)
    with sync_playwright() as playwright:
        executable = shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=SWITCHES)
        yield browser
        browser.close()
