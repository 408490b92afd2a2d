"""Organizations for tests: a call makes one with sensible values for what it does not name."""

from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind, path_under

_serials = count(1)


def create_organization(
    session: Session,
    kind: OrganizationKind = OrganizationKind.VILLAGE,
    *,
    parent: Organization | None = None,
    code: str | None = None,
    **values: Any,
) -> Organization:
    """Store an organization under a parent, or as a root."""
    serial = next(_serials)
    # Codes of one width sort in the order in which they were made, also behind the ninety-ninth.
    values = {"name": f"{kind.value}{serial}"} | values
    organization = Organization(code=code or f"T{serial:06}", kind=kind, parent=parent, path="", **values)
    session.add(organization)
    session.flush()
    organization.path = path_under(parent.path if parent else None, organization.id)
    session.flush()
    return organization


def create_town(session: Session, *, villages: int = 0, **values: Any) -> Organization:
    """Store a county with one town and its villages; return the town."""
    county = create_organization(session, OrganizationKind.COUNTY)
    town = create_organization(session, OrganizationKind.TOWN, parent=county, **values)
    for _ in range(villages):
        create_organization(session, parent=town)
    return town
