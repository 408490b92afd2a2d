"""One opinion, in a browser: from a printed letter's code to an answer that its author accepts."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
import time_machine
from playwright.sync_api import Browser, Page, expect
from werkzeug.serving import make_server

from survey_service.core.db import Database
from survey_service.opinions.jobs import sweep_letters
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign
from tests.factories.letters import letter_content
from tests.factories.staff.offices import PASSWORD, add_person
from tests.http.campaigns.callers import Offices
from tests.support.pdf import codes_on

PHONE, DESK = 390, 1280
LAMP = "村口的路灯坏了三个月，晚上看不见路。我的电话13812345678"


@pytest.fixture
def village(sqlite_database: Database, tmp_path: Path) -> Iterator[World]:
    with time_machine.travel(NOW):
        world = start_campaign(make_app(tmp_path, sqlite_database))
        with sqlite_database.unit_of_work() as session:
            for name, role, code in (
                ("town", Role.TOWN_STAFF, world.town_code),
                ("secretary", Role.BRANCH_SECRETARY, world.village_codes[0]),
            ):
                add_person(session, name, role, get_organization(session, code=code))
        yield world


@pytest.fixture
def address(village: World) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, village.app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def print_letter(world: World) -> str:
    """Write and approve a letter, print it, and return the path that a phone reads off the paper."""
    with world.app.app_context():
        offices = Offices(world)
        secretary = offices.caller(Role.BRANCH_SECRETARY, "village")
        town = offices.caller(Role.TOWN_STAFF, "town")
        body = {"organization_code": world.village_codes[0], "content": letter_content()}
        letter = secretary.post("/clear-letters", body).json["id"]
        assert secretary.post(f"/clear-letters/{letter}/submit").status_code == 200
        assert town.post(f"/clear-letters/{letter}/approve", {}).status_code == 200
        sweep_letters()
        (codes,) = codes_on(secretary.post(f"/clear-letters/{letter}/print", {}).data, 110)
    (page,) = codes
    return page.removeprefix("http://survey.example")


@contextmanager
def opened(browser: Browser, address: str, width: int, *, has_scripts: bool = True) -> Iterator[Page]:
    context = browser.new_context(
        base_url=address,
        viewport={"width": width, "height": 800},
        java_script_enabled=has_scripts,
    )
    with context:
        yield context.new_page()


def sign_in(page: Page, name: str) -> None:
    page.goto("/staff/opinions")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码").fill(PASSWORD)
    with page.expect_navigation():
        page.get_by_role("button", name="登录").click()


def test_from_a_printed_letter_to_the_end(browser: Browser, village: World, address: str) -> None:
    printed = print_letter(village)
    with (
        opened(browser, address, PHONE, has_scripts=False) as villager,
        opened(browser, address, DESK) as town,
        opened(browser, address, PHONE) as secretary,
    ):
        query_page = write(villager, printed)
        sign_in(town, "town")
        sign_in(secretary, "secretary")
        expect(secretary.get_by_text("这里没有要办的意见")).to_be_visible()
        triage(town)
        transfer(secretary, town)
        answer(secretary, "已经报修，等配件。")
        judge(villager, query_page, "不满意")
        expect(villager.get_by_role("heading", name="重新办理")).to_be_visible()
        answer(secretary, "今天换好了新灯。")
        judge(villager, query_page, "满意")
        close(town)
        villager.goto(query_page)
        expect(villager.get_by_role("heading", name="已经办结")).to_be_visible()
        expect(villager.get_by_role("button")).to_have_count(0)


def write(villager: Page, printed: str) -> str:
    villager.goto(printed)
    villager.get_by_role("link", name="写一条意见").click()
    villager.get_by_label("您想说什么事？").fill(LAMP)
    villager.get_by_role("button", name="提交意见").click()
    expect(villager.get_by_role("heading", name="意见收到了")).to_be_visible()
    expect(villager.get_by_alt_text("查询码的二维码")).to_be_visible()
    return villager.url


def triage(town: Page) -> None:
    """By the keys alone: open the first, complaint, village, send."""
    expect(town.get_by_text("路灯坏了三个月")).to_be_visible()
    for key in ("j", "Enter"):
        town.keyboard.press(key)
    expect(town.get_by_role("button", name="分办，看下一条")).to_be_visible()
    for key in ("1", "v", "s"):
        town.keyboard.press(key)
    expect(town.get_by_role("status")).to_contain_text("办好了")


def transfer(secretary: Page, town: Page) -> None:
    """Up to the town, which hands it back."""
    secretary.goto("/staff/opinions")
    secretary.get_by_role("link", name="路灯").click()
    expect(secretary.get_by_text("13812345678")).to_have_count(0)
    hand_over(secretary, "汤溪镇")
    expect(secretary.get_by_text("这里没有要办的意见")).to_be_visible()
    town.goto("/staff/opinions?group=handling")
    town.get_by_role("link", name="路灯").click()
    hand_over(town, "第1村")


def hand_over(page: Page, to: str) -> None:
    page.get_by_text("转办", exact=True).first.click()
    page.get_by_label("转给").select_option(label=to)
    page.locator("#transfer-remark").fill("归口办理")
    with page.expect_navigation():
        page.get_by_role("button", name="转办").click()


def answer(secretary: Page, words: str) -> None:
    secretary.goto("/staff/opinions")
    secretary.get_by_role("link", name="路灯").click()
    secretary.get_by_label("公开的答复").fill(words)
    secretary.get_by_role("button", name="答复").click()
    expect(secretary.get_by_text(words)).to_be_visible()


def judge(villager: Page, query_page: str, verdict: str) -> None:
    villager.goto(query_page)
    with villager.expect_navigation():
        villager.get_by_role("button", name=verdict, exact=True).click()


def close(town: Page) -> None:
    town.goto("/staff/opinions?group=answered")
    town.get_by_role("link", name="路灯").click()
    town.get_by_role("button", name="办结").click()
    expect(town.get_by_text("已办结")).to_be_visible()
