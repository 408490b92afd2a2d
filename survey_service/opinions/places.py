"""Which organization stands for a level: the village itself, its town, its county."""

from collections.abc import Sequence

from survey_service.opinions.rules import Level
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind

_LEVELS = {
    OrganizationKind.CITY: Level.COUNTY,
    OrganizationKind.COUNTY: Level.COUNTY,
    OrganizationKind.TOWN: Level.TOWN,
    OrganizationKind.VILLAGE: Level.VILLAGE,
    OrganizationKind.COMMUNITY: Level.VILLAGE,
    OrganizationKind.BRANCH: Level.VILLAGE,
}
_HEIGHT = {Level.VILLAGE: 0, Level.TOWN: 1, Level.COUNTY: 2}


def level_of(organization: Organization) -> Level:
    """Return the level on which an organization handles cases."""
    return _LEVELS[organization.kind]


def place_at(ancestors: Sequence[Organization], level: Level) -> Organization:
    """Return who handles a case at a level: the lowest organization of that level or above it.

    `ancestors` lead from the root down to the organization itself. Where a tree ends below the level, its
    root stands for it.
    """
    fitting = [one for one in ancestors if _HEIGHT[level_of(one)] >= _HEIGHT[level]]
    return fitting[-1] if fitting else ancestors[0]


def place_above(ancestors: Sequence[Organization], concealed: Organization | None) -> Organization:
    """Return who looks at a fresh opinion first: the lowest office above what must not learn of it."""
    above = [one for one in ancestors if concealed is None or len(one.path) < len(concealed.path)]
    return place_at(above or ancestors[:1], Level.TOWN)
