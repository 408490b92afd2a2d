"""A real server with a town whose campaign is running, and a clerk's browser in front of it."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
import time_machine
from playwright.sync_api import Browser, BrowserContext, Page
from werkzeug.serving import make_server

from survey_service.core.db import Database
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign
from tests.factories.staff.offices import PASSWORD, add_person

USERNAME = "clerk"


@pytest.fixture
def town(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    """A town of fourteen villages: enough for a long table."""
    with time_machine.travel(NOW):
        world = start_campaign(make_app(tmp_path, sqlite_database), villages=14)
        with sqlite_database.unit_of_work() as session:
            add_person(session, USERNAME, Role.TOWN_STAFF, get_organization(session, code=world.town_code))
        world.vote(["satisfied"] * 6 + ["basically_satisfied", "dissatisfied", "not_informed"])
        world.vote(["satisfied"] * 2, village=1)
        world.drain()
        yield world


@pytest.fixture
def address(town: World) -> Iterator[str]:
    """The address of the running server."""
    server = make_server("127.0.0.1", 0, town.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def open_context(browser: Browser, address: str, *, width: int, has_scripts: bool) -> BrowserContext:
    size = {"width": width, "height": 640 if width < 500 else 800}
    context = browser.new_context(
        base_url=address,
        viewport=size,  # type: ignore[arg-type]  # A dict is what Playwright takes.
        java_script_enabled=has_scripts,
        accept_downloads=True,
    )
    return context


def sign_in(page: Page, password: str = PASSWORD) -> None:
    """Fill in the door's form and wait for the page that comes of it."""
    page.get_by_label("用户名").fill(USERNAME)
    page.get_by_label("密码").fill(password)
    with page.expect_navigation():
        page.get_by_role("button", name="登录").click()
