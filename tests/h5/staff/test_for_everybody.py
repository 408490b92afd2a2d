"""What holds for every staff page: readable for all, inside the screen, nothing but our own files."""

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select

from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.privacy import current_keyring
from survey_service.entrances.codes import random_code
from survey_service.insights.models import OpinionWarning, OpinionWord
from survey_service.insights.rules import WarningKind
from survey_service.opinions.models import OpinionBox
from survey_service.opinions.policy import current_policy
from survey_service.opinions.receiving import Draft, Origin, store_anonymous
from survey_service.opinions.rules import Source
from survey_service.organizations.queries import get_organization
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.factories.staff.offices import add_person
from tests.h5.staff.conftest import USERNAME, open_context, sign_in
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
OTHER_PAGES = (
    "/staff/campaigns/{id}/codes",
    "/staff/campaigns/{id}/paper",
    "/staff/campaigns/{id}/anomalies",
    "/staff/opinions",
    "/staff/opinions/{opinion}",
    "/staff/opinions/new",
    "/staff/opinions/overview",
    "/staff/opinions/boxes",
    "/staff/clear-letters",
    "/staff/clear-letters/new?organization={village}",
    "/staff/ratings",
    "/staff/ratings/new",
    "/staff/visits",
    "/o",
    "/q",
    "/a/{village}",
)
LONG_WORD = "Rindfleischetikettierungsueberwachung.cn"
OPEN_ALL = "document.querySelectorAll('main details').forEach((one) => { one.open = true; })"
LARGER_TEXT = "document.documentElement.style.fontSize = '200%'"
SCROLL_WIDTH = "document.documentElement.scrollWidth"
EDGES = """[
  Math.min(0, ...Array.from(document.querySelectorAll(".me__box"), (box) => box.getBoundingClientRect().x)),
  document.documentElement.scrollWidth,
]"""


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


def test_long_words_and_large_type_stay_within_a_phone(browser: Browser, town: World, address: str) -> None:
    """The pages that the test above leaves out, with words that somebody wrote without a blank."""
    values = {"id": town.campaign_id, "village": town.village_codes[0], "opinion": write_long_words(town)}
    wide = []
    with open_context(browser, address, width=360, has_scripts=True) as context:
        page = context.new_page()
        page.goto("/staff")
        sign_in(page)
        for one in OTHER_PAGES:
            page.goto(one.format(**values))
            page.evaluate(OPEN_ALL.replace("main ", ""))
            for zoom in ("", LARGER_TEXT):
                page.evaluate(zoom)
                wide += [(one, zoom, edges) for edges in [page.evaluate(EDGES)] if edges != [0, 360]]
    assert wide == []


def write_long_words(town: World) -> int:
    """Let words without a blank stand where people can write some; return an opinion."""
    with town.app.app_context(), town.app.extensions["database"].unit_of_work() as session:
        village = get_organization(session, code=town.village_codes[0])
        clerk = session.scalars(select(StaffAccount).where(StaffAccount.username == USERNAME)).one()
        clerk.display_name = LONG_WORD
        opinion_id = store_anonymous(
            session,
            keyring=current_keyring(),
            policy=current_policy(),
            draft=Draft(text=LONG_WORD * 3),
            origin=Origin(village, Source.BOX),
            today=clock.local_day(NOW),
        )
        session.add(OpinionWord(organization_id=village.id, word=LONG_WORD, opinions=5, z=9.0))
        session.add(
            OpinionWarning(
                kind=WarningKind.SAFETY,
                key="safety",
                organization_id=village.id,
                opinion_id=opinion_id,
                words=LONG_WORD,
                opinions=1,
                raised_on=clock.local_day(NOW),
                receivers=0,
            )
        )
        session.add(OpinionBox(organization=village, code=random_code(), place=LONG_WORD, created_at=NOW))
        return opinion_id


def test_a_long_table_can_be_searched(browser: Browser, town: World, address: str) -> None:
    with open_context(browser, address, width=360, has_scripts=True) as context:
        page = context.new_page()
        page.goto(f"/staff/campaigns/{town.campaign_id}")
        sign_in(page)
        page.get_by_label("按名称查找").fill("第11村")
        expect(page.get_by_role("row", name="第11村")).to_be_visible()
        expect(page.get_by_role("row", name="第12村")).to_be_hidden()
