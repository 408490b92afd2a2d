"""Files for people: whoever's text it is, it stays text."""

import csv
from decimal import Decimal
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from survey_service.core.exports import (
    MAX_CELL_LENGTH,
    TEXT_FORMAT,
    Cell,
    Column,
    Sheet,
    csv_lines,
    is_formula_like,
    write_workbook,
)

ATTACKS = [
    "=1+1",
    '=HYPERLINK("http://a","b")',
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1",
]


def read(content: bytes) -> list[list[object]]:
    sheet = CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0)
    return [list(row) for row in sheet.to_python(skip_empty_area=False)]


def sheet_xml(content: bytes) -> str:
    with ZipFile(BytesIO(content)) as archive:
        return "".join(archive.read(name).decode() for name in archive.namelist())


def test_title_headings_and_rows_stand_in_this_order() -> None:
    columns = [Column("名称"), Column("得分", number_format="0.00")]
    rows: list[list[Cell]] = [["半径村", Decimal("94.20")], ["溪头村", None]]
    assert read(write_workbook([Sheet("得分", columns, rows, title="汇总表")])) == [
        ["汇总表", ""],
        ["名称", "得分"],
        ["半径村", 94.2],
        ["溪头村", ""],
    ]


def test_without_title_and_headings_the_rows_begin_at_once() -> None:
    assert read(write_workbook([Sheet("a", [Column()], [["x"], [1]])])) == [["x"], [1.0]]


@pytest.mark.parametrize("attack", [*ATTACKS, "http://example.com", "mailto:a@b.c", "file:///etc/passwd"])
def test_text_becomes_neither_formula_nor_link(attack: str) -> None:
    content = write_workbook([Sheet("a", [Column("意见")], [[attack]])])
    assert "<f>" not in sheet_xml(content)
    assert "hyperlink" not in sheet_xml(content).replace("HYPERLINK", "")
    assert ('quotePrefix="1"' in sheet_xml(content)) is is_formula_like(attack)


def test_codes_stay_text_and_long_texts_are_cut_at_the_limit_of_excel() -> None:
    columns = [Column("编码", number_format=TEXT_FORMAT)]
    rows = [["445122109000"], ["字" * (MAX_CELL_LENGTH + 1)]]
    assert read(write_workbook([Sheet("a", columns, rows)]))[1:] == [
        ["445122109000"],
        ["字" * MAX_CELL_LENGTH],
    ]


def test_marked_rows_are_coloured_and_choices_offered() -> None:
    sheet = Sheet("a", [Column("类别")], [["镇"], ["村"]], marked_rows={3}, choices={0: ("镇", "村")})
    xml = sheet_xml(write_workbook([sheet]))
    assert "FFFDE8E8" in xml
    assert '"镇,村"' in xml


@pytest.mark.parametrize("attack", ATTACKS)
def test_csv_text_gets_an_apostrophe_and_numbers_none(attack: str) -> None:
    lines = "".join(csv_lines(["意见", "数"], [[attack, -1], ["好", Decimal("-0.5")]]))
    assert lines.startswith("\ufeff意见,数\r\n")
    assert list(csv.reader(StringIO(lines[1:], newline="")))[1:] == [["'" + attack, "-1"], ["好", "-0.5"]]


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=4), max_size=5))
def test_every_csv_can_be_read_again(rows: list[list[str]]) -> None:
    lines = "".join(csv_lines(["a"], rows))
    again = list(csv.reader(StringIO(lines.removeprefix("\ufeff"), newline="")))[1:]
    assert again == [[f"'{cell}" if is_formula_like(cell) else cell for cell in row] for row in rows]
