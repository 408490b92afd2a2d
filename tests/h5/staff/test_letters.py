"""A letter is written on a phone: it shows itself while it is written, and a lost tab loses nothing."""

from playwright.sync_api import Browser, Page, expect

from survey_service.clear_letters.service import approve_letter
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World, identity
from tests.factories.letters import ACCOUNTS
from tests.factories.staff.offices import add_person
from tests.h5.staff.conftest import open_context, sign_in
from tests.h5.staff.test_for_everybody import look_at

WIDTH = 360


def write(page: Page) -> None:
    """Fill in everything; the accounts are pasted as a spreadsheet copies them."""
    page.get_by_label("这段时间做了什么").fill("修好村道1.2公里\n装路灯12盏")
    for name in ("party_affairs", "village_affairs", "finances"):
        page.locator(f"[name='sections.{name}.text']").fill("无变动")
    page.get_by_text("表格 1").nth(2).click()
    page.locator("[name='sections.finances.tables.0']").fill(ACCOUNTS)
    page.get_by_label("有事找谁").fill("陈志明 书记 13800000001")


def approve(town: World, letter_id: int) -> None:
    with town.app.extensions["database"].unit_of_work() as session:
        county = list_ancestors(session, path=get_organization(session, code=town.town_code).path)[0]
        officer = identity(add_person(session, "county.officer", Role.COUNTY_ADMIN, county), county)
        approve_letter(session, staff=officer, letter_id=letter_id, now=NOW)


def test_a_letter_from_the_first_word_to_the_villager(browser: Browser, town: World, address: str) -> None:
    with open_context(browser, address, width=WIDTH, has_scripts=True) as context:
        page = context.new_page()
        new = f"/staff/clear-letters/new?organization={town.village_codes[0]}"
        page.goto(new)
        sign_in(page)
        write(page)
        preview = page.locator("[data-preview]")
        expect(preview.get_by_role("cell", name="38,600").first).to_be_visible()
        expect(preview).to_contain_text("内容齐了")
        page.close()

        page = context.new_page()
        page.goto(new)
        page.get_by_role("button", name="恢复").click()
        expect(page.locator("[data-preview]")).to_contain_text("装路灯12盏")
        page.get_by_role("button", name="保存草稿").click()
        expect(page.get_by_role("status")).to_contain_text("草稿已保存")
        letter = page.url.partition("?")[0]
        page.goto(new)
        expect(page.get_by_role("button", name="恢复")).to_be_hidden()
        page.goto(letter)
        page.get_by_role("button", name="报镇里审核").click()
        expect(page.get_by_role("status")).to_contain_text("等镇里审核")

        approve(town, int(letter.rpartition("/")[2]))
        found = [
            wrong
            for path in ("/staff/clear-letters", f"{letter}/edit", letter, new)
            for wrong in look_at(page, path, WIDTH)
        ]
        page.goto(letter)
        public = page.get_by_role("link", name="群众看的页面").inner_text().rpartition("/")[2]
        found += look_at(page, f"/l/{public}", WIDTH)
        page.get_by_role("button", name="放大字").click()
        expect(page.get_by_role("cell", name="38,600").first).to_be_visible()
    assert found == []
