"""From the cells of a sheet to the households of each villagers' group (pure)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from survey_service.core.sheet_rows import Cell, CellError, Headings, Problem, Problems, cell_text
from survey_service.entrances.rules import MAX_GROUP_LENGTH
from survey_service.organizations.import_rows import read_required_code, read_size

Value = TypeVar("Value")


class Column(StrEnum):
    """The columns that are understood; all others are left alone."""

    CODE = "code"
    GROUP = "group"
    HOUSEHOLDS = "households"


class GroupProblem(StrEnum):
    """What can be wrong with a row; the sentence is `household_groups.problem_<value>`."""

    NOT_IN_CAMPAIGN = "not_in_campaign"
    GROUP_TOO_LONG = "group_too_long"
    NO_HOUSEHOLDS = "no_households"
    TWICE = "twice"


_HEADINGS: Mapping[Column, str] = MappingProxyType(
    {
        Column.CODE: "code 编码 代码 区划代码 村编码 村代码 组织编码 组织代码",
        Column.GROUP: "group 村民小组 小组 组 组别 村民小组名称 组名",
        Column.HOUSEHOLDS: "households 户数 总户数 农户数 家庭户数",
    }
)
HEADINGS = Headings(_HEADINGS, required=(Column.CODE, Column.HOUSEHOLDS))


@dataclass(frozen=True)
class GroupRow:
    """So many households of a group; an empty name means the village as a whole."""

    number: int
    code: str
    group: str
    households: int


def read_group_rows(
    cells: Sequence[Sequence[Cell]], codes: Collection[str]
) -> tuple[list[GroupRow], Problems]:
    """Read the rows of a sheet for the organizations with these codes, and what is wrong by row number."""
    filled, problems = HEADINGS.read(cells)
    rows: list[GroupRow] = []
    numbers: dict[tuple[str, str], int] = {}
    for one in filled:
        row, found = _read_row(one.number, one.cells, codes)
        earlier = numbers.setdefault((row.code, row.group), row.number)
        if row.code and earlier != row.number:
            found.append(Problem(GroupProblem.TWICE, {"other": earlier}))
        rows.append(row)
        if found:
            problems[one.number] = found
    return rows, problems


def _read_row(
    number: int, cells: Mapping[Column, Cell], codes: Collection[str]
) -> tuple[GroupRow, list[Problem]]:
    problems: list[Problem] = []

    def read(column: Column, reader: Callable[[Cell], Value], instead: Value) -> Value:
        try:
            return reader(cells.get(column, ""))
        except CellError as refusal:
            values = {"column": column} | dict(refusal.problem.values)
            problems.append(Problem(refusal.problem.kind, values))
            return instead

    code = read(Column.CODE, read_required_code, "")
    row = GroupRow(
        number, code, read(Column.GROUP, _read_group, ""), read(Column.HOUSEHOLDS, _read_households, 0)
    )
    if code and code not in codes:
        problems.append(Problem(GroupProblem.NOT_IN_CAMPAIGN, {"code": code}))
    return row, problems


def _read_group(cell: Cell) -> str:
    group = " ".join(cell_text(cell).split())
    if len(group) > MAX_GROUP_LENGTH:
        raise CellError(GroupProblem.GROUP_TOO_LONG, most=MAX_GROUP_LENGTH)
    return group


def _read_households(cell: Cell) -> int:
    number = read_size(cell)
    if not number:
        raise CellError(GroupProblem.NO_HOUSEHOLDS)
    return number
