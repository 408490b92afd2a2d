"""The pages of ratings: cycles, grades with their reasons, one grade step by step."""

from datetime import date

import pytest
from sqlalchemy import select

from survey_service.ratings.models import RatingCycle, RatingDeadline, RatingSubject
from survey_service.ratings.service import add_scheme, open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from survey_service.ratings.warnings import watch_cycle
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.http.ratings.conftest import FULL
from tests.http.reports.conftest import Browser, People
from tests.rules.ratings.schemes import documented_example


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


def test_a_change_is_tried_on_a_page(office: Browser, cycle: int) -> None:
    place = f"/staff/ratings/{cycle}/what-if"
    assert 'name="max_percents.好" value="20"' in office.get(place).text
    tried = office.get(place, query_string={"max_percents.好": "50", "min_percents.较差": ""}).text
    assert "试算结果：1 个的等次有变化" in tried
    assert "上升 3 档" in tried
    wrong = office.get(place, query_string={"points.leader": "20"})
    assert (wrong.status_code, "各指标分值合计为 105，应为 100。" in wrong.text) == (422, True)
    assert "100.00" in office.get(f"/staff/ratings/{cycle}/ranking").text


def test_neighbours_that_cannot_be_told_apart_hang_together(office: Browser, cycle: int, town: World) -> None:
    """Both have 100 points; a share parts them, so that one is 较好 and the other 较差."""
    place = f"/staff/ratings/{cycle}/ranking"
    assert "linked" not in office.get(place).text.split("<tbody>")[1]
    assert "没有分不出先后、等次却不同的" in office.get(f"{place}?parted=1").text
    with town.app.extensions["database"].unit_of_work() as session:
        fill_in_sheet(
            session,
            staff=town.staff,
            cycle_id=cycle,
            organization_code=town.village_codes[1],
            level=Level.TOWN,
            entries={"points": FULL},
            now=NOW,
        )
    page = office.get(f"{place}?parted=1").text
    assert (page.count("linked_start"), page.count("linked_end")) == (1, 1)
    assert "分不出先后，等次却不同" in page


def test_warnings_are_answered_and_the_years_are_drawn(office: Browser, cycle: int, town: World) -> None:
    assert "没有需要处理的预警" in office.get("/staff/ratings/warnings").text
    with town.app.extensions["database"].unit_of_work() as session:
        owner = session.get_one(RatingCycle, cycle)
        late = {"cycle_id": cycle, "step": "self", "due_on": date(2026, 1, 1), "changed_at": NOW}
        session.add(RatingDeadline(staff_id=owner.staff_id, **late))
        session.flush()
        watch_cycle(session, cycle_id=cycle, now=NOW)
    page = office.get("/staff/ratings/warnings").text
    assert "“党支部自评”应在 2026-01-01 前办完" in page
    place = page.split('action="/staff/ratings/warnings/')[1].split('"')[0]
    after = office.follow(f"/staff/ratings/warnings/{place}", {"answer": "正在催办"}).text
    assert "答复：正在催办" in after
    years = f"/staff/ratings/history/{town.village_codes[0]}"
    assert "还没有已定的等次" in office.get(years).text
    with town.app.extensions["database"].unit_of_work() as session:
        done = session.get_one(RatingCycle, cycle)
        done.decided_at = NOW
        [first, *_] = session.scalars(select(RatingSubject).order_by(RatingSubject.position))
        first.grade_final = "较好"
    assert "years__dot" in office.get(years).text


def test_what_is_not_self_assessed_has_no_field_on_the_page(town: World, people: People) -> None:
    with town.app.extensions["database"].unit_of_work() as session:
        common = {"staff": town.staff, "now": NOW}
        add_scheme(session, source=documented_example(), **common)
        codes = town.village_codes[:1]
        opened = open_cycle(
            session, scheme="qinghe-secretary-star", title="x", organization_codes=codes, **common
        )
        place = f"/staff/ratings/{opened.cycle.id}/sheets/{town.village_codes[0]}"
    secretary = people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])
    page = secretary.get(place).text
    assert 'name="points.governance"' in page
    assert 'name="checks.basics"' not in page
    assert "由乡镇、县级打分，这里不用填。" in page
    fields = {"by": "self", "act": "save", "points.governance": "27", "notes.basics": "见值班表"}
    assert "见值班表" in secretary.follow(place, fields).text
    refused = secretary.post(place, fields | {"shown.basics": "1", "checks.basics": "duty"})
    assert (refused.status_code, "这个指标由乡镇、县级打分。" in refused.text) == (422, True)
    assert 'name="checks.basics"' in people.browser(Role.TOWN_STAFF, town.town_code).get(place).text
