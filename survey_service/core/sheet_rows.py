"""From the cells of a sheet to the filled rows below its headings (pure)."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import Generic, TypeVar

Cell = str | int | float | bool
Column = TypeVar("Column", bound=StrEnum)

MOST_TITLE_ROWS = 20
"""The headings are looked for in this many rows from the top."""

_EXACT_FLOAT = 10**15
"""Excel keeps 15 significant digits of a number; a longer code typed as a number has lost its tail."""
_INVISIBLE_AT_THE_EDGE = "\u200b\u200c\u200d\u2060\ufeff"
_NOTE = re.compile(r"\([^)]*\)")


class HeadingProblem(StrEnum):
    """What can be wrong with the headings of any sheet; the sentence is `sheets.problem_<value>`."""

    NO_HEADINGS = "no_headings"
    MISSING_COLUMN = "missing_column"
    DUPLICATE_COLUMN = "duplicate_column"
    NO_ROWS = "no_rows"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a row; `values` fill the placeholders of its sentence."""

    kind: StrEnum
    values: Mapping[str, object] = field(default_factory=dict)


Problems = dict[int, list[Problem]]
"""What is wrong, by row number."""


class CellError(Exception):
    """A cell that cannot be read."""

    def __init__(self, kind: StrEnum, **values: object) -> None:
        self.problem = Problem(kind, values)


def cell_text(cell: Cell) -> str:
    """Write a cell as text without what is invisible at its edges; 445122109000.0 becomes 445122109000."""
    if isinstance(cell, str):
        return _trim(cell)
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell)) if abs(cell) < _EXACT_FLOAT else f"{cell:e}"
    return str(cell)


def _trim(value: str) -> str:
    trimmed = value.strip().strip(_INVISIBLE_AT_THE_EDGE).strip()
    return trimmed if trimmed == value else _trim(trimmed)


def squeeze(cell: Cell) -> str:
    """Return half-width text without any white space."""
    return "".join(unicodedata.normalize("NFKC", cell_text(cell)).split())


def without_note(word: str) -> str:
    """Return a squeezed word without what stands in brackets behind it."""
    return _NOTE.sub("", word)


@dataclass(frozen=True)
class FilledRow(Generic[Column]):
    """A row that holds something; `number` counts from 1 as in the file."""

    number: int
    cells: Mapping[Column, Cell]


class Headings(Generic[Column]):
    """The columns that an import understands; all others are left alone.

    `names` gives each column the words, parted by spaces, that people write above it.
    """

    def __init__(self, names: Mapping[Column, str], *, required: Sequence[Column]) -> None:
        self.columns = tuple(names)
        self.required = tuple(required)
        self._column_of = {word: column for column, words in names.items() for word in words.split()}

    def _column(self, cell: Cell) -> Column | None:
        return self._column_of.get(without_note(squeeze(cell)).strip("*").lower())

    def find_row(self, cells: Sequence[Sequence[Cell]]) -> int | None:
        """Return the index of the first row with two or more known headings (titles stand above it)."""
        for index, row in enumerate(cells[:MOST_TITLE_ROWS]):
            if len({self._column(cell) for cell in row} - {None}) >= 2:
                return index
        return None

    def read(self, cells: Sequence[Sequence[Cell]]) -> tuple[list[FilledRow[Column]], Problems]:
        """Return the filled rows below the headings, or what is wrong with the headings at their own row.

        Blank rows and unknown columns are passed over.
        """
        heading = self.find_row(cells)
        if heading is None:
            return [], {1: [Problem(HeadingProblem.NO_HEADINGS)]}
        places, problems = self._read_headings(cells[heading])
        rows = [
            FilledRow(number, self._given(row, places))
            for number, row in enumerate(cells[heading + 1 :], heading + 2)
            if any(cell_text(cell) for cell in row)
        ]
        if not problems and not rows:
            problems = [Problem(HeadingProblem.NO_ROWS)]
        return ([], {heading + 1: problems}) if problems else (rows, {})

    def _given(self, row: Sequence[Cell], places: Mapping[Column, int]) -> dict[Column, Cell]:
        return {column: row[place] if place < len(row) else "" for column, place in places.items()}

    def _read_headings(self, row: Sequence[Cell]) -> tuple[dict[Column, int], list[Problem]]:
        places: dict[Column, int] = {}
        problems: list[Problem] = []
        for place, cell in enumerate(row):
            column = self._column(cell)
            if column in places:
                problems.append(Problem(HeadingProblem.DUPLICATE_COLUMN, {"column": cell_text(cell)}))
            elif column is not None:
                places[column] = place
        missing = [column for column in self.required if column not in places]
        return places, problems + [
            Problem(HeadingProblem.MISSING_COLUMN, {"column": column}) for column in missing
        ]


def merge_problems(*found: Problems) -> Problems:
    """Join the problems of several checks, in the order of the rows."""
    numbers = sorted(set(chain.from_iterable(found)))
    return {number: [problem for one in found for problem in one.get(number, [])] for number in numbers}
