"""The tree of organizations as pages show it: one level at a time, and what is wrong with an import."""

from collections.abc import Sequence
from dataclasses import dataclass

from survey_service.core.texts import text
from survey_service.organizations.import_files import kind_name
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import PAGE_SIZE
from survey_service.organizations.service import ImportResult
from survey_service.reports.presentation.frame import Link
from survey_service.reports.presentation.imports import ORGANIZATIONS, ImportPage
from survey_service.reports.presentation.turnout import UNKNOWN
from survey_service.reports.tree import Level


@dataclass(frozen=True)
class OrganizationRow:
    code: str
    name: str
    url: str
    kind: str
    households: str
    members: str
    villagers: str
    is_roster_generated: bool


@dataclass(frozen=True)
class OrganizationsPage:
    """`above` leads from the reader's own organization down to the one whose level is shown."""

    above: Sequence[Link]
    name: str
    code: str
    rows: Sequence[OrganizationRow]
    next_url: str

    @property
    def has_generated_rosters(self) -> bool:
        return any(row.is_roster_generated for row in self.rows)


def _address(code: str) -> str:
    return f"/staff/organizations?parent={code}"


def organizations_page(level: Level) -> OrganizationsPage:
    *above, shown = level.line
    is_long = len(level.children) == PAGE_SIZE
    return OrganizationsPage(
        above=[Link(one.name, _address(one.code)) for one in above],
        name=shown.name,
        code=shown.code,
        rows=[_row(one) for one in level.children],
        next_url=f"{_address(shown.code)}&cursor={level.children[-1].id}" if is_long else "",
    )


def _row(one: Organization) -> OrganizationRow:
    sizes = {str(size): UNKNOWN if number is None else str(number) for size, number in one.sizes.items()}
    return OrganizationRow(
        code=one.code,
        name=one.name,
        url=_address(one.code),
        kind=kind_name(one.kind),
        households=sizes["households"],
        members=sizes["members"],
        villagers=sizes["villagers"],
        is_roster_generated=one.is_roster_generated,
    )


def finished_import(result: ImportResult) -> ImportPage:
    sentence = text("staff_pages.imported", created=result.created, updated=result.updated)
    return ImportPage(ORGANIZATIONS, sentence, is_done=True)
