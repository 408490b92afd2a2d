"""From the cells of a sheet to checked people: names, roles, organizations (pure)."""

import secrets
from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from survey_service.core.sheet_rows import (
    Cell,
    CellError,
    FilledRow,
    Headings,
    Problem,
    Problems,
    cell_text,
    squeeze,
    without_note,
)
from survey_service.organizations.import_rows import read_required_code
from survey_service.staff.rules import Role, is_display_name, is_username, may_create, normalize_username

MOST_ACCOUNTS = 2_000
"""A county has 400 branches; the slips of 2,000 people are set in a few seconds."""

Value = TypeVar("Value")


class Column(StrEnum):
    """The columns that an import understands. Nobody is asked for a telephone number."""

    DISPLAY_NAME = "display_name"
    USERNAME = "username"
    ROLE = "role"
    ORGANIZATION_CODE = "organization_code"


_NAMES: Mapping[Column, str] = MappingProxyType(
    {
        Column.DISPLAY_NAME: "display_name name 姓名 名字 书记姓名",
        Column.USERNAME: "username 用户名 账号 帐号 登录名",
        Column.ROLE: "role 角色 岗位 账号类型",
        Column.ORGANIZATION_CODE: "organization_code code 组织编码 组织代码 编码 代码 区划代码 单位编码",
    }
)
HEADINGS = Headings(_NAMES, required=(Column.DISPLAY_NAME, Column.ROLE, Column.ORGANIZATION_CODE))

_ROLE_NAMES: Mapping[Role, str] = MappingProxyType(
    {
        Role.BRANCH_SECRETARY: "branch_secretary 党支部书记 支部书记 村书记 书记",
        Role.TOWN_STAFF: "town_staff 乡镇工作人员 镇工作人员 乡镇干部",
        Role.COUNTY_ADMIN: "county_admin 县级管理员",
        Role.AUDITOR: "auditor 审计员 审计管理员",
        Role.SYSTEM_ADMIN: "system_admin 系统管理员",
        Role.SECURITY_ADMIN: "security_admin 安全管理员",
    }
)
_ROLE_OF = {word: role for role, words in _ROLE_NAMES.items() for word in words.split()}

_USERNAME_TAIL = 6
_USERNAME_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_RANDOM_LETTERS = 3


class AccountProblem(StrEnum):
    """What can be wrong with a row; the sentence is `staff.problem_<value>`."""

    NAME_FORM = "name_form"
    USERNAME_FORM = "username_form"
    ROLE_MISSING = "role_missing"
    ROLE_UNKNOWN = "role_unknown"
    ROLE_NOT_ALLOWED = "role_not_allowed"
    PLACE_UNKNOWN = "place_unknown"
    OUT_OF_SCOPE = "out_of_scope"
    USERNAME_TAKEN = "username_taken"
    USERNAME_TWICE = "username_twice"
    PERSON_TWICE = "person_twice"
    PERSON_EXISTS = "person_exists"
    TOO_MANY = "too_many"


@dataclass(frozen=True)
class AccountRow:
    """One row as far as it could be read; what could not be read is "" or None."""

    number: int
    display_name: str
    username: str
    role: Role | None
    organization_code: str


@dataclass(frozen=True)
class Place:
    """An organization that a row names."""

    id: int
    path: str


@dataclass(frozen=True)
class Present:
    """What stands in the database already."""

    places: Mapping[str, Place] = field(default_factory=dict)
    usernames: Collection[str] = frozenset()
    people: Collection[tuple[str, Role, int]] = frozenset()


@dataclass(frozen=True)
class Creator:
    """Whose rights an import has; no path and no role is the operator at the command line."""

    path: str = "/"
    role: Role | None = None

    def may_create(self, role: Role) -> bool:
        return self.role is None or may_create(self.role, role)


def read_rows(cells: Sequence[Sequence[Cell]]) -> tuple[list[AccountRow], Problems]:
    """Read the rows below the headings, and find what is wrong with each by itself."""
    filled, problems = HEADINGS.read(cells)
    if len(filled) > MOST_ACCOUNTS:
        last = filled[MOST_ACCOUNTS].number
        return [], {last: [Problem(AccountProblem.TOO_MANY, {"most": MOST_ACCOUNTS})]}
    rows = []
    for one in filled:
        row, found = _read_row(one)
        rows.append(row)
        if found:
            problems[one.number] = found
    return rows, problems


