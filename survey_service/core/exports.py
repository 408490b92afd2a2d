"""Files for people: XLSX sheets and CSV streams in which nobody's text ever becomes a formula or a link."""

import csv
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO, StringIO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV_TYPE = "text/csv; charset=utf-8"
TEXT_FORMAT = "@"
"""Excel keeps what is typed into such a column as it is: no code becomes 4.45122E+11."""

MAX_CELL_LENGTH = 32_767
"""Excel's limit of characters in a cell."""
MOST_ROWS_OF_A_SHEET = 1_048_576

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_BASE = {"valign": "vcenter", "text_wrap": False}
_HEADING = {"bold": True, "bg_color": "#E8EEF4", "border": 1, "align": "center", "text_wrap": True}
_TITLE = {"bold": True, "font_size": 16, "align": "center"}
_MARKED = {"bg_color": "#FDE8E8"}

Cell = str | int | float | Decimal | None
Properties = Mapping[str, object]


@dataclass(frozen=True)
class Column:
    """A column: its heading, its width in characters, and Excel's number format."""

    heading: str = ""
    width: float = 14
    number_format: str = "General"


@dataclass(frozen=True)
class Sheet:
    """One sheet: a title over all columns, the headings, then the rows.

    Title and headings are left out where they are empty. `marked_rows` holds the numbers, from 1 and as
    the sheet counts them, of rows that are shown in a warning colour; `choices` offers a list of words in
    the cells of a column (by its index).
    """

    name: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Cell]]
    title: str = ""
    marked_rows: Container[int] = frozenset()
    choices: Mapping[int, Sequence[str]] = field(default_factory=dict)


def write_workbook(sheets: Iterable[Sheet]) -> bytes:
    """Return an XLSX file; one row at a time is kept in memory, whatever the size."""
    buffer = BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(buffer, options) as workbook:
        for sheet in sheets:
            _SheetWriter(workbook, sheet).write()
    return buffer.getvalue()


class _SheetWriter:
    """Writes the rows of one sheet from top to bottom."""

    def __init__(self, workbook: Workbook, sheet: Sheet) -> None:
        self._workbook = workbook
        self._sheet = sheet
        self._worksheet: Worksheet = workbook.add_worksheet(sheet.name)
        self._formats: dict[tuple[str, bool, bool], Format] = {}
        self._next_row = 0

    def write(self) -> None:
        for index, column in enumerate(self._sheet.columns):
            self._worksheet.set_column(index, index, column.width, self._format(column, False, False))
        self._write_title()
        self._write_headings()
        self._offer_choices()
        for cells in self._sheet.rows:
            self._write_row(cells)

    def _write_title(self) -> None:
        if not self._sheet.title:
            return
        title_format = self._workbook.add_format(_BASE | _TITLE)
        last = len(self._sheet.columns) - 1
        if last > 0:
            self._worksheet.merge_range(0, 0, 0, last, "")
        self._worksheet.write_string(0, 0, self._sheet.title, title_format)
        self._next_row = 1

    def _write_headings(self) -> None:
        headings = [column.heading for column in self._sheet.columns]
        if not any(headings):
            return
        heading_format = self._workbook.add_format(_BASE | _HEADING)
        for index, heading in enumerate(headings):
            self._worksheet.write_string(self._next_row, index, heading, heading_format)
        self._next_row += 1
        self._worksheet.freeze_panes(self._next_row, 0)

    def _offer_choices(self) -> None:
        for index, words in self._sheet.choices.items():
            rule = {"validate": "list", "source": list(words)}
            self._worksheet.data_validation(self._next_row, index, MOST_ROWS_OF_A_SHEET - 1, index, rule)

    def _write_row(self, cells: Sequence[Cell]) -> None:
        is_marked = self._next_row + 1 in self._sheet.marked_rows
        for index, cell in enumerate(cells):
            self._write_cell(index, cell, is_marked)
        self._next_row += 1

    def _write_cell(self, index: int, cell: Cell, is_marked: bool) -> None:
        columns = self._sheet.columns
        column = columns[index] if index < len(columns) else Column()
        is_dangerous = isinstance(cell, str) and is_formula_like(cell)
        cell_format = self._format(column, is_marked, is_dangerous)
        if cell is None or cell == "":
            self._worksheet.write_blank(self._next_row, index, None, cell_format)
        elif isinstance(cell, str):
            self._worksheet.write_string(self._next_row, index, cell[:MAX_CELL_LENGTH], cell_format)
        else:
            self._worksheet.write_number(self._next_row, index, float(cell), cell_format)

    def _format(self, column: Column, is_marked: bool, is_dangerous: bool) -> Format:
        key = (column.number_format, is_marked, is_dangerous)
        if key not in self._formats:
            # The quote prefix keeps the text a text also when somebody edits the cell and leaves it again.
            properties = _BASE | {"num_format": column.number_format, "quote_prefix": is_dangerous}
            self._formats[key] = self._workbook.add_format(properties | (_MARKED if is_marked else {}))
        return self._formats[key]


def is_formula_like(value: str) -> bool:
    """Tell whether a spreadsheet could take a text for a formula."""
    return value.startswith(_FORMULA_STARTS)


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield a CSV line by line, UTF-8 with a mark so that Excel reads Chinese.

    A text that a spreadsheet could take for a formula gets an apostrophe in front; numbers stay numbers.
    """
    yield "\ufeff" + _csv_line(headings)
    for row in rows:
        yield _csv_line(row)


def _csv_line(cells: Sequence[Cell]) -> str:
    line = StringIO(newline="")
    csv.writer(line).writerow([_defused(cell) for cell in cells])
    return line.getvalue()


def _defused(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and is_formula_like(cell) else cell
