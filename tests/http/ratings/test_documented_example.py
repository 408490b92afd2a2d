"""The complete example of docs/ratings.md, stored as it stands there and run to its filed result."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller
from tests.http.ratings.conftest import Rating, open_rating
from tests.rules.ratings.schemes import PAGE, documented_example

BONUS, PENALTY = {"honour": "3", "pilot": "4"}, {"petition": "5"}


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: the five systems run on both."""
    return make_app(tmp_path, sqlite_database)


def rows() -> list[dict[str, str]]:
    """Return the rows of the table under the example by their headings."""
    lines = [
        line for line in PAGE.splitlines() if line.startswith("| village |") or re.match(r"\| \d \|", line)
    ]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(cells[0], row, strict=True)) for row in cells[1:]]


def fill_in(rating: Rating, village: int, row: dict[str, str]) -> None:
    points = {code: row[code] for code in ("meetings", "governance", "mass")}
    more: dict[str, Any] = {
        "choices": {"members": row["members"]},
        "checks": {"basics": row["basics"].split()},
    }
    rating.score(village, points, **more)
    found = set(row["found"].split())
    body: dict[str, Any] = {
        "bonus": {code: BONUS[code] for code in sorted(found & BONUS.keys())},
        "penalty": {code: PENALTY[code] for code in sorted(found & PENALTY.keys())},
        "findings": {"discipline": "警告"} if "discipline" in found else {},
    }
    rating.find(village, **body | ({"excluded": "任职不满半年"} if "excluded" in found else {}))


def test_the_example_of_the_page_runs_to_its_filed_result(world: World, county: Caller) -> None:
    made = county.post("/schemes", {"source": documented_example()})
    assert made.status_code == 201, made.text
    assert made.json["assumptions"] == ["caps[0].below"]
    table = rows()
    rating = open_rating(
        world, county, made.json["code"], organization_codes=world.village_codes[: len(table)]
    )
    for village, row in enumerate(table):
        fill_in(rating, village, row)
    self_assessed = {"meetings": "20", "governance": "30"}
    rating.score(0, self_assessed, by="self", choices={"members": "good"})
    rating.complete("self", "town", "county")
    rating.let_days_pass(6)
    rating.complete("notice", "filing")
    assert rating.column("grade_final") == [row["grade"] or None for row in table]
    assert rating.column("total")[:6] == [row["total"] for row in table[:6]]
    filed = county.get(rating.path()).json
    assert (filed["step"], filed["rewards"][0]["sum"]) == (None, "13200.00")
    assert county.get(rating.path("/grades/file")).json["document"]["grades"][0]["grade"] == "star5"
