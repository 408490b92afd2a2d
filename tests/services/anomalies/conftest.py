"""A town with flagged ballots, and the people who look at them."""

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy.orm import Session

from survey_service.anomalies.service import decide_exclusion, propose_exclusion
from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import Database
from survey_service.core.permissions import Identity
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.staff.rules import Role
from survey_service.tallies.models import Exclusion
from tests.factories.campaigns import NOW, World, identity
from tests.factories.staff.offices import add_person

REASON = "同一部手机，电话核实过"


@dataclass
class Office:
    """The people of a town and of its county, and what they do about the first village."""

    world: World
    first: Identity
    second: Identity
    county: Identity
    secretary: Identity

    @property
    def database(self) -> Database:
        database: Database = self.world.app.extensions["database"]
        return database

    def propose(self, *, by: Identity | None = None, **changes: Any) -> int:
        """Propose to exclude what was too fast by household codes in the first village."""
        group = {
            "organization_code": self.world.village_codes[0],
            "rater_class": RaterClass.VILLAGER,
            "mode": Mode.HOUSEHOLD,
            "flag": BallotFlag.TOO_FAST,
            "reason": REASON,
            "now": NOW,
        }
        with self.world.app.app_context(), self.database.unit_of_work() as session:
            return propose_exclusion(
                session,
                staff=by or self.first,
                campaign_id=self.world.campaign_id,
                **group | changes,  # type: ignore[arg-type]
            ).id

    def decide(self, exclusion_id: int, *, by: Identity | None = None, confirm: bool = True) -> None:
        with self.world.app.app_context(), self.database.unit_of_work() as session:
            decide_exclusion(
                session,
                staff=by or self.second,
                campaign_id=self.world.campaign_id,
                exclusion_id=exclusion_id,
                is_confirmed=confirm,
                reason=REASON,
                now=NOW,
            )
        self.world.drain()

    def exclude(self, **changes: Any) -> None:
        self.decide(self.propose(**changes))

    def exclusions(self) -> list[Exclusion]:
        with self.database.reading() as session:
            return list(session.query(Exclusion).order_by(Exclusion.id))


def open_office(world: World) -> Office:
    with world.app.extensions["database"].unit_of_work() as session:
        first, second = (add_town_person(session, world, name) for name in ("first", "second"))
        county = list_ancestors(session, path=world.staff.path)[0]
        above = add_person(session, f"above.{county.id}", Role.COUNTY_ADMIN, county)
        village = get_organization(session, code=world.village_codes[0])
        below = add_person(session, f"below.{village.id}", Role.BRANCH_SECRETARY, village)
        return Office(world, first, second, identity(above, county), identity(below, village))


def add_town_person(session: Session, world: World, name: str) -> Identity:
    town = get_organization(session, code=world.town_code)
    return identity(add_person(session, f"{name}.{town.id}", Role.TOWN_STAFF, town), town)


@pytest.fixture
def office(world: World) -> Office:
    """On both kinds of database, rolled back after the test."""
    return open_office(world)


@pytest.fixture
def committed_office(committed_world: World) -> Office:
    """With real commits: sealing and races need them."""
    return open_office(committed_world)
