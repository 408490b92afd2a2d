"""The vocabulary of the tree of organizations: kinds, who stands under whom, and paths."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

MAX_CODE_LENGTH = 32
MAX_NAME_LENGTH = 100
MAX_EDITION_LENGTH = 16
MAX_SIZE = 100_000_000
"""More people than any Chinese city has; it keeps a mistyped phone number out of a roster."""


class OrganizationKind(StrEnum):
    """The levels of the tree; a region code belongs to the first five only."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    COMMUNITY = "community"
    BRANCH = "branch"


class SubjectKind(StrEnum):
    """What of an organization is rated (`domain.md` section 2)."""

    BRANCH = "branch"
    PARTY_ORG = "party_org"
    SERVICE_CENTRE = "service_centre"
    PERSON = "person"


class RosterSize(StrEnum):
    """The three sizes that an organization carries; also the names of their columns."""

    HOUSEHOLDS = "households"
    MEMBERS = "members"
    VILLAGERS = "villagers"


ALLOWED_PARENTS: Mapping[OrganizationKind, frozenset[OrganizationKind | None]] = MappingProxyType(
    {
        OrganizationKind.CITY: frozenset({None}),
        OrganizationKind.COUNTY: frozenset({None, OrganizationKind.CITY}),
        # A few cities (Dongguan, Zhongshan, Danzhou, Jiayuguan) have towns and no counties.
        OrganizationKind.TOWN: frozenset({None, OrganizationKind.COUNTY, OrganizationKind.CITY}),
        OrganizationKind.VILLAGE: frozenset({OrganizationKind.TOWN}),
        OrganizationKind.COMMUNITY: frozenset({OrganizationKind.TOWN}),
        OrganizationKind.BRANCH: frozenset(
            {
                OrganizationKind.VILLAGE,
                OrganizationKind.COMMUNITY,
                OrganizationKind.TOWN,
                OrganizationKind.COUNTY,
                OrganizationKind.CITY,
            }
        ),
    }
)
"""None stands for the root: an installation may begin at a city, a county or a single town."""


_COMMITTEES = {
    "村村民委员会": "村",
    "村民委员会": "村",
    "村委会": "村",
    "社区居民委员会": "社区",
    "社区居委会": "社区",
    "居民委员会": "社区",
    "居委会": "社区",
}
"""The bureau of statistics lists places by the names of their committees; longer endings stand first."""


class ProblemKind(StrEnum):
    """What can be wrong with a row; the sentence is `organizations.problem_<value>`."""

    CODE_MISSING = "code_missing"
    CODE_LOST_DIGITS = "code_lost_digits"
    CODE_TOO_LONG = "code_too_long"
    CODE_CHARACTERS = "code_characters"
    NAME_MISSING = "name_missing"
    NAME_TOO_LONG = "name_too_long"
    NAME_CHARACTERS = "name_characters"
    NAME_FORMULA = "name_formula"
    KIND_MISSING = "kind_missing"
    KIND_UNKNOWN = "kind_unknown"
    EDITION_TOO_LONG = "edition_too_long"
    EDITION_CHARACTERS = "edition_characters"
    SIZE_NOT_A_NUMBER = "size_not_a_number"
    SIZE_NOT_WHOLE = "size_not_whole"
    SIZE_NEGATIVE = "size_negative"
    SIZE_TOO_LARGE = "size_too_large"
    DUPLICATE_CODE = "duplicate_code"
    PARENT_UNKNOWN = "parent_unknown"
    PARENT_MISSING = "parent_missing"
    PARENT_KIND = "parent_kind"
    CHILD_KIND = "child_kind"
    CYCLE = "cycle"
    OUT_OF_SCOPE = "out_of_scope"


def may_stand_under(kind: OrganizationKind, parent: OrganizationKind | None) -> bool:
    """Tell whether an organization of a kind may have such a parent; None is the root."""
    return parent in ALLOWED_PARENTS[kind]


def place_name(name: str) -> str:
    """Return the place that an organization's name means: 麻寮村委会 is 麻寮村."""
    for committee, place in _COMMITTEES.items():
        if name.endswith(committee) and name != committee:
            return name.removesuffix(committee) + place
    return name


def path_under(parent_path: str | None, organization_id: int) -> str:
    """Return the path of an organization: the ids from the root down to itself, as in `/1/5/17/`."""
    return f"{parent_path or '/'}{organization_id}/"


def ids_on_path(path: str) -> tuple[int, ...]:
    """Return the ids from the root down to the organization itself."""
    return tuple(int(part) for part in path.split("/") if part)
