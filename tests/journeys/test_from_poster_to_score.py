"""A phone scans the printed poster, votes with its fingers, and the village's score moves."""

import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.county import VILLAGES, County, eventually
from tests.support.installation import Installation
from tests.support.pdf import codes_on
from tests.support.servers import free_port

PHONE = {"width": 360, "height": 640}
OLD_PHONE = "Mozilla/5.0 (Linux; Android 7.0) AppleWebKit/537.36 Chrome/66.0 Mobile MicroMessenger/7.0"


@pytest.fixture
def county(small: Installation) -> County:
    """A county whose posters name an address that this machine's browser can open."""
    port = free_port()
    small.environment["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    office = County(small)
    office.move_in()
    small.start_web(port)
    office.sign_in()
    office.open_campaign()
    return office


def scan_poster(county: County) -> str:
    """Have the poster made, and return what a phone reads on it."""
    county.issue(1, mode="open")
    body = {"organization_code": VILLAGES[0], "layout": "poster"}
    path = f"/api/v1/campaigns/{county.campaign_id}/posters"
    answer = county.installation.call("POST", path, body, token=county.token)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pdf")
    ((url,),) = codes_on(answer.body, 100)
    return url


def vote(page: Page, url: str, option: str) -> str:
    """Open the scanned address, tap one option, send, and return the page of the receipt."""
    page.goto(url)
    page.get_by_label(option, exact=True).check()
    page.get_by_role("button", name="提交").click()
    page.wait_for_url("**/r/*")
    return page.inner_text("main")


@pytest.mark.parametrize("has_scripts", [True, False], ids=["scripts", "no-scripts"])
def test_a_scanned_poster_changes_the_score(county: County, browser: Browser, *, has_scripts: bool) -> None:
    county.vote(["satisfied"] * 5)
    eventually(lambda: county.score()["score"], "100.00")
    url = scan_poster(county)
    for _ in range(5):
        phone = browser.new_context(
            viewport=PHONE, user_agent=OLD_PHONE, java_script_enabled=has_scripts, is_mobile=True
        )
        assert "回执" in vote(phone.new_page(), url, "不满意")
        phone.close()
    eventually(lambda: county.score()["score"], "77.50")
    assert county.score()["by_mode"]["open_device"]["returned"] == 5