def _read_row(filled: FilledRow[Column]) -> tuple[AccountRow, list[Problem]]:
    problems: list[Problem] = []

    def read(column: Column, reader: Callable[[Cell], Value], instead: Value) -> Value:
        try:
            return reader(filled.cells.get(column, ""))
        except CellError as refusal:
            problems.append(Problem(refusal.problem.kind, {"column": column} | dict(refusal.problem.values)))
            return instead

    row = AccountRow(
        number=filled.number,
        display_name=read(Column.DISPLAY_NAME, _read_name, ""),
        username=read(Column.USERNAME, _read_username, ""),
        role=read(Column.ROLE, _read_role, None),
        organization_code=read(Column.ORGANIZATION_CODE, read_required_code, ""),
    )
    return row, problems


def _read_name(cell: Cell) -> str:
    name = cell_text(cell)
    if not is_display_name(name):
        raise CellError(AccountProblem.NAME_FORM)
    return name


def _read_username(cell: Cell) -> str:
    """Return a normalized user name, or "" for one to be made."""
    name = normalize_username(cell_text(cell))
    if name and not is_username(name):
        raise CellError(AccountProblem.USERNAME_FORM)
    return name


def _read_role(cell: Cell) -> Role:
    if not (word := squeeze(cell)):
        raise CellError(AccountProblem.ROLE_MISSING)
    role = _ROLE_OF.get(without_note(word).lower())
    if role is None:
        raise CellError(AccountProblem.ROLE_UNKNOWN, given=word[:20])
    return role


def check_rows(rows: Sequence[AccountRow], present: Present, *, creator: Creator) -> Problems:
    """Return what is wrong with the rows beside each other, in the tree, and for the one who imports."""
    problems: Problems = defaultdict(list)
    for row in rows:
        problems[row.number] += [*_place_problems(row, present, creator), *_name_problems(row, present)]
    names = {row.number: row.username for row in rows if row.username}
    people = {row.number: (row.display_name, row.role, row.organization_code) for row in rows}
    for number, first in _repeated(names).items():
        problems[number].append(Problem(AccountProblem.USERNAME_TWICE, {"other": first}))
    for number, first in _repeated(people).items():
        problems[number].append(Problem(AccountProblem.PERSON_TWICE, {"other": first}))
    return {number: found for number, found in problems.items() if found}


def _repeated(keys: Mapping[int, Hashable]) -> dict[int, int]:
    """Return the rows whose key stood in an earlier row, with the number of the first one."""
    first: dict[Hashable, int] = {}
    return {number: first[key] for number, key in keys.items() if first.setdefault(key, number) != number}


def _place_problems(row: AccountRow, present: Present, creator: Creator) -> list[Problem]:
    place = present.places.get(row.organization_code)
    found = []
    if row.organization_code and place is None:
        found.append(Problem(AccountProblem.PLACE_UNKNOWN, {"code": row.organization_code}))
    if place is not None and not place.path.startswith(creator.path):
        found.append(Problem(AccountProblem.OUT_OF_SCOPE))
    if row.role is not None and not creator.may_create(row.role):
        found.append(Problem(AccountProblem.ROLE_NOT_ALLOWED, {"role": row.role}))
    return found


def _name_problems(row: AccountRow, present: Present) -> list[Problem]:
    place = present.places.get(row.organization_code)
    if row.username in present.usernames:
        return [Problem(AccountProblem.USERNAME_TAKEN, {"username": row.username})]
    if place and row.role and (row.display_name, row.role, place.id) in present.people:
        return [Problem(AccountProblem.PERSON_EXISTS, {"name": row.display_name})]
    return []


def make_username(organization_code: str) -> str:
    """Return a user name such as `109212-kfm`: short, and not to be guessed from the map.

    Whoever knows a user name can lock its account for a quarter of an hour by wrong passwords.
    """
    tail = "".join(secrets.choice(_USERNAME_LETTERS) for _ in range(_RANDOM_LETTERS))
    return f"{organization_code[-_USERNAME_TAIL:].lower()}-{tail}"
