"""From cells to rows."""

from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from survey_service.core.sheet_rows import Cell, HeadingProblem, Problem, merge_problems
from survey_service.organizations.import_rows import Column, ImportRow, read_row, read_rows
from survey_service.organizations.rules import MAX_SIZE, OrganizationKind, ProblemKind, RosterSize

GOOD: dict[Column, Cell] = {
    Column.CODE: "445122109000",
    Column.NAME: "汤溪镇",
    Column.PARENT_CODE: "445122000000",
    Column.KIND: "town",
}


def row_with(**cells: Cell) -> ImportRow:
    return read_row(2, GOOD | {Column(name): cell for name, cell in cells.items()})[0]


def problems_with(**cells: Cell) -> list[StrEnum]:
    problems = read_row(2, GOOD | {Column(name): cell for name, cell in cells.items()})[1]
    return [problem.kind for problem in problems]


def test_a_good_row_has_no_problem() -> None:
    assert read_row(2, GOOD) == (
        ImportRow(2, "445122109000", "汤溪镇", "445122000000", OrganizationKind.TOWN),
        [],
    )


@pytest.mark.parametrize(
    "cell",
    [
        445122109000.0,
        445122109000,
        "445122109000.0",
        "445122109000.00",
        "４４５１２２１０９０００",
        " 4451 2210 9000\u3000",
        "'445122109000",
        "\ufeff445122109000\xa0",
        "4.45122109000E+11",
    ],
)
def test_a_code_is_found_behind_what_spreadsheets_make_of_it(cell: Cell) -> None:
    assert row_with(code=cell).code == "445122109000"
    assert problems_with(code=cell) == []


@pytest.mark.parametrize("cell", ["4.45122E+11", "4.45122e+11", "4E+11", 4.45122109001234e17])
def test_a_code_that_lost_digits_is_never_guessed(cell: Cell) -> None:
    assert problems_with(code=cell) == [ProblemKind.CODE_LOST_DIGITS]


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", ProblemKind.CODE_MISSING),
        ("\u3000", ProblemKind.CODE_MISSING),
        ("x" * 33, ProblemKind.CODE_TOO_LONG),
        ("45.5", ProblemKind.CODE_CHARACTERS),
        ("=1+1", ProblemKind.CODE_CHARACTERS),
        ("汤溪", ProblemKind.CODE_CHARACTERS),
        ("2024-01-01T00:00", ProblemKind.CODE_CHARACTERS),
        (-5.0, ProblemKind.CODE_CHARACTERS),
        ("V_1-a", None),
    ],
)
def test_codes(cell: Cell, problem: ProblemKind | None) -> None:
    assert problems_with(code=cell) == [problem] * (problem is not None)


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("", ProblemKind.NAME_MISSING),
        ("村" * 101, ProblemKind.NAME_TOO_LONG),
        ("汤溪\n镇", ProblemKind.NAME_CHARACTERS),
        ("汤溪\x07镇", ProblemKind.NAME_CHARACTERS),
        ("汤溪\u202e镇", ProblemKind.NAME_CHARACTERS),
        ('=HYPERLINK("http://a")', ProblemKind.NAME_FORMULA),
        ("＋1", ProblemKind.NAME_FORMULA),
        ("@SUM(A1)", ProblemKind.NAME_FORMULA),
        ("村（社区）\ue000", None),
        ("\u3000汤溪镇 \u200b", None),
    ],
)
def test_names(cell: Cell, problem: ProblemKind | None) -> None:
    assert problems_with(name=cell) == [problem] * (problem is not None)


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("Town", OrganizationKind.TOWN),
        (" 镇 ", OrganizationKind.TOWN),
        ("街道", OrganizationKind.TOWN),
        ("县级市", OrganizationKind.COUNTY),
        ("村委会", OrganizationKind.VILLAGE),
        ("居委会", OrganizationKind.COMMUNITY),
        ("党支部", OrganizationKind.BRANCH),
        ("市（地级）", OrganizationKind.CITY),
    ],
)
def test_kinds_have_chinese_and_english_words(cell: Cell, kind: OrganizationKind) -> None:
    assert row_with(kind=cell).kind is kind


