"""What holds for every staff page: readable for all, inside the screen, nothing but our own files."""

import pytest
from playwright.sync_api import Browser, Page, expect

from survey_service.campaigns.rules import Mode
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.factories.staff.offices import add_person
from tests.h5.staff.conftest import open_context, sign_in
from tests.h5.test_for_everybody import violations

PAGES = (
    "/staff/campaigns",
    "/staff/campaigns/new",
    "/staff/campaigns/{id}",
    "/staff/campaigns/{id}/scores",
    "/staff/campaigns/{id}/scores/{village}",
    "/staff/campaigns/{id}/scores/{empty}",
    "/staff/campaigns/{id}/entrances",
    "/staff/campaigns/{id}/panel-codes/{village}",
    "/staff/campaigns/{id}/method",
    "/staff/campaigns/{id}/copy",
    "/staff/campaigns/{id}/correct",
    "/staff/campaigns/{id}/close",
    "/staff/questionnaires/new",
    "/staff/organizations",
    "/staff/organizations/import",
    "/staff/accounts",
    "/staff/accounts/new",
    "/staff/accounts/import",
    "/staff/accounts/{secretary}",
    "/staff/account",
    "/staff/second-factor",
    "/staff/password",
    "/staff/nowhere",
)
OPEN_ALL = "document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
LARGER_TEXT = "document.documentElement.style.fontSize = '200%'"
SCROLL_WIDTH = "document.documentElement.scrollWidth"


def addresses(town: World) -> list[str]:
    town.issue(Mode.OPEN)
    town.issue(Mode.PANEL, count=2)
    codes = {"village": town.village_codes[0], "empty": town.village_codes[2]}
    secretary = hire_secretary(town)
    return [page.format(id=town.campaign_id, secretary=secretary, **codes) for page in PAGES]


def hire_secretary(town: World) -> int:
    """Return the account of somebody whom the clerk manages."""
    with town.app.extensions["database"].unit_of_work() as session:
        village = get_organization(session, code=town.village_codes[0])
        return add_person(session, "village.secretary", Role.BRANCH_SECRETARY, village).id


def look_at(page: Page, address: str, width: int) -> list[str]:
    """Return what is wrong with a page."""
    page.goto(address)
    page.evaluate(OPEN_ALL)
    found = [f"{address}: {violation}" for violation in violations(page)]
    for zoom in ("", LARGER_TEXT):
        page.evaluate(zoom)
        found += [f"{address} is {wide} wide" for wide in [page.evaluate(SCROLL_WIDTH)] if wide > width]
    return found


@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing_and_nothing_leaves_the_screen(
    browser: Browser, town: World, address: str, width: int
) -> None:
    refused: list[str] = []
    with open_context(browser, address, width=width, has_scripts=True) as context:
        context.on(
            "console", lambda line: refused.append(line.text) if "Content Security" in line.text else None
        )
        page = context.new_page()
        page.goto("/staff")
        found = violations(page)
        sign_in(page)
        for one in addresses(town):
            found += look_at(page, one, width)
    assert (found, refused) == ([], [])


def test_a_long_table_can_be_searched(browser: Browser, town: World, address: str) -> None:
    with open_context(browser, address, width=360, has_scripts=True) as context:
        page = context.new_page()
        page.goto(f"/staff/campaigns/{town.campaign_id}")
        sign_in(page)
        page.get_by_label("按名称查找").fill("第11村")
        expect(page.get_by_role("row", name="第11村")).to_be_visible()
        expect(page.get_by_role("row", name="第12村")).to_be_hidden()
