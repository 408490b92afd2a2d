"""Who scores an indicator: the values of other levels are refused, and the forms say so."""

import json
from pathlib import Path

import pytest
from flask import Flask

from survey_service.core.db import Database
from survey_service.core.spreadsheet import read_cells as cells_of
from tests.factories.applications import make_app
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller, fields_of, problem
from tests.http.ratings.conftest import FULL, Rating, open_rating
from tests.rules.ratings.schemes import documented_example

SELF_ASSESSED = {"meetings": "18", "governance": "27"}


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: what is refused does not reach the engine."""
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    """Town and county tick the checks (`basics`) and key in a mass score; everybody scores the rest."""
    assert county.post("/schemes", {"source": documented_example()}).status_code == 201
    return open_rating(world, county, "qinghe-secretary-star", organization_codes=world.village_codes[:1])


def test_somebody_elses_value_is_refused_whole(rating: Rating, secretary: Caller) -> None:
    place = rating.path(f"/subjects/{rating.world.village_codes[0]}")
    body = {"by": "self", "points": SELF_ASSESSED, "choices": {"members": "good"}}
    refused = secretary.put(f"{place}/scores", body | {"checks": {"basics": ["duty"]}})
    assert problem(refused) == (422, "scored_by_others")
    assert refused.json["errors"] == {"checks.basics": ["这个指标由乡镇、县级打分。"]}
    assert secretary.get(place).json["entries"][0]["self"] is None
    taken = secretary.put(f"{place}/scores", body | {"notes": {"basics": "坐班表在村部墙上"}})
    assert taken.json["total"] == "65.00"
    entry = next(one for one in secretary.get(place).json["entries"] if one["code"] == "basics")
    assert (entry["scored_by"], entry["self"]) == (["town", "county"], None)
    assert entry["notes"] == {"self": "坐班表在村部墙上"}


def test_a_sheet_is_complete_without_what_others_score(rating: Rating, secretary: Caller) -> None:
    place = rating.path(f"/subjects/{rating.world.village_codes[0]}")
    secretary.put(f"{place}/scores", {"by": "self", "points": {"meetings": "18"}})
    early = secretary.post(f"{place}/submit", {"by": "self"})
    assert fields_of(early) == {"points.members", "points.governance"}
    body = {"by": "self", "points": {"governance": "27"}, "choices": {"members": "good"}}
    assert secretary.put(f"{place}/scores", body).status_code == 200
    assert secretary.post(f"{place}/submit", {"by": "self"}).status_code == 200


def test_a_sheet_comes_to_something_without_the_mass_score(world: World, county: Caller) -> None:
    """A campaign gives it, and nobody writes it into a sheet: six indicators of 80 points are complete."""
    codes = world.village_codes[:1]
    opened = open_rating(
        world, county, "township-classification", organization_codes=codes, campaign_id=world.campaign_id
    )
    points = {code: str(most) for code, most in FULL.items() if code != "mass"}
    place = opened.path(f"/subjects/{codes[0]}")
    assert county.put(f"{place}/scores", {"by": "town", "points": points}).json["total"] == "80.00"
    assert county.get(place).json["totals"] == {"self": None, "town": "80.00", "county": None}
    assert opened.column("total") == [None]
    form = county.get(opened.path(f"/forms/self_assessment.xlsx?organization_code={codes[0]}"))
    assert "由群众测评得分折算" in json.dumps(cells_of(form.data), ensure_ascii=False)


def test_the_form_marks_what_is_not_self_assessed(rating: Rating) -> None:
    code = rating.world.village_codes[0]
    form = rating.county.get(rating.path(f"/forms/self_assessment.xlsx?organization_code={code}"))
    words = json.dumps(cells_of(form.data), ensure_ascii=False)
    assert words.count("不自评（乡镇、县级打分）") == 2
    standards = rating.county.get(rating.path("/forms/standards.xlsx"))
    assert "坐班值班、三务公开（由乡镇、县级打分）" in json.dumps(
        cells_of(standards.data), ensure_ascii=False
    )
