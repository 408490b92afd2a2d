"""A town of thirteen villages with people around it, and the calls of a rating."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from survey_service.ratings.models import RatingCycle, RatingMove
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.campaigns.callers import Caller, Offices

FULL = {"leader": 15, "plan": 10, "rules": 10, "site": 15, "guarantee": 10, "performance": 20, "mass": 20}


def shares(total: Any) -> dict[str, str]:
    """Return points of the township's seven indicators that come to a total."""
    exact = {code: Fraction(str(total)) * most / 100 for code, most in FULL.items()}
    return {code: format(float(value), ".6g") for code, value in exact.items()}


@dataclass
class Rating:
    """One cycle and who calls about it."""

    world: World
    county: Caller
    id: int

    def path(self, rest: str = "") -> str:
        return f"/rating-cycles/{self.id}{rest}"

    def score(self, village: int, points: Mapping[str, str], by: str = "town", **more: Any) -> None:
        code = self.world.village_codes[village]
        body = {"by": by, "points": points} | more
        answer = self.county.put(self.path(f"/subjects/{code}/scores"), body)
        assert answer.status_code == 200, answer.text

    def find(self, village: int, **body: Any) -> None:
        code = self.world.village_codes[village]
        answer = self.county.put(self.path(f"/subjects/{code}/findings"), body)
        assert answer.status_code == 200, answer.text

    def complete(self, *steps: str) -> None:
        for step in steps:
            answer = self.county.post(self.path(f"/{step}"))
            assert answer.status_code == 200, answer.text

    def let_days_pass(self, days: int) -> None:
        """Set back when the step that is due began; whoever calls stays signed in."""
        with self.world.app.extensions["database"].unit_of_work() as session:
            newest = session.scalars(
                select(RatingMove).where(RatingMove.cycle_id == self.id).order_by(RatingMove.id.desc())
            ).first()
            assert newest is not None
            newest.at -= timedelta(days=days)

    def visit(self, *villages: int) -> None:
        """Note that the places were visited, and found as was written."""
        body = {"visited_on": "2026-11-20", "visitors": "复核专班", "outcome": "confirmed", "text": "属实"}
        for village in villages:
            path = self.path(f"/subjects/{self.world.village_codes[village]}/visits")
            assert self.county.post(path, body).status_code == 201

    def stored(self) -> dict[str, Any]:
        """Return the row of the cycle as it stands in the database."""
        with self.world.app.extensions["database"].reading() as session:
            row = session.get_one(RatingCycle, self.id)
            return {column.key: getattr(row, column.key) for column in RatingCycle.__table__.columns}

    def grades(self) -> list[dict[str, Any]]:
        """Return the rows in the order of the villages."""
        rows = {row["organization_code"]: row for row in self.county.get(self.path("/grades")).json["items"]}
        return [rows[code] for code in self.world.village_codes if code in rows]

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.grades()]


def open_rating(world: World, county: Caller, scheme: str, **body: Any) -> Rating:
    given = {"scheme": scheme, "title": "2026年度评定", "under": world.town_code} | body
    if "organization_codes" in body:
        del given["under"]
    answer = county.post("/rating-cycles", given)
    assert answer.status_code == 201, answer.text
    return Rating(world, county, answer.json["id"])


@pytest.fixture
def world(campaign_app: Flask) -> Iterator[World]:
    """On both kinds of database; beside it another town, so that a forgotten WHERE shows."""
    with campaign_app.app_context():
        start_campaign(campaign_app, villages=1)
        yield start_campaign(campaign_app, villages=13)


@pytest.fixture
def offices(world: World, frozen_clock: None) -> Offices:
    return Offices(world)


@pytest.fixture
def county(offices: Offices) -> Caller:
    return offices.caller(Role.COUNTY_ADMIN, "county")


@pytest.fixture
def town(offices: Offices) -> Caller:
    return offices.caller(Role.TOWN_STAFF, "town")


@pytest.fixture
def secretary(offices: Offices) -> Caller:
    """The secretary of the first village."""
    return offices.caller(Role.BRANCH_SECRETARY, "village")
