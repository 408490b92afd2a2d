"""The results that the texts tell of come out of the invented scores, through the real services."""

import random
from pathlib import Path

from survey_service.core.db import Database
from survey_service.demonstration.systems import CANCELLED, FIVE_STARS, PLACES, load_systems
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.ratings.presets import presets
from survey_service.ratings.rules import reward_sums
from survey_service.ratings.scheme_reading import scheme_of
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW


def test_of_109_secretaries_two_have_five_stars_and_two_four(
    sqlite_database: Database, tmp_path: Path
) -> None:
    """As published in June 2023: 2 five stars, 2 four stars, 105 three stars and below."""
    places = [place for place in PLACES if place.file == "shuocheng"]
    with make_app(tmp_path, sqlite_database).app_context():
        (line,) = load_systems(now=NOW, places=places)
        assert list(load_systems(now=NOW, places=places)) == [line], "what is there stays as it is"
    counts = {
        grade: int(count) for grade, count in (part.split() for part in line.rpartition(": ")[2].split(", "))
    }
    assert (counts.pop("star5"), counts.pop("star4"), sum(counts.values())) == (2, 2, 105)


def test_two_hundred_five_star_branches_cost_two_million() -> None:
    """200 × 10,000 = 2,000,000, and their secretaries 200 × 500 × 12 = 1,200,000 a year."""
    scheme = scheme_of(presets()["feicheng-branch-star"])
    sums = reward_sums(scheme, [("star5", "rural")] * FIVE_STARS + [("star5", "school")])
    assert sums["branch_funds"] == (200, 2_000_000)
    assert sums["secretary_allowance"] == (200, 1_200_000)


def test_as_many_villages_are_planned_to_keep_five_stars() -> None:
    (place,) = [place for place in PLACES if place.file == "feicheng"]
    villages = [Organization(code=str(one), kind=OrganizationKind.VILLAGE) for one in range(578)]
    planned = list(place.plan(villages, random.Random(place.scheme)))
    best = [one for one in planned if one.level >= 90]
    assert len(best) == FIVE_STARS + CANCELLED
    assert sum(bool(one.findings) for one in best) == CANCELLED
