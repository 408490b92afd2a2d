"""What must hold when two of the committee decide at once; commits are real here."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import select

from survey_service.core.errors import Conflict
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_ancestors
from survey_service.ratings.decisions import decide_grade
from survey_service.ratings.models import RatingDecision
from survey_service.ratings.process import complete_step
from survey_service.ratings.service import open_cycle
from survey_service.ratings.sheets import fill_in_sheet
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.factories.staff.offices import add_person

MEMBERS = 4


def county_staff(world: World) -> Identity:
    with world.app.extensions["database"].unit_of_work() as session:
        county = list_ancestors(session, path=world.staff.path)[0]
        place = session.scalars(select(Organization).where(Organization.code == county.code)).one()
        person = add_person(session, "committee", Role.COUNTY_ADMIN, place)
        return Identity(person.id, "committee", Role.COUNTY_ADMIN, place.id, place.path)


def test_of_several_who_decide_at_once_one_is_heard(committed_world: World) -> None:
    world, staff = committed_world, county_staff(committed_world)
    database, code = world.app.extensions["database"], committed_world.village_codes[0]
    with database.unit_of_work() as session:
        cycle_id = open_cycle(
            session,
            staff=staff,
            scheme="raoping-centre-star",
            title="2026",
            organization_codes=[code],
            now=NOW,
        ).cycle.id
        acting = {"staff": staff, "cycle_id": cycle_id, "now": NOW}
        points = {"points": {"site": 28, "operation": 28, "effect": 38}}
        fill_in_sheet(session, organization_code=code, level=Level.TOWN, entries=points, **acting)
        for step in ("self", "town_assessment"):
            complete_step(session, step=step, **acting)
    together = Barrier(MEMBERS)

    def decide(member: int) -> str:
        together.wait()
        try:
            with world.app.app_context(), database.unit_of_work() as session:
                given = {"grade": "star4", "reason": f"意见{member}"}
                decide_grade(session, organization_code=code, **given, **acting)
        except Conflict as error:
            return error.code
        return "decided"

    with ThreadPoolExecutor(MEMBERS) as pool:
        answers = sorted(pool.map(decide, range(MEMBERS)))
    assert answers == ["already_decided"] * (MEMBERS - 1) + ["decided"]
    with database.reading() as session:
        made = session.scalars(select(RatingDecision).where(RatingDecision.cycle_id == cycle_id)).all()
    assert [one.number for one in made] == [1]
