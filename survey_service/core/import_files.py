"""What every import of a sheet has in common: its refusals, its template, and the copy with its errors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType
from typing import Any

from survey_service.core.errors import Invalid
from survey_service.core.exports import TEXT_FORMAT, Sheet, write_workbook
from survey_service.core.exports import Column as SheetColumn
from survey_service.core.sheet_rows import Cell, HeadingProblem, Headings, Problem, Problems, cell_text
from survey_service.core.spreadsheet import Cells, UnreadableSheetError, read_cells
from survey_service.core.texts import text

MAX_SHOWN_FILENAME = 80
_EXPLANATION_WIDTHS = {"column": 14, "required": 8, "text": 90, "example": 18}


class InvalidRows(Invalid):
    """Some rows are wrong and nothing was written; `errors` holds sentences by row number."""

    code = "invalid_rows"

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        super().__init__(errors=errors, count=len(errors))


class UnreadableFile(Invalid):
    """The file as a whole cannot be read; the detail names it and says why and what to do."""

    code = "unreadable_file"

    def __init__(self, error: UnreadableSheetError, *, filename: str) -> None:
        super().__init__()
        name = PurePath(filename).name[-MAX_SHOWN_FILENAME:]
        self._sentence = text(f"sheets.file_{error.failure}", name=name, **error.values)

    @property
    def detail(self) -> str:
        return self._sentence


def read_upload(content: bytes, filename: str) -> Cells:
    """Return the cells of an uploaded file; raises UnreadableFile."""
    try:
        return read_cells(content)
    except UnreadableSheetError as error:
        raise UnreadableFile(error, filename=filename) from error


def describe_bad_rows(errors: Mapping[str, Sequence[str]]) -> str:
    """Write the `errors` of a refused import for a terminal: a headline, then a line for each row."""
    headline = text("sheets.nothing_imported", count=len(errors))
    rows = [
        text("sheets.bad_row", number=number, sentences="".join(found)) for number, found in errors.items()
    ]
    return "\n".join([headline, *rows])


def checked_filename(filename: str) -> str:
    """Return the name of the copy of a file in which bad rows are marked."""
    return text("sheets.checked_filename", name=PurePath(filename).stem)


class ImportFiles:
    """The files around one kind of import, worded by its own catalogue.

    `topic` names the catalogue: `column_<name>`, `explanation_<name>`, `example_<name>`, `problem_<kind>`,
    `sheet_rows`, `explanation_note`. `word` turns a value of a problem into what people call it; `topics`
    names the catalogue of further kinds of problems.
    """

    def __init__(
        self,
        topic: str,
        headings: Headings[Any],
        *,
        word: Callable[[object], object],
        topics: Mapping[type[StrEnum], str] = MappingProxyType({}),
    ) -> None:
        self._topic = topic
        self._headings = headings
        self._word = word
        self._topics: dict[type[StrEnum], str] = {HeadingProblem: "sheets", **topics}

    def _column(self, column: StrEnum) -> str:
        return text(f"{self._topic}.column_{column}")

    def sentence(self, problem: Problem) -> str:
        """Write a problem as a Chinese sentence."""
        if problem.kind is HeadingProblem.NO_HEADINGS:
            columns = "、".join(map(self._column, self._headings.required))
            return text("sheets.problem_no_headings", columns=columns)
        topic = self._topics.get(type(problem.kind), self._topic)
        values = {name: self._named(value) for name, value in problem.values.items()}
        return text(f"{topic}.problem_{problem.kind}", **values)

    def _named(self, value: object) -> object:
        is_column = any(value is column for column in self._headings.columns)
        return text(f"{self._topic}.column_{value}") if is_column else self._word(value)

    def sentences(self, problems: Problems) -> dict[str, list[str]]:
        """Write the problems of a file by row number, as an answer's `errors` hold them."""
        return {
            str(number): [self.sentence(problem) for problem in found] for number, found in problems.items()
        }

    def write_checked_copy(self, cells: Sequence[Sequence[Cell]], problems: Problems) -> bytes:
        """Return a copy of a sheet as XLSX: bad rows coloured, their sentences in a last column 错误.

        All cells are text, so that codes stay whole when the copy is edited and imported again.
        """
        heading = self._headings.find_row(cells) or 0
        place = _place_of_problems(cells, heading)
        rows = self._with_problems(cells, problems, heading, place)
        columns = [SheetColumn(width=18, number_format=TEXT_FORMAT)] * place + [SheetColumn(width=60)]
        name = text(f"{self._topic}.sheet_rows")
        return write_workbook([Sheet(name, columns, rows, marked_rows=problems.keys())])

    def _with_problems(
        self, cells: Sequence[Sequence[Cell]], problems: Problems, heading: int, place: int
    ) -> Iterator[list[str]]:
        for index, row in enumerate(cells):
            words = [cell_text(cell) for cell in row]
            words += [""] * (place + 1 - len(words))
            found = "".join(self.sentence(problem) for problem in problems.get(index + 1, ()))
            title = text("sheets.column_problems") if index == heading else ""
            words[place] = title + found
            yield words

    def write_template(self, choices: Mapping[StrEnum, Sequence[str]]) -> bytes:
        """Return the XLSX to fill in: an empty sheet whose cells are text, and a sheet that explains it.

        `choices` offers words in the cells of a column.
        """
        columns = [SheetColumn(self._column(column), 18, TEXT_FORMAT) for column in self._headings.columns]
        offered = {self._headings.columns.index(column): words for column, words in choices.items()}
        rows = Sheet(text(f"{self._topic}.sheet_rows"), columns, (), choices=offered)
        return write_workbook([rows, self._explanation()])

    def _explanation(self) -> Sheet:
        headings = {text(f"sheets.explanation_{name}"): width for name, width in _EXPLANATION_WIDTHS.items()}
        return Sheet(
            text("sheets.sheet_explanation"),
            [SheetColumn(heading, width) for heading, width in headings.items()],
            [self._explain(column) for column in self._headings.columns],
            title=text(f"{self._topic}.explanation_note"),
        )

    def _explain(self, column: StrEnum) -> list[str]:
        is_required = column in self._headings.required
        return [
            self._column(column),
            text(f"sheets.explanation_{'yes' if is_required else 'no'}"),
            text(f"{self._topic}.explanation_{column}"),
            text(f"{self._topic}.example_{column}"),
        ]


def _place_of_problems(cells: Sequence[Sequence[Cell]], heading: int) -> int:
    """Return the column for the problems: the one of an earlier copy, or the first free one."""
    title = text("sheets.column_problems")
    headings = [cell_text(cell) for cell in cells[heading]] if cells else []
    return headings.index(title) if title in headings else max((len(row) for row in cells), default=0)
