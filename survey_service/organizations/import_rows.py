"""From the cells of a sheet to checked rows: headings, codes, names, kinds and sizes (pure)."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from survey_service.core.sheet_rows import (
    Cell,
    CellError,
    Headings,
    Problem,
    Problems,
    cell_text,
    squeeze,
    without_note,
)
from survey_service.organizations.rules import (
    MAX_CODE_LENGTH,
    MAX_EDITION_LENGTH,
    MAX_NAME_LENGTH,
    MAX_SIZE,
    OrganizationKind,
    ProblemKind,
    RosterSize,
)

Value = TypeVar("Value")


class Column(StrEnum):
    """The columns that an import understands; all others are left alone."""

    CODE = "code"
    NAME = "name"
    PARENT_CODE = "parent_code"
    KIND = "kind"
    HOUSEHOLDS = "households"
    MEMBERS = "members"
    VILLAGERS = "villagers"
    REGION_EDITION = "region_edition"


REQUIRED_COLUMNS = (Column.CODE, Column.NAME, Column.PARENT_CODE, Column.KIND)

_HEADINGS: Mapping[Column, str] = MappingProxyType(
    {
        Column.CODE: "code 编码 代码 区划代码 区划编码 行政区划代码 统计用区划代码"
        " 组织编码 组织代码 机构编码 单位编码 单位代码",
        Column.NAME: "name 名称 组织名称 单位名称 机构名称 区划名称 村名 村名称 村社区名称",
        Column.PARENT_CODE: "parent_code parent 上级 上级代码 上级编码 上级区划代码 上级区划编码"
        " 上级组织编码 上级组织代码 上级单位代码 上级机构编码 父级代码 父级编码",
        Column.KIND: "kind type 类别 类型 级别 层级 组织类别 组织类型 单位类别",
        Column.HOUSEHOLDS: "households 户数 总户数 农户数 家庭户数",
        Column.MEMBERS: "members 党员数 党员人数 党员总数",
        Column.VILLAGERS: "villagers 村民数 村民人数 居民数 人口 人口数 总人口 常住人口",
        Column.REGION_EDITION: "region_edition 区划版本 区划年份",
    }
)
HEADINGS = Headings(_HEADINGS, required=REQUIRED_COLUMNS)

_KIND_NAMES: Mapping[OrganizationKind, str] = MappingProxyType(
    {
        OrganizationKind.CITY: "city 市 地级市 设区市",
        OrganizationKind.COUNTY: "county 县 区 旗 县级市 市辖区 区县 县区 县市区",
        OrganizationKind.TOWN: "town 镇 乡 街道 乡镇 镇街 街道办 街道办事处 民族乡 苏木",
        OrganizationKind.VILLAGE: "village 村 行政村 建制村 村委会 村民委员会 嘎查",
        OrganizationKind.COMMUNITY: "community 社区 居委会 居民委员会",
        OrganizationKind.BRANCH: "branch 支部 党支部",
    }
)
_KIND_OF = {name: kind for kind, names in _KIND_NAMES.items() for name in names.split()}

_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]*")
_SCIENTIFIC = re.compile(r"([0-9])(?:\.([0-9]*))?[eE]\+([0-9]{1,3})")
_WHOLE = re.compile(r"([0-9]+)\.0+")
_DECIMAL = re.compile(r"[0-9]+\.[0-9]+")
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+")
_FORMULA_STARTS = "=+-@＝＋－＠"


@dataclass(frozen=True)
class ImportRow:
    """One row as far as it could be read; `number` is its number in the file.

    What could not be read is "" as a code or name and None as a parent or kind; a parent "" was not given.
    """

    number: int
    code: str
    name: str
    parent_code: str | None
    kind: OrganizationKind | None
    sizes: Mapping[RosterSize, int] = field(default_factory=dict)
    region_edition: str = ""


@dataclass(frozen=True)
class ImportTable:
    """The rows of a file and what is wrong with them, by row number."""

    rows: Sequence[ImportRow]
    problems: Problems


def read_rows(cells: Sequence[Sequence[Cell]]) -> ImportTable:
    """Read the rows below the headings; blank rows and unknown columns are passed over.

    Rows are numbered from 1 as in the file. Problems with the headings stand at their own row.
    """
    filled, problems = HEADINGS.read(cells)
    rows = []
    for one in filled:
        row, found = read_row(one.number, one.cells)
        rows.append(row)
        if found:
            problems[one.number] = found
    return ImportTable(rows, problems)


def read_row(number: int, cells: Mapping[Column, Cell]) -> tuple[ImportRow, list[Problem]]:
    """Read one row; everything that is wrong with it is found, not only the first thing."""
    problems: list[Problem] = []

    def read(column: Column, reader: Callable[[Cell], Value], instead: Value) -> Value:
        try:
            return reader(cells.get(column, ""))
        except CellError as refusal:
            problems.append(Problem(refusal.problem.kind, {"column": column} | dict(refusal.problem.values)))
            return instead

    sizes = {size: read(Column(size), read_size, None) for size in RosterSize}
    row = ImportRow(
        number=number,
        code=read(Column.CODE, read_required_code, ""),
        name=read(Column.NAME, read_name, ""),
        parent_code=read(Column.PARENT_CODE, read_code, None),
        kind=read(Column.KIND, read_kind, None),
        sizes={size: value for size, value in sizes.items() if value is not None},
        region_edition=read(Column.REGION_EDITION, read_edition, ""),
    )
    return row, problems


def read_code(cell: Cell) -> str:
    """Return a code, or "" for an empty cell; full-width digits, spaces and Excel's `.0` are put right.

    A code in scientific notation is taken only when it shows every digit: `4.45122E+11` does not.
    """
    code = squeeze(cell).lstrip("'’")
    if scientific := _SCIENTIFIC.fullmatch(code):
        code = _written_out(*scientific.groups(""))
    if whole := _WHOLE.fullmatch(code):
        code = whole[1]
    if len(code) > MAX_CODE_LENGTH:
        raise CellError(ProblemKind.CODE_TOO_LONG, most=MAX_CODE_LENGTH)
    if code and not _CODE.fullmatch(code):
        raise CellError(ProblemKind.CODE_CHARACTERS)
    return code


def _written_out(first: str, decimals: str, exponent: str) -> str:
    shift = int(exponent)
    if len(decimals) < shift:
        raise CellError(ProblemKind.CODE_LOST_DIGITS)
    whole, rest = decimals[:shift], decimals[shift:]
    return f"{first}{whole}.{rest}0"


def read_required_code(cell: Cell) -> str:
    """Return a code; an empty cell is refused."""
    if not (code := read_code(cell)):
        raise CellError(ProblemKind.CODE_MISSING)
    return code


def _refuse_strange_characters(value: str, kind: ProblemKind) -> None:
    # Private-use characters stay: they write rare place names in older GB18030 files.
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in value):
        raise CellError(kind)


def read_name(cell: Cell) -> str:
    """Return a name of one line that no spreadsheet takes for a formula."""
    name = cell_text(cell)
    if not name:
        raise CellError(ProblemKind.NAME_MISSING)
    if len(name) > MAX_NAME_LENGTH:
        raise CellError(ProblemKind.NAME_TOO_LONG, most=MAX_NAME_LENGTH)
    if name[0] in _FORMULA_STARTS:
        raise CellError(ProblemKind.NAME_FORMULA)
    _refuse_strange_characters(name, ProblemKind.NAME_CHARACTERS)
    return name


def read_kind(cell: Cell) -> OrganizationKind:
    """Return the kind that a Chinese or English word names."""
    if not (word := squeeze(cell)):
        raise CellError(ProblemKind.KIND_MISSING)
    kind = _KIND_OF.get(without_note(word).lower())
    if kind is None:
        raise CellError(ProblemKind.KIND_UNKNOWN, given=word[:20])
    return kind


def read_size(cell: Cell) -> int | None:
    """Return a whole number from 0 to MAX_SIZE, or None for an empty cell."""
    digits = squeeze(cell)
    if not digits:
        return None
    is_negative, digits = digits.startswith("-"), digits.removeprefix("-")
    if _THOUSANDS.fullmatch(digits):
        digits = digits.replace(",", "")
    if whole := _WHOLE.fullmatch(digits):
        digits = whole[1]
    if _DECIMAL.fullmatch(digits):
        raise CellError(ProblemKind.SIZE_NOT_WHOLE)
    if not (digits.isascii() and digits.isdigit()):
        raise CellError(ProblemKind.SIZE_NOT_A_NUMBER)
    return _in_range(digits, is_negative)


def _in_range(digits: str, is_negative: bool) -> int:
    digits = digits.lstrip("0")
    if not digits:
        return 0
    if is_negative:
        raise CellError(ProblemKind.SIZE_NEGATIVE)
    # The length is looked at first: Python refuses to convert very long runs of digits.
    if len(digits) > len(str(MAX_SIZE)) or int(digits) > MAX_SIZE:
        raise CellError(ProblemKind.SIZE_TOO_LARGE, most=MAX_SIZE)
    return int(digits)


def read_edition(cell: Cell) -> str:
    """Return the yearly edition of the region codes, such as `2023`, or ""."""
    edition = cell_text(cell)
    if len(edition) > MAX_EDITION_LENGTH:
        raise CellError(ProblemKind.EDITION_TOO_LONG, most=MAX_EDITION_LENGTH)
    _refuse_strange_characters(edition, ProblemKind.EDITION_CHARACTERS)
    return edition
