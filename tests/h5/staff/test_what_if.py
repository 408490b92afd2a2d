"""An office tries other shares on a phone, sees who moves, and how sure the ranking is."""

from decimal import Decimal

import pytest
from playwright.sync_api import Browser, expect

from survey_service.ratings.service import open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from tests.factories.campaigns import NOW, World
from tests.h5.staff.conftest import open_context, sign_in
from tests.h5.staff.test_for_everybody import look_at
from tests.http.ratings.conftest import FULL

PHONE = 360


@pytest.fixture
def cycle(town: World) -> str:
    """The address of a rating of five villages, 98 points for the first, two less for each next one."""
    common = {"staff": town.staff, "now": NOW}
    with town.app.app_context(), town.app.extensions["database"].unit_of_work() as session:
        codes = town.village_codes[:5]
        opened = open_cycle(
            session, scheme="township-classification", title="2026年度", organization_codes=codes, **common
        )
        for number, code in enumerate(codes):
            points = {name: Decimal(98 - 2 * number) * most / 100 for name, most in FULL.items()}
            fill_in_sheet(
                session,
                cycle_id=opened.cycle.id,
                organization_code=code,
                level=Level.TOWN,
                entries={"points": points},
                **common,
            )
        return f"/staff/ratings/{opened.cycle.id}"


def test_an_office_sees_who_would_move(browser: Browser, town: World, address: str, cycle: str) -> None:
    with open_context(browser, address, width=PHONE, has_scripts=False) as context:
        page = context.new_page()
        page.goto(f"{cycle}/what-if")
        sign_in(page)
        page.get_by_label("“好”不超过").fill("40")
        page.get_by_role("button", name="试算").click()
        result = page.locator("#result")
        expect(result).to_contain_text("试算结果：1 个的等次有变化")
        expect(result).to_contain_text("“好”不超过 20 → 40")
        [moved] = page.locator(".moves__one").all()
        expect(moved).to_contain_text("第2村")
        expect(moved).to_contain_text("上升 1 档")
        expect(result.locator(".streams__one_rises")).to_have_count(1)
        expect(page.get_by_label("“好”不超过")).to_have_value("40")
        tried = page.url
    with open_context(browser, address, width=PHONE, has_scripts=True) as context:
        page = context.new_page()
        page.goto(tried)
        sign_in(page)
        scheme, code = "/staff/ratings/schemes/township-classification", town.village_codes[0]
        looked_at = (
            tried,
            f"{cycle}/ranking",
            f"{cycle}/{code}",
            f"{cycle}/sheets/{code}",
            scheme,
            f"{scheme}/edit",
        )
        assert [wrong for one in looked_at for wrong in look_at(page, one, PHONE)] == []
