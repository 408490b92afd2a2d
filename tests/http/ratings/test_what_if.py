"""What-if and the sensitivity of a ranking through the API: read by offices, and nothing is stored."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask

from survey_service.core.db import Database, reading
from survey_service.core.errors import Forbidden
from survey_service.core.permissions import Identity
from survey_service.organizations.queries import get_organization
from survey_service.ratings.presets import preset_text
from survey_service.ratings.previews import preview_changes, read_sensitivity
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.http.campaigns.callers import Caller, Offices, problem
from tests.http.ratings.conftest import Rating, open_rating, shares

OTHER_LINE = preset_text("township-classification").replace("title: 好, min: 90", "title: 好, min: 98")


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: it is read by the queries of the grades, which run on both."""
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    opened = open_rating(world, county, "township-classification", organization_codes=world.village_codes[:5])
    for village, total in enumerate((97, 95, 85, 75, 65)):
        opened.score(village, shares(total))
    return opened


def test_a_change_is_tried_and_nothing_is_stored(rating: Rating, town: Caller, secretary: Caller) -> None:
    before = rating.grades()
    found = town.post(rating.path("/what-if"), {"max_percents": {"好": "40"}}).json
    [moved] = found["moved"]
    assert moved["organization_code"] == rating.world.village_codes[1]
    assert (moved["grade_before"], moved["grade_after"]) == ("较好", "好")
    assert (found["base"], found["moved_elsewhere"], found["is_changed"]) == (5, 0, True)
    flows = [(one["before"], one["after"], one["count"]) for one in found["flows"]]
    assert ("较好", "好", 1) in flows
    assert sum(count for _, _, count in flows) == 5
    counts = [(one["grade"], one["before"], one["after"]) for one in found["grades"]]
    assert counts == [("好", 1, 2), ("较好", 2, 1), ("一般", 1, 1), ("较差", 1, 1)]
    assert rating.grades() == before
    assert problem(secretary.post(rating.path("/what-if"), {})) == (403, "forbidden")


def test_whoever_looks_reads_names_of_his_own_part_only(rating: Rating, offices: Offices) -> None:
    """The office at the first village learns that somebody else would move, and not who."""
    own = offices.caller(Role.TOWN_STAFF, "village")
    found = own.post(rating.path("/what-if"), {"max_percents": {"好": "40"}})
    assert (found.json["moved"], found.json["moved_elsewhere"], found.json["base"]) == ([], 1, 5)
    assert rating.world.village_codes[1] not in found.text
    ranking = own.get(rating.path("/sensitivity")).json
    assert [one["organization_code"] for one in ranking["items"]] == rating.world.village_codes[:1]
    assert ranking["pairs"] == 0


def test_a_trial_after_the_decision_leaves_final_grades_as_they_are(rating: Rating) -> None:
    rating.complete("self", "mass_evaluation", "summary", "town_assessment", "county_review")
    cycle, final = rating.stored(), rating.column("grade_final")
    trace = rating.county.get(rating.path(f"/grades/{rating.world.village_codes[1]}/trace")).json
    for body in ({"max_percents": {"好": "40"}}, {"source": OTHER_LINE}):
        assert rating.county.post(rating.path("/what-if"), body).json["moved"]
    assert rating.county.get(rating.path("/sensitivity")).status_code == 200
    assert (rating.stored(), rating.column("grade_final")) == (cycle, final)
    again = rating.county.get(rating.path(f"/grades/{rating.world.village_codes[1]}/trace")).json
    assert again == trace
    assert len(rating.county.get("/schemes").json["items"]) == 5


def test_a_rated_party_tries_nothing_even_past_the_door(rating: Rating) -> None:
    """Its role keeps it out; were it let in one day, drafts would still not be for it."""
    world = rating.world
    with reading() as session:
        village = get_organization(session, code=world.village_codes[0])
        rated = Identity(world.staff.id, "书记", Role.BRANCH_SECRETARY, village.id, village.path)
        for look in (preview_changes, read_sensitivity):
            with pytest.raises(Forbidden, match="not_released"):
                look(session, staff=rated, cycle_id=rating.id)


def test_a_whole_text_is_tried_and_refused_by_line(rating: Rating) -> None:
    written = preset_text("township-classification")
    lines = written.splitlines()
    line = next(number for number, one in enumerate(lines, 1) if "grade: 较好" in one)
    source = written.replace("title: 较好, min: 80", "title: 较好, min: 96")
    answer = rating.county.post(rating.path("/what-if"), {"source": source})
    assert list(answer.json["errors"]) == [str(line)]
    raised = written.replace("title: 好, min: 90", "title: 好, min: 98")
    found = rating.county.post(rating.path("/what-if"), {"source": raised}).json
    assert [one["step"] for one in found["moved"]] == [-1]
    wrong = rating.county.post(rating.path("/what-if"), {"points": {"leader": "20"}})
    assert problem(wrong) == (422, "invalid_scheme")
    assert set(wrong.json["errors"]) == {"indicators"}


def test_a_ranking_says_who_cannot_be_told_apart(rating: Rating) -> None:
    rating.score(1, shares(97))
    found = rating.county.get(rating.path("/sensitivity")).json
    assert [one["organization_code"] for one in found["items"]] == rating.world.village_codes[:5]
    assert (found["pairs"], found["indistinguishable"], found["parted"]) == (4, 1, 1)
    assert found["items"][0]["next"]["is_parted"]
    assert not found["has_intervals"]


def test_a_neighbour_tries_nothing(rating: Rating) -> None:
    neighbour = Offices(start_campaign(rating.world.app)).caller(Role.TOWN_STAFF, "town")
    assert problem(neighbour.post(rating.path("/what-if"), {})) == (403, "forbidden")
    assert problem(neighbour.get(rating.path("/sensitivity"))) == (403, "forbidden")


def test_a_scheme_leaves_as_a_workbook_and_comes_back_as_text(rating: Rating) -> None:
    county = rating.county
    sheet = county.get("/schemes/township-classification/sheet")
    upload = {"file": (BytesIO(sheet.data), "办法.xlsx")}
    read = county.client.post("/api/v1/schemes/sheet", data=upload, headers=county.headers)
    assert read.status_code == 200, read.text
    found = county.post(rating.path("/what-if"), {"source": read.json["source"]}).json
    assert found["moved"] == []
    bad = {"file": (BytesIO("【基本】,\n项目,内容\n代码,x\n".encode()), "x.csv")}
    answer = county.client.post("/api/v1/schemes/sheet", data=bad, headers=county.headers)
    assert problem(answer) == (422, "invalid_scheme")
