"""The pages of schemes: a copy is changed, its consequences shown, and a new version stored."""

import html
import re
from io import BytesIO

import pytest

from survey_service.ratings.presets import PRESETS, preset_text, presets
from survey_service.ratings.service import open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from survey_service.reports.presentation.schemes import scheme_page
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.http.ratings.conftest import FULL
from tests.http.reports.conftest import Browser, People

PLACE = "/staff/ratings/schemes/township-classification"


@pytest.fixture
def office(town: World, people: People) -> Browser:
    return people.browser(Role.TOWN_STAFF, town.town_code)


@pytest.fixture
def cycle(town: World) -> int:
    with town.app.extensions["database"].unit_of_work() as session:
        common = {"staff": town.staff, "now": NOW}
        opened = open_cycle(
            session,
            scheme="township-classification",
            title="2026年度",
            organization_codes=town.village_codes[:1],
            **common,
        )
        fill_in_sheet(
            session,
            cycle_id=opened.cycle.id,
            organization_code=town.village_codes[0],
            level=Level.TOWN,
            entries={"points": FULL},
            **common,
        )
        return opened.cycle.id


def written(page: str) -> str:
    found = re.search(r"<textarea[^>]*>(.*?)</textarea>", page, re.S)
    assert found is not None
    return html.unescape(found.group(1))


def test_schemes_are_listed_and_shown(office: Browser) -> None:
    assert "基层党组织分类定级" in office.get("/staff/ratings/schemes").text
    page = office.get(PLACE).text
    assert "党组织带头人" in page
    assert "预设" in page


@pytest.mark.parametrize("code", PRESETS)
def test_whatever_no_text_gives_is_marked_where_it_stands(code: str) -> None:
    document = presets()[code]
    for place in document["assumptions"]:
        page = scheme_page({**document, "assumptions": [place]})
        assert any(line.is_assumed for section in page.sections for line in section.lines), place
    page = scheme_page({**document, "assumptions": []})
    assert not any(line.is_assumed for section in page.sections for line in section.lines)


def test_a_copy_is_changed_with_a_preview_and_stored(office: Browser, cycle: int) -> None:
    source = written(office.get(f"{PLACE}/edit").text)
    assert source == preset_text("township-classification")
    changed = source.replace("{grade: 较差, min_percent: 10}", "{grade: 较差, min_percent: 0}")
    changed = changed.replace("code: township-classification", "code: our-own")
    shown = office.post(f"{PLACE}/edit", {"source": changed, "cycle": str(cycle), "act": "preview"})
    assert "试算结果：1 个的等次有变化" in shown.text
    wrong = office.post(f"{PLACE}/edit", {"source": changed.replace("min: 80", "min: 95"), "act": "save"})
    assert (wrong.status_code, "第 21 行：bands[1].min" in wrong.text) == (422, True)
    assert '<code class="excerpt">- {grade: 较好, title: 较好, min: 95}</code>' in wrong.text
    saved = office.follow(f"{PLACE}/edit", {"source": changed, "act": "save"}).text
    assert "已存为新版本" in saved
    again = written(office.get("/staff/ratings/schemes/our-own/edit").text)
    assert "version: 2" in again


def test_a_filled_in_workbook_becomes_text(office: Browser) -> None:
    sheet = office.get("/api/v1/schemes/township-classification/sheet").data
    office.get(f"{PLACE}/edit")
    shown = office.post(f"{PLACE}/sheet", {"file": (BytesIO(sheet), "办法.xlsx")}).text
    assert "检查通过" in shown
    assert "code: leader" in written(shown)
    bad = {"file": (BytesIO("【等次】\n等次,名称,分数线\n好,好,0\n".encode()), "x.csv")}
    refused = office.post(f"{PLACE}/sheet", bad)
    assert (refused.status_code, "A1：" in refused.text) == (422, True)