def test_unknown_and_missing_kinds_are_told_apart() -> None:
    assert problems_with(kind="省") == [ProblemKind.KIND_UNKNOWN]
    assert problems_with(kind="") == [ProblemKind.KIND_MISSING]


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        ("386", 386),
        (386.0, 386),
        ("３８６", 386),
        ("386.0", 386),
        ("1,386", 1386),
        (0, 0),
        ("-0", 0),
        (" 7 ", 7),
    ],
)
def test_sizes(cell: Cell, size: int) -> None:
    assert row_with(households=cell).sizes == {RosterSize.HOUSEHOLDS: size}


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        (-3.0, ProblemKind.SIZE_NEGATIVE),
        ("-3", ProblemKind.SIZE_NEGATIVE),
        (386.5, ProblemKind.SIZE_NOT_WHOLE),
        ("386户", ProblemKind.SIZE_NOT_A_NUMBER),
        (True, ProblemKind.SIZE_NOT_A_NUMBER),
        ("1,38", ProblemKind.SIZE_NOT_A_NUMBER),
        ("٣", ProblemKind.SIZE_NOT_A_NUMBER),
        (MAX_SIZE + 1, ProblemKind.SIZE_TOO_LARGE),
        ("9" * 5000, ProblemKind.SIZE_TOO_LARGE),
    ],
)
def test_wrong_sizes(cell: Cell, problem: ProblemKind) -> None:
    assert problems_with(members=cell) == [problem]


def test_an_absent_or_empty_size_is_not_given() -> None:
    assert row_with(villagers="").sizes == {}


def test_all_problems_of_a_row_are_found() -> None:
    found = problems_with(
        code="", name="", kind="?", parent_code="4.4E+11", households=-1, region_edition="2" * 17
    )
    assert found == [
        ProblemKind.SIZE_NEGATIVE,
        ProblemKind.CODE_MISSING,
        ProblemKind.NAME_MISSING,
        ProblemKind.CODE_LOST_DIGITS,
        ProblemKind.KIND_UNKNOWN,
        ProblemKind.EDITION_TOO_LONG,
    ]


def test_headings_stand_under_titles_and_in_any_order() -> None:
    table = read_rows(
        [
            ["饶平县组织情况表", "", "", ""],
            [],
            ["名称", "类 别*", "备注", "区划代码（12位）", "上级编码", "户数(户)"],
            [],
            ["汤溪镇", "镇", "好", 445122109000.0, "", 386.0],
            ["", " ", "\u3000"],
            ["半径村", "村", "", "445122109207", "445122109000"],
        ]
    )
    assert table.problems == {}
    assert [(row.number, row.name, dict(row.sizes)) for row in table.rows] == [
        (5, "汤溪镇", {RosterSize.HOUSEHOLDS: 386}),
        (7, "半径村", {}),
    ]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([["a", "b"]], {1: [Problem(HeadingProblem.NO_HEADINGS)]}),
        ([[]], {1: [Problem(HeadingProblem.NO_HEADINGS)]}),
        ([], {1: [Problem(HeadingProblem.NO_HEADINGS)]}),
        ([["code", "name", "parent_code", "kind"]], {1: [Problem(HeadingProblem.NO_ROWS)]}),
        (
            [[], ["code", "name", "kind"], ["A", "B", "town"]],
            {2: [Problem(HeadingProblem.MISSING_COLUMN, {"column": Column.PARENT_CODE})]},
        ),
        (
            [["编码", "区划代码", "name", "parent_code", "kind"]],
            {1: [Problem(HeadingProblem.DUPLICATE_COLUMN, {"column": "区划代码"})]},
        ),
    ],
)
def test_problems_with_the_headings(cells: list[list[Cell]], expected: dict[int, list[Problem]]) -> None:
    table = read_rows(cells)
    assert list(table.rows) == []
    assert table.problems == expected


def test_problems_are_merged_by_row() -> None:
    first, second = Problem(ProblemKind.CYCLE), Problem(HeadingProblem.NO_ROWS)
    assert list(merge_problems({7: [first]}, {2: [second], 7: [second]}).items()) == [
        (2, [second]),
        (7, [first, second]),
    ]


anything = st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.booleans())


@given(st.dictionaries(st.sampled_from(Column), anything))
def test_no_cell_breaks_the_reader_and_what_it_accepts_keeps_the_rules(cells: dict[Column, Cell]) -> None:
    row, problems = read_row(2, cells)
    assert all(0 <= size <= MAX_SIZE for size in row.sizes.values())
    assert bool(problems) or (0 < len(row.code) <= 32 and row.code.isascii() and 0 < len(row.name) <= 100)


@given(st.integers(min_value=0, max_value=10**15 - 1))
def test_a_code_typed_as_a_number_comes_back_whole(number: int) -> None:
    assert row_with(code=float(number)).code == str(number)
    assert row_with(code=f"{number}.0").code == str(number)


@given(st.integers(min_value=10**11, max_value=10**12 - 1), st.integers(min_value=0, max_value=11))
def test_scientific_notation_gives_the_code_or_an_error_never_another_code(
    number: int, decimals: int
) -> None:
    row, problems = read_row(2, GOOD | {Column.CODE: f"{float(number):.{decimals}E}"})
    assert row.code == str(number) or [problem.kind for problem in problems] == [ProblemKind.CODE_LOST_DIGITS]
