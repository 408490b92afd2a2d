"""Villages with many opinions, and the people who look at all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.privacy import current_keyring
from survey_service.insights import jobs
from survey_service.opinions.models import Opinion
from survey_service.opinions.policy import current_policy
from survey_service.opinions.receiving import Draft, Origin, store_anonymous
from survey_service.opinions.rules import Category, Level, Source
from survey_service.organizations.queries import get_organization
from tests.factories.opinions import OpinionWorld
from tests.http.opinions.conftest import both, place

__all__ = ["both", "crowd", "everywhere", "place"]


@dataclass(frozen=True)
class Crowd:
    """Many opinions at once, written past the forms, and what the hourly look makes of them."""

    world: OpinionWorld

    @property
    def villages(self) -> Sequence[str]:
        return self.world.world.village_codes

    def write(self, *texts: str, village: int = 0, days_ago: int = 0, **more: Any) -> list[int]:
        """Store opinions that came on a day, and return their ids."""
        day = clock.local_day(clock.now()) - timedelta(days=days_ago)
        with unit_of_work() as session:
            organization = get_organization(session, code=self.villages[village])
            return [
                store_anonymous(
                    session,
                    keyring=current_keyring(),
                    policy=current_policy(),
                    draft=Draft(text=text, **more),
                    origin=Origin(organization, Source.BOX),
                    today=day,
                )
                for text in texts
            ]

    def report(self, text: str, about: Level = Level.VILLAGE) -> int:
        return self.write(text, category=Category.REPORT, about=about)[0]

    def look(self) -> None:
        """Do what is done once an hour."""
        jobs.look_at_everything()

    def found(self, client: FlaskClient, words: str) -> list[int]:
        answer = client.get("/api/v1/opinion-search", query_string={"words": words})
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json["items"]]

    def items(self, client: FlaskClient, path: str) -> list[dict[str, Any]]:
        answer = client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        items: list[dict[str, Any]] = answer.json["items"]
        return items

    def opinion(self, opinion_id: int) -> Opinion:
        with reading() as session:
            return session.get_one(Opinion, opinion_id)


@pytest.fixture
def crowd(place: OpinionWorld) -> Crowd:
    return Crowd(place)


@pytest.fixture
def everywhere(both: OpinionWorld) -> Crowd:
    """The same on both engines."""
    return Crowd(both)
