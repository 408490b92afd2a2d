"""Tables as secretaries have them: cells pasted from a spreadsheet, or typed line by line (pure)."""

import csv
import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from io import StringIO
from itertools import zip_longest

from survey_service.clear_letters.rules import Contact, Row, Table

TAB = "\t"
TYPED_SEPARATORS = ("|", "｜")
"""A phone's keyboard has no tab; 项目｜金额 can be typed on every one."""
_TOTALS = ("合计", "总计", "小计", "共计")
_UNITS = "元|万元|%|亩|户|人|次|件|公里|米"
_NUMBER = re.compile(rf"[-+−]?¥?\d{{1,3}}(?:,?\d{{3}})*(?:\.\d+)?(?:\s*(?:{_UNITS}))?")
_MARKS = re.compile(r"[^\d.+\-]")
_CONTACT_PARTS = re.compile(r"[\s,，、|｜:：]+")
_CHINESE = "一二三四五六七八九十"
_NUMBERING = re.compile(
    rf"^(?:\d{{1,2}}[、.．)）](?!\d)|[{_CHINESE}]{{1,3}}、|[（(][{_CHINESE}\d]{{1,3}}[)）]|[•·*\-])\s*"
)
_PHONE = re.compile(r"\+?\d[\d\-－—]{4,18}\d")


def read_table(pasted: str) -> tuple[Row, ...]:
    """Return the rows of a pasted table, all equally long; blank rows and blank columns at the end go.

    Cells are parted by tabs as a spreadsheet copies them (with quotes around cells that hold line breaks),
    or by a bar where somebody typed. What is left has neither tabs nor line breaks inside a cell.
    """
    rows = [[_cell(cell) for cell in row] for row in _split(pasted)]
    rows = [row for row in rows if any(row)]
    columns = list(zip_longest(*rows, fillvalue=""))
    while columns and not any(columns[-1]):
        columns.pop()
    return tuple(zip(*columns, strict=True))


def _split(pasted: str) -> list[list[str]]:
    text = pasted.replace("\r\n", "\n").replace("\r", "\n")
    if TAB in text:
        return _split_cells(text)
    separator = next((mark for mark in TYPED_SEPARATORS if mark in text), None)
    return [
        line.strip().strip(separator).split(separator) if separator else [line] for line in text.split("\n")
    ]


def _split_cells(text: str) -> list[list[str]]:
    """Read what a spreadsheet copied; a quote that never ends was a character of a cell."""
    try:
        return list(csv.reader(StringIO(text, newline=""), delimiter=TAB, strict=True))
    except csv.Error:
        return [line.split(TAB) for line in text.split("\n")]


def _cell(cell: str) -> str:
    return " ".join(cell.split())


def write_table(rows: Sequence[Row]) -> str:
    """Return the text that `read_table` reads as these rows."""
    return "\n".join(TAB.join(row) for row in rows)


def number_of(cell: str) -> Decimal | None:
    """Return the number that a cell holds, with or without 元 and commas."""
    plain = unicodedata.normalize("NFKC", cell).strip()
    if _NUMBER.fullmatch(plain) is None:
        return None
    try:
        return Decimal(_MARKS.sub("", plain.replace("−", "-")))
    except InvalidOperation:
        return None


def number_columns(table: Table) -> frozenset[int]:
    """Return the columns that are written to the right: numbers in every filled cell below the heading."""
    columns = enumerate(zip(*table.rows[1:], strict=True))
    return frozenset(
        place
        for place, cells in columns
        if (filled := [cell for cell in cells if cell and cell not in {"-", "—", "/"}])
        and all(number_of(cell) is not None for cell in filled)
    )


def is_total(row: Row) -> bool:
    """Tell whether a row sums up the others."""
    return any("".join(cell.split()).startswith(_TOTALS) for cell in row[:2])


def wrong_totals(table: Table) -> list[tuple[str, Decimal, Decimal]]:
    """Return the columns whose last row 合计 is not their sum: heading, what stands there, what it should be.

    Only where the total is the last row and no other row sums up; a column that holds no numbers is left out.
    """
    *rows, last = table.rows[1:] or [()]
    if not rows or not is_total(last) or any(is_total(row) for row in rows):
        return []
    found = []
    for place in sorted(number_columns(table)):
        written = number_of(last[place])
        values = [value for row in rows if (value := number_of(row[place])) is not None]
        is_share = any("%" in row[place] or "％" in row[place] for row in table.rows[1:])
        if written is not None and len(values) > 1 and not is_share and written != sum(values):
            found.append((table.rows[0][place], written, sum(values, Decimal(0))))
    return found


def read_contacts(lines: str) -> tuple[Contact, ...]:
    """Return the people of a field with one line each: name, office, telephone in this order."""
    return tuple(_contact(line) for line in lines.splitlines() if line.strip())


def _contact(line: str) -> Contact:
    parts = [part for part in _CONTACT_PARTS.split(unicodedata.normalize("NFKC", line).strip()) if part]
    phones = [part for part in parts if _PHONE.fullmatch(part)]
    words = [part for part in parts if part not in phones]
    name, *roles = words or [""]
    return Contact(name, " ".join(roles), " ".join(phones))


def write_contacts(contacts: Sequence[Contact]) -> str:
    """Return the text that `read_contacts` reads as these people."""
    return "\n".join(" ".join(filter(None, (one.name, one.role, one.phone))) for one in contacts)


def read_lines(lines: str) -> tuple[str, ...]:
    """Return the filled lines of a field, without the numbers that people write before them."""
    cleaned = (_NUMBERING.sub("", " ".join(line.split())) for line in lines.splitlines())
    return tuple(line for line in cleaned if line)
