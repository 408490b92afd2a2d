"""A county with two towns and people who work there: the small world of the staff tests."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind, path_under
from survey_service.staff import service
from survey_service.staff.models import StaffAccount
from survey_service.staff.passwords import hash_password
from survey_service.staff.rules import Role, TokenKind
from survey_service.staff.service import Grant

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
PASSWORD = "Tangxi-2026"
PASSWORD_HASH = hash_password(PASSWORD)
"""Made once: a good hash is slow."""

PLACES = (
    ("county", OrganizationKind.COUNTY, None),
    ("tangxi", OrganizationKind.TOWN, "county"),
    ("village", OrganizationKind.VILLAGE, "tangxi"),
    ("other", OrganizationKind.TOWN, "county"),
    ("other-village", OrganizationKind.VILLAGE, "other"),
)
PEOPLE = (
    ("county.admin", Role.COUNTY_ADMIN, "county"),
    ("county.auditor", Role.AUDITOR, "county"),
    ("town.staff", Role.TOWN_STAFF, "tangxi"),
    ("town.secretary", Role.BRANCH_SECRETARY, "village"),
    ("other.staff", Role.TOWN_STAFF, "other"),
    ("other.secretary", Role.BRANCH_SECRETARY, "other-village"),
)


@dataclass(frozen=True)
class Offices:
    """Organizations by code, accounts by user name; everybody's password is `PASSWORD`."""

    places: dict[str, Organization]
    people: dict[str, StaffAccount]


def open_offices(session: Session) -> Offices:
    """Write the small world."""
    places: dict[str, Organization] = {}
    for code, kind, parent in PLACES:
        places[code] = add_place(session, code, kind, places[parent] if parent else None)
    people = {name: add_person(session, name, role, places[code]) for name, role, code in PEOPLE}
    return Offices(places, people)


def add_place(
    session: Session, code: str, kind: OrganizationKind, parent: Organization | None
) -> Organization:
    place = Organization(code=code, name=f"{code} 名称", kind=kind, parent_id=parent and parent.id, path="")
    session.add(place)
    session.flush()
    place.path = path_under(parent.path if parent else None, place.id)
    session.flush()
    return place


def add_person(session: Session, username: str, role: Role, place: Organization) -> StaffAccount:
    person = StaffAccount(
        username=username,
        display_name=f"{username} 同志",
        password_hash=PASSWORD_HASH,
        role=role,
        organization=place,
        must_change_password=False,
        created_at=NOW,
        approved_at=NOW,
    )
    session.add(person)
    session.flush()
    return person


def sign_in(session: Session, username: str, *, kind: TokenKind, now: datetime = NOW) -> Grant:
    """Take both steps of signing in within one unit of work."""
    proof = service.open_attempt(session, username=username, now=now).prove(PASSWORD)
    return service.open_session(session, proof=proof, kind=kind, now=now)
