"""The pages of ratings: cycles, grades with their reasons, one grade step by step."""

import pytest

from survey_service.ratings.service import open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.http.ratings.conftest import FULL
from tests.http.reports.conftest import Browser, People


@pytest.fixture
def cycle(town: World) -> int:
    """A cycle of the township over two villages; the first has 100 points, the second none yet."""
    with town.app.extensions["database"].unit_of_work() as session:
        opened = open_cycle(
            session,
            staff=town.staff,
            scheme="township-classification",
            title="2026年度<分类定级>",
            organization_codes=town.village_codes[:2],
            now=NOW,
        )
        fill_in_sheet(
            session,
            staff=town.staff,
            cycle_id=opened.cycle.id,
            organization_code=town.village_codes[0],
            level=Level.TOWN,
            entries={"points": FULL},
            now=NOW,
        )
        return opened.cycle.id


@pytest.fixture
def office(town: World, people: People) -> Browser:
    return people.browser(Role.TOWN_STAFF, town.town_code)


def test_cycles_are_listed(office: Browser, cycle: int) -> None:
    page = office.get("/staff/ratings").text
    assert f'href="/staff/ratings/{cycle}"' in page
    assert "2026年度&lt;分类定级&gt;" in page
    assert "基层党组织分类定级（第 1 版）" in page


def test_nothing_is_a_page_too(office: Browser) -> None:
    assert "还没有评定" in office.get("/staff/ratings").text


def test_grades_stand_with_their_reasons_and_a_drawing(office: Browser, cycle: int, town: World) -> None:
    page = office.get(f"/staff/ratings/{cycle}").text
    assert "总分 100.00，达到“好”的分数线 90.00。" in page
    assert "2 个中最多 0 个，名额已满" in page
    assert "有 9 处数值公开文本没有给出" in page
    assert 'class="bar__part" width="100%"' in page
    assert f'href="/staff/ratings/{cycle}/{town.village_codes[0]}"' in page
    assert "还没有得出总分，缺少：党组织带头人、工作思路" in page


def test_a_grade_is_shown_step_by_step(office: Browser, cycle: int, town: World) -> None:
    page = office.get(f"/staff/ratings/{cycle}/{town.village_codes[0]}").text
    assert "党组织带头人" in page
    assert "乡镇评分" in page
    assert f'href="/api/v1/rating-cycles/{cycle}/grades/{town.village_codes[0]}/trace"' in page
    missing = office.get(f"/staff/ratings/{cycle}/{town.village_codes[1]}").text
    assert "还没有得分" in missing


def test_a_rated_party_waits(cycle: int, town: World, people: People) -> None:
    secretary = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    assert secretary.get(f"/staff/ratings/{cycle}").status_code == 403
    assert secretary.get(f"/staff/ratings/{cycle}/{town.village_codes[0]}").status_code == 403


def test_others_see_nothing(cycle: int, elsewhere: World, town: World, people: People) -> None:
    neighbour = people.browser(Role.TOWN_STAFF, elsewhere.town_code)
    assert "分类定级" not in neighbour.get("/staff/ratings").text
    assert neighbour.get(f"/staff/ratings/{cycle}").status_code == 403
    assert neighbour.get(f"/staff/ratings/{cycle}/{town.village_codes[0]}").status_code == 403
