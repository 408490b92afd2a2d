"""The second sheet of a scheme's workbook: how it is filled in, and which words stand for what."""

from collections.abc import Iterator
from enum import StrEnum

from survey_service.core.exports import TEXT_FORMAT, Column, Sheet
from survey_service.core.texts import text
from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.ratings.vocabulary import (
    Boundary,
    Level,
    MassRole,
    Measure,
    RestrictionKind,
    Source,
    StepKind,
    WhenMissing,
)

_HINTS = ("how_blocks", "how_code", "how_list", "how_pairs", "how_yes", "how_assumed")
_WORDS: tuple[tuple[str, str, str, type[StrEnum]], ...] = (
    ("basics", "subject_kind", "subject_kind", SubjectKind),
    ("basics", "boundary", "boundary", Boundary),
    ("basics", "counts", "level", Level),
    ("basics", "mass_role", "mass_role", MassRole),
    ("basics", "mass_measure", "measure", Measure),
    ("basics", "mass_missing", "mass_missing", WhenMissing),
    ("fields", "kinds", "kinds", OrganizationKind),
    ("indicators", "source", "source", Source),
    ("indicators", "scored_by", "level", Level),
    ("restrictions", "kind", "restriction", RestrictionKind),
    ("caps", "measure", "measure", Measure),
    ("steps", "kind", "step", StepKind),
    ("steps", "by", "level", Level),
)
"""Block and column where words of a closed list stand, and the group of their meanings in the catalogue."""


def words_sheet() -> Sheet:
    """Return the sheet; people read it, the program never does."""
    columns = [
        Column(text("scheme_words.column_where"), 26, TEXT_FORMAT),
        Column(text("scheme_words.column_word"), 22, TEXT_FORMAT),
        Column(text("scheme_words.column_meaning"), 90, TEXT_FORMAT),
    ]
    return Sheet(text("scheme_words.name"), columns, [*_rows()])


def _rows() -> Iterator[list[str]]:
    for hint in _HINTS:
        yield [text("scheme_words.row_how"), "", text(f"scheme_words.{hint}")]
    for block, column, group, kind in _WORDS:
        where = f"【{text(f'scheme_sheet.block_{block}')}】{text(f'scheme_sheet.column_{column}')}"
        for word in kind:
            yield [where, word, text(f"scheme_words.{group}_{word}")]
