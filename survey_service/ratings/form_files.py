"""Forms as files: XLSX for working on, PDF for signing."""

from collections.abc import Iterator

from survey_service.core.exports import TEXT_FORMAT, Cell, Column, Sheet, write_workbook
from survey_service.core.qr import BULK_MASK, ErrorCorrection
from survey_service.core.typesetting import printable, typeset
from survey_service.ratings.forms import Form

_FORBIDDEN_IN_NAMES = frozenset('\\/:*?"<>|')
_CHARACTERS_OF_A_PAGE = 0.9
"""Characters of a sheet for each hundredth of the page's width."""
MAX_SHEET_NAME = 31


def form_filename(form: Form, ending: str) -> str:
    """Return a file name that every system takes."""
    kept = "".join(
        letter
        for letter in f"{form.title}-{form.subtitle}"
        if letter.isprintable() and letter not in _FORBIDDEN_IN_NAMES
    )
    return f"{kept}.{ending}"


def form_workbook(form: Form) -> bytes:
    """Return a form as XLSX: the title over the table, everything else below it."""
    columns = [
        Column(one.heading, max(6.0, one.width * _CHARACTERS_OF_A_PAGE), TEXT_FORMAT) for one in form.columns
    ]
    return write_workbook([Sheet("Sheet1", columns, list(_lines(form)), title=form.title)])


def _lines(form: Form) -> Iterator[list[Cell]]:
    yield from ([*row] for row in form.rows)
    yield []
    yield [form.subtitle]
    for label, value in form.facts:
        yield [f"{label}：{value}"]
    for words in (*form.notes, *form.signatures):
        yield [words]


def form_pdf(form: Form) -> bytes:
    """Return a form as PDF on A4, lying where it has many columns; raises PrintError."""
    document = {
        "codes": [],
        "title": printable(form.title),
        "subtitle": printable(form.subtitle),
        "columns": [{"heading": printable(one.heading), "width": one.width} for one in form.columns],
        "rows": [[_printed(cell) for cell in row] for row in form.rows],
        "facts": [[printable(label), printable(value)] for label, value in form.facts],
        "notes": [printable(one) for one in form.notes],
        "signatures": [printable(one) for one in form.signatures],
    }
    return typeset("ratings/print/form.typ", document, level=ErrorCorrection.MEDIUM, mask=BULK_MASK)


def _printed(cell: Cell) -> str:
    return "" if cell is None else printable(str(cell))
