"""Scan, WeChat, ballot: in a real browser, through real processes, before one that plays WeChat."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from survey_service.demonstration.fake_wechat import PERSON_COOKIE
from tests.journeys.conftest import settle
from tests.journeys.county import FORMULA, County, eventually
from tests.support.installation import Installation, installation
from tests.support.servers import free_port
from tests.support.wechat import USER_AGENT, FakeWeChat

PHONE = {"width": 360, "height": 640}


@pytest.fixture(params=["small", "large"])
def made(request: pytest.FixtureRequest, tmp_path: Path, wechat: FakeWeChat) -> Iterator[Installation]:
    """Either shape of an installation, with a service account."""
    port = free_port()
    settings = {name.upper(): value for name, value in wechat.settings.items()}
    settings |= {"PUBLIC_URL": f"http://127.0.0.1:{port}"}
    if request.param == "large":
        settings["DATABASE_URL"] = request.getfixturevalue("postgresql_url")
        settings["REDIS_URL"] = request.getfixturevalue("redis_url")
    with installation(tmp_path, **settings) as running:
        yield running


@pytest.fixture
def county(made: Installation) -> County:
    office = settle(made, webs=1, first_port=int(made.environment["PUBLIC_URL"].rsplit(":", 1)[1]))
    office.open_campaign(
        formula=FORMULA | {"mode_weights": {"household": "1", "open": "1"}},
        eligible={"100001001000": {"villager": 30}, "100001002000": {"villager": 30}},
    )
    return office


@pytest.fixture
def page_url(county: County) -> str:
    (code,) = county.issue(1, mode="open")
    return f"{county.installation.environment['PUBLIC_URL']}/s/{code}"


class Phone:
    """A phone with WeChat in somebody's hand."""

    def __init__(self, browser: Browser, wechat: FakeWeChat, person: str) -> None:
        self._wechat = wechat
        self.context: BrowserContext = browser.new_context(user_agent=USER_AGENT, viewport=PHONE)  # type: ignore[arg-type]  # A dict is what Playwright takes.
        self.hand_to(person)

    def hand_to(self, person: str) -> None:
        # Names in cookies are ASCII.
        self.context.add_cookies([{"name": PERSON_COOKIE, "value": person, "url": self._wechat.url}])

    def scan(self, url: str) -> Page:
        """Scan a posted code; whatever lies between ends on the page itself."""
        page = self.context.new_page()
        page.goto(url)
        # Browsers carry the fragment of WeChat's address along.
        assert page.url.removesuffix("#wechat_redirect") == url
        return page

    def fill_in(self, url: str) -> Page:
        """Scan a posted code, answer, and send."""
        page = self.scan(url)
        page.locator("label:has([name='overall'][value='satisfied'])").click()
        page.get_by_role("button", name="提交").click()
        return page


def test_each_wechat_account_counts_once_on_whatever_phone(
    browser: Browser, wechat: FakeWeChat, county: County, page_url: str
) -> None:
    # Given a posted code that asks for WeChat, when a villager scans it and votes …
    phone = Phone(browser, wechat, "aunt")
    receipt = phone.fill_in(page_url)
    receipt.wait_for_url("**/r/*")
    # … then a second scan says so, …
    expect(phone.scan(page_url).get_by_text("这个微信号已经交过一份")).to_be_visible()
    # … and on another phone her second ballot is refused when it is complete.
    other = Phone(browser, wechat, "aunt")
    refused = other.fill_in(page_url)
    expect(refused.get_by_text("这一份没有被接收")).to_be_visible()
    # Two people on one phone count twice, …
    phone.hand_to("uncle")
    phone.fill_in(page_url).wait_for_url("**/r/*")
    eventually(county.returned, 2)
    # … nobody of no identity counts, …
    phone.hand_to("virtual")
    page = phone.context.new_page()
    page.goto(page_url)
    expect(page.get_by_text("使用完整服务").first).to_be_visible()
    # … and the recount finds nothing to object to.
    check = county.installation.run("rebuild", "--check")
    assert check.returncode == 0, check.stderr
    # Nothing that the installation has written names anybody.
    written = b"".join(path.read_bytes() for path in county.installation.folder.rglob("*.log"))
    code = page_url.rsplit("/", 1)[1]
    assert [word for word in ("aunt", "uncle", code, "state=") if word.encode() in written] == []
    for one in (phone, other):
        one.context.close()


def test_a_plain_form_works_the_same_way(
    browser: Browser, wechat: FakeWeChat, county: County, page_url: str
) -> None:
    context = browser.new_context(user_agent=USER_AGENT, viewport=PHONE, java_script_enabled=False)  # type: ignore[arg-type]  # A dict is what Playwright takes.
    page = context.new_page()
    page.goto(page_url)
    page.locator("label:has([name='overall'][value='satisfied'])").click()
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*")
    eventually(county.returned, 1)
    context.close()


def test_a_code_typed_by_hand_leads_through_wechat_too(
    browser: Browser, wechat: FakeWeChat, page_url: str
) -> None:
    phone = Phone(browser, wechat, "aunt")
    page = phone.context.new_page()
    home, _, code = page_url.rpartition("/s/")
    page.goto(home)
    page.get_by_label("输入参评码").fill(code)
    page.get_by_role("button", name="下一步").click()
    expect(page.get_by_text("总体评价")).to_be_visible()
    phone.context.close()


def test_outside_wechat_nobody_is_led_to_wechat(browser: Browser, page_url: str) -> None:
    context = browser.new_context(viewport=PHONE)  # type: ignore[arg-type]  # A dict is what Playwright takes.
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_url)
    expect(page.get_by_role("heading", name="请在微信中打开")).to_be_visible()
    expect(page.get_by_role("img", name="本页的二维码")).to_be_visible()
    page.get_by_role("link", name="输入参评码").click()
    expect(page.get_by_label("输入参评码")).to_be_visible()
    assert [url for url in asked if "oauth2" in url] == []
    context.close()
