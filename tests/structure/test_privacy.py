"""`docs/privacy.md` names every column of the schema, and no other."""

import importlib
import re
from collections import Counter
from pathlib import Path

import survey_service
from survey_service.core.db import Base
from tests.structure.test_docs import text_of

for path in Path(survey_service.__file__).parent.glob("*/models.py"):
    importlib.import_module(f"survey_service.{path.parent.name}.models")

ROW = re.compile(r"^\| `(\w+)` \| ((?:`\w+`(?:, )?)+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ABOUT_VOTERS = ("participation", "ballot", "ballot_text", "receipt", "dirty_mark")


def documented() -> Counter[str]:
    """Return how often the document names each column in a table of columns."""
    chapter = text_of("privacy.md").partition("## Every table and column")[2].partition("\n## ")[0]
    return Counter(
        f"{table}.{column}"
        for table, columns, _why, _until in ROW.findall(chapter)
        for column in re.findall(r"\w+", columns)
    )


def test_every_column_has_its_reason_and_its_end() -> None:
    there = {
        f"{table.name}.{column.name}" for table in Base.metadata.sorted_tables for column in table.columns
    }
    assert there - documented().keys() == set(), "docs/privacy.md does not say why these exist"
    assert documented().keys() - there == set(), "docs/privacy.md speaks of what is not there"
    assert [column for column, times in documented().items() if times > 1] == []


def test_no_table_about_voters_can_hold_a_time_or_a_sequence() -> None:
    for name in ABOUT_VOTERS:
        columns = Base.metadata.tables[name].columns
        assert {str(column.type).split("(")[0] for column in columns} <= {"BIGINT", "BLOB", "VARCHAR", "TEXT"}
        assert [column.name for column in columns if column.identity or column.default is not None] in (
            [],
            ["place_id", "flag"],
        )
