"""The files around an import: the template, the copy with its errors, and the words for a problem."""

from collections.abc import Iterator, Mapping, Sequence

from survey_service.core.exports import TEXT_FORMAT, Sheet, write_workbook
from survey_service.core.exports import Column as SheetColumn
from survey_service.core.texts import text
from survey_service.organizations.import_rows import (
    REQUIRED_COLUMNS,
    Cell,
    Column,
    Problems,
    cell_text,
    find_heading_row,
)
from survey_service.organizations.rules import OrganizationKind, Problem


def kind_name(kind: OrganizationKind) -> str:
    """Return the Chinese word for a kind."""
    return text(f"organizations.kind_{kind}")


def sentence(problem: Problem) -> str:
    """Write a problem as a Chinese sentence."""
    values = {name: _word(value) for name, value in problem.values.items()}
    return text(f"organizations.problem_{problem.kind}", **values)


def _word(value: object) -> object:
    if isinstance(value, OrganizationKind):
        return kind_name(value)
    return text(f"organizations.column_{value}") if isinstance(value, Column) else value


def sentences(problems: Problems) -> dict[str, list[str]]:
    """Write the problems of a file by row number, as an answer's `errors` hold them."""
    return {str(number): [sentence(problem) for problem in found] for number, found in problems.items()}


def describe_bad_rows(errors: Mapping[str, Sequence[str]]) -> str:
    """Write the `errors` of a refused import for a terminal: a headline, then a line for each row."""
    headline = text("organizations.nothing_imported", count=len(errors))
    rows = [_terminal_line(number, found) for number, found in errors.items()]
    return "\n".join([headline, *rows])


def _terminal_line(number: str, found: Sequence[str]) -> str:
    return text("organizations.bad_row", number=number, sentences="".join(found))


def write_checked_copy(cells: Sequence[Sequence[Cell]], problems: Problems) -> bytes:
    """Return a copy of a sheet as XLSX: bad rows coloured, their sentences in a last column 错误.

    All cells are text, so that codes stay whole when the copy is edited and imported again.
    """
    heading = find_heading_row(cells) or 0
    place = _place_of_problems(cells, heading)
    rows = _with_problems(cells, problems, heading, place)
    columns = [SheetColumn(width=18, number_format=TEXT_FORMAT)] * place + [SheetColumn(width=60)]
    name = text("organizations.sheet_rows")
    return write_workbook([Sheet(name, columns, rows, marked_rows=problems.keys())])


def _place_of_problems(cells: Sequence[Sequence[Cell]], heading: int) -> int:
    """Return the column for the problems: the one of an earlier copy, or the first free one."""
    title = text("organizations.column_problems")
    headings = [cell_text(cell) for cell in cells[heading]] if cells else []
    return headings.index(title) if title in headings else max((len(row) for row in cells), default=0)


def _with_problems(
    cells: Sequence[Sequence[Cell]], problems: Problems, heading: int, place: int
) -> Iterator[list[str]]:
    for index, row in enumerate(cells):
        words = [cell_text(cell) for cell in row]
        words += [""] * (place + 1 - len(words))
        found = "".join(sentence(problem) for problem in problems.get(index + 1, ()))
        title = text("organizations.column_problems") if index == heading else ""
        words[place] = title + found
        yield words


def write_template() -> bytes:
    """Return the XLSX to fill in: an empty sheet whose cells are text, and a sheet that explains it."""
    columns = [SheetColumn(text(f"organizations.column_{column}"), 18, TEXT_FORMAT) for column in Column]
    choices = {list(Column).index(Column.KIND): text("organizations.template_kinds").split()}
    rows = Sheet(text("organizations.sheet_rows"), columns, (), choices=choices)
    return write_workbook([rows, _explanation()])


def _explanation() -> Sheet:
    widths = {"column": 14, "required": 8, "text": 90, "example": 18}
    headings = {text(f"organizations.explanation_{name}"): width for name, width in widths.items()}
    columns = [SheetColumn(heading, width) for heading, width in headings.items()]
    return Sheet(
        text("organizations.sheet_explanation"),
        columns,
        [_explain(column) for column in Column],
        title=text("organizations.explanation_note"),
    )


def _explain(column: Column) -> list[str]:
    return [
        text(f"organizations.column_{column}"),
        text(f"organizations.explanation_{'yes' if column in REQUIRED_COLUMNS else 'no'}"),
        text(f"organizations.explanation_{column}"),
        text(f"organizations.example_{column}"),
    ]
