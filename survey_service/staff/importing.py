"""Use cases of importing accounts: a sheet of people, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.import_files import ImportFiles, InvalidRows, read_upload
from survey_service.core.permissions import Identity
from survey_service.core.sheet_rows import Cell, Problems, merge_problems
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import find_by_codes
from survey_service.organizations.rules import ProblemKind
from survey_service.staff import queries
from survey_service.staff.import_rows import (
    HEADINGS,
    AccountRow,
    Column,
    Creator,
    Place,
    Present,
    check_rows,
    make_username,
    read_rows,
)
from survey_service.staff.rules import Role
from survey_service.staff.service import NewPassword, add_account, approval

ACCOUNTS_TARGET = "accounts"
_OFFERED_ROLES = (Role.BRANCH_SECRETARY, Role.TOWN_STAFF)


def _word(value: object) -> object:
    return text(f"staff.role_{value}") if isinstance(value, Role) else value


FILES = ImportFiles("staff", HEADINGS, word=_word, topics={ProblemKind: "organizations"})


def write_template() -> bytes:
    """Return the XLSX to fill in, and its explanation."""
    return FILES.write_template({Column.ROLE: [text(f"staff.role_{role}") for role in _OFFERED_ROLES]})


@dataclass(frozen=True)
class _Upload:
    cells: Sequence[Sequence[Cell]]
    rows: Sequence[AccountRow]
    problems: Problems


def _read(content: bytes, filename: str) -> _Upload:
    cells = read_upload(content, filename)
    return _Upload(cells, *read_rows(cells))


def import_accounts(
    session: Session, *, content: bytes, filename: str, by: Identity | None, now: datetime
) -> list[NewPassword]:
    """Create the accounts of a sheet with one-time passwords, all or none of them.

    `by` may create at or below his own role and inside his sub-tree; without `by` it is the operator.
    Raises InvalidRows and UnreadableFile, and Conflict when a user name was taken at this moment.
    """
    # Read before the first statement: a slow file must not keep the writers of ballots waiting.
    upload = _read(content, filename)
    places = find_by_codes(session, _codes(upload.rows))
    if problems := _all_problems(session, upload, places, by):
        raise InvalidRows(FILES.sentences(problems))
    names = _usernames(session, upload.rows)
    approved = {code: approval(session, place.path, by=by, now=now) for code, place in places.items()}
    made = [
        _add(session, row, names[row.number], places[row.organization_code], approved, now)
        for row in upload.rows
    ]
    accounts = {
        one.account.username: [one.account.role, one.account.organization.code, one.account.display_name]
        for one in made
    }
    facts = {"file": sha256(content).hexdigest(), "accounts": accounts}
    record(session, "staff.import", ACCOUNTS_TARGET, after=facts)
    return made


def _add(
    session: Session,
    row: AccountRow,
    username: str,
    place: Organization,
    approved: Mapping[str, datetime | None],
    now: datetime,
) -> NewPassword:
    assert row.role is not None
    return add_account(
        session,
        username=username,
        display_name=row.display_name,
        role=row.role,
        organization=place,
        approved_at=approved[place.code],
        now=now,
    )


def check_import(session: Session, *, content: bytes, filename: str, by: Identity | None) -> bytes:
    """Return a copy of the sheet as XLSX in which the bad rows are marked; writes nothing.

    Raises UnreadableFile.
    """
    upload = _read(content, filename)
    places = find_by_codes(session, _codes(upload.rows))
    return FILES.write_checked_copy(upload.cells, _all_problems(session, upload, places, by))


def _codes(rows: Sequence[AccountRow]) -> list[str]:
    return sorted({row.organization_code for row in rows if row.organization_code})


def _all_problems(
    session: Session, upload: _Upload, places: dict[str, Organization], by: Identity | None
) -> Problems:
    present = Present(
        places={code: Place(one.id, one.path) for code, one in places.items()},
        usernames=queries.taken_usernames(session, [row.username for row in upload.rows if row.username]),
        people=queries.active_people(session, organization_ids=[one.id for one in places.values()]),
    )
    creator = Creator() if by is None else Creator(by.path, Role(by.role))
    return merge_problems(upload.problems, check_rows(upload.rows, present, creator=creator))


def _usernames(session: Session, rows: Sequence[AccountRow]) -> dict[int, str]:
    """Return the user name of each row by its number; those that were not given are made."""
    names = {row.number: row.username for row in rows if row.username}
    used = set(names.values())
    for row in rows:
        if row.number not in names:
            names[row.number] = free_username(session, row.organization_code, used)
            used.add(names[row.number])
    return names


def free_username(session: Session, organization_code: str, used: set[str]) -> str:
    """Return a made user name that nobody has."""
    while True:
        name = make_username(organization_code)
        if name not in used and not queries.taken_usernames(session, [name]):
            return name
