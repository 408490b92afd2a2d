"""The template, the copy with the errors, and the lines for a terminal."""

from enum import StrEnum
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from survey_service.core.import_files import describe_bad_rows
from survey_service.core.sheet_rows import Cell, HeadingProblem, Problem
from survey_service.core.spreadsheet import read_cells
from survey_service.organizations.import_files import FILES, write_template
from survey_service.organizations.import_rows import Column, read_rows
from survey_service.organizations.rules import OrganizationKind, ProblemKind
from survey_service.organizations.service import ImportResult, check_import, import_organizations
from tests.factories.organizations.files import csv_file, xlsx_file

ANY_VALUES = {
    "column": Column.CODE,
    "kind": OrganizationKind.TOWN,
    "parent_kind": OrganizationKind.VILLAGE,
    "child_kind": OrganizationKind.BRANCH,
    **dict.fromkeys(("code", "codes", "other", "child", "given", "most"), "1"),
}


@pytest.mark.parametrize("kind", [*ProblemKind, *HeadingProblem])
def test_every_problem_has_a_sentence(kind: StrEnum) -> None:
    words = FILES.sentence(Problem(kind, ANY_VALUES))
    assert words.endswith("。")
    assert "{" not in words


def check(session: Session, content: bytes) -> list[list[Cell]]:
    copy = check_import(session, content=content, filename="组织.xlsx", within_path=None)
    return read_cells(copy)


def test_the_copy_shows_each_problem_in_a_last_column(session: Session) -> None:
    content = xlsx_file(
        [("code", "name", "parent_code", "kind"), (445122109000, "", "", "town"), ("T", "乙镇", "", "town")],
        merged_title="组织表",
    )
    assert check(session, content) == [
        ["组织表", "", "", "", ""],
        ["code", "name", "parent_code", "kind", "错误"],
        ["445122109000", "", "", "town", "缺少名称。"],
        ["T", "乙镇", "", "town", ""],
    ]


def test_a_copy_can_be_corrected_checked_and_imported_again(session: Session) -> None:
    copy = check(session, csv_file(("C", "=1", "", "county"), ("T", "甲镇", "X", "town")))
    copy[1][1], copy[2][2] = "甲县", "C"
    again = xlsx_file(copy)
    assert check(session, again)[0] == ["code", "name", "parent_code", "kind", "错误"]
    assert [row[-1] for row in check(session, again)[1:]] == ["", ""]
    result = import_organizations(session, content=again, filename="组织.xlsx", within_path=None)
    assert result == ImportResult(created=2, updated=0)


def test_a_copy_without_headings_says_so_in_its_first_row(session: Session) -> None:
    assert check(session, b"a,b\n1,2\n")[0][:2] == ["a", "b"]
    assert "没有找到表头" in str(check(session, b"a,b\n1,2\n")[0][2])


def test_the_template_waits_for_rows_and_takes_its_own_example() -> None:
    workbook = CalamineWorkbook.from_filelike(BytesIO(write_template()))
    assert workbook.sheet_names == ["组织", "填写说明"]
    cells = read_cells(write_template())
    assert read_rows(cells).problems == {1: [Problem(HeadingProblem.NO_ROWS)]}
    explained = workbook.get_sheet_by_index(1).to_python()
    assert [row[0] for row in explained[2:]] == cells[0]
    example: list[Cell] = [str(row[3]) for row in explained[2:]]
    assert read_rows([*cells, example]).problems == {}


def test_the_words_offered_by_the_template_are_understood() -> None:
    words = ["市", "县", "镇", "村", "社区", "党支部"]
    rows = [["code", "name", "parent_code", "kind"], *(["1", "名", "", word] for word in words)]
    assert [row.kind for row in read_rows(rows).rows] == list(OrganizationKind)


def test_bad_rows_in_a_terminal() -> None:
    assert describe_bad_rows({"2": ["缺少名称。", "缺少编码。"], "7": ["缺少类别。"]}) == (
        "有 2 行需要修改，全部内容都没有导入：\n第 2 行：缺少名称。缺少编码。\n第 7 行：缺少类别。"
    )
