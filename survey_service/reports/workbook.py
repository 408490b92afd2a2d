"""The summary sheet 党员群众满意度测评汇总表 as XLSX, one row a subject."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from survey_service.campaigns.queries import get_formula
from survey_service.campaigns.rules import RaterClass
from survey_service.core import clock
from survey_service.core.exports import TEXT_FORMAT, Cell, Column, Sheet, write_workbook
from survey_service.core.texts import text
from survey_service.reports.rules import FINAL_STATES
from survey_service.reports.service import Score, ScoreTable
from survey_service.reports.words import remarks, status_words, total_words

TWO_PLACES = "0.00"
_FORBIDDEN_IN_NAMES = frozenset('\\/:*?"<>|')


def workbook_name(table: ScoreTable) -> str:
    """Return a file name that every system takes."""
    title = "".join(
        letter
        for letter in table.campaign.title
        if letter.isprintable() and letter not in _FORBIDDEN_IN_NAMES
    )
    return text("reports.sheet_filename", title=title)


def score_workbook(table: ScoreTable, *, now: datetime) -> bytes:
    """Return the sheet: a title, one row a subject, and what a reader must know about the numbers."""
    weights = get_formula(table.campaign).class_weights
    classes = [key for key in RaterClass if key in weights]
    sheet = Sheet(
        text("reports.sheet_name"),
        _columns(classes),
        [*_rows(table, classes), *_total_rows(table, classes), [], *([note] for note in _notes(table, now))],
        title=text("reports.sheet_full_title", title=table.campaign.title),
    )
    return write_workbook([sheet])


_PLAIN_COLUMNS: Mapping[str, tuple[float, str]] = {
    "number": (6, "0"),
    "code": (18, TEXT_FORMAT),
    "subject": (26, TEXT_FORMAT),
    "eligible": (9, "0"),
    "returned": (9, "0"),
    "response_rate": (10, TWO_PLACES),
    "valid": (9, "0"),
    "score": (12, TWO_PLACES),
    "low": (12, TWO_PLACES),
    "high": (12, TWO_PLACES),
    "satisfaction_rate": (12, TWO_PLACES),
}
"""Width and number format of the columns that every sheet has, in their order."""


def _columns(classes: list[RaterClass]) -> list[Column]:
    plain = [Column(text(f"reports.column_{name}"), *how) for name, how in _PLAIN_COLUMNS.items()]
    by_class = [
        Column(text("reports.column_class_score", rater_class=text(f"campaigns.class_{key}")), 12, TWO_PLACES)
        for key in classes
    ]
    last = [Column(text("reports.column_as_of"), 12, "0"), Column(text("reports.column_remark"), 60)]
    return [*plain, *by_class, *last]


def _rows(table: ScoreTable, classes: list[RaterClass]) -> Iterator[list[Cell]]:
    for number, score in enumerate(table.scores, start=1):
        figures = score.figures
        low, high = figures["interval"] or (None, None)
        yield [
            number,
            score.place.organization_code,
            score.place.subject_name,
            figures["eligible"],
            figures["returned"],
            _decimal(figures["response_rate"]),
            figures["valid"],
            *map(_decimal, (figures["score"], low, high, figures["satisfaction_rate"])),
            *(_class_score(figures["by_class"], key) for key in classes),
            score.as_of_returned,
            _remark(score, table.campaign.min_cell),
        ]


def _total_rows(table: ScoreTable, classes: list[RaterClass]) -> Iterator[list[Cell]]:
    for total in table.totals:
        figures = total.figures
        low, high = figures["interval"] or (None, None)
        yield [
            None,
            total.organization_code,
            text("reports.total", name=total.name),
            figures["eligible"],
            figures["returned"],
            _decimal(figures["response_rate"]),
            None,
            *map(_decimal, (figures["score"], low, high, figures["satisfaction_rate"])),
            *(None for _ in classes),
            total.as_of_returned,
            total_words(total, min_cell=table.campaign.min_cell),
        ]


def _decimal(shown: str | None) -> Decimal | None:
    return None if shown is None else Decimal(shown)


def _class_score(by_class: Mapping[str, Any] | None, key: RaterClass) -> Decimal | None:
    figure = (by_class or {}).get(key)
    return _decimal(figure["score"]) if figure else None


def _remark(score: Score, min_cell: int) -> str:
    return "".join([status_words(score, min_cell=min_cell), *remarks(score, min_cell=min_cell)])


def _notes(table: ScoreTable, now: datetime) -> Iterator[str]:
    campaign = table.campaign
    state = campaign.window.state(now)
    yield text("reports.note_state", state=text(f"reports.state_{state}"))
    yield text("reports.note_made_at", at=clock.local_text(now))
    if campaign.formula_hash:
        yield text("reports.note_formula_hash", digest=campaign.formula_hash)
    else:
        yield text("reports.note_no_formula_hash")
    yield text("reports.note_interval")
    if state not in FINAL_STATES:
        yield text("reports.note_open")
    if any(score.place.is_roster_generated for score in table.scores):
        yield text("reports.note_roster_generated")
