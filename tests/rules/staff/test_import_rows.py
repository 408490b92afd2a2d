"""From the cells of a sheet to people, and what is wrong with them."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from survey_service.core.sheet_rows import Cell
from survey_service.staff import import_rows
from survey_service.staff.import_rows import (
    AccountProblem,
    AccountRow,
    Creator,
    Place,
    Present,
    check_rows,
    make_username,
    read_rows,
)
from survey_service.staff.rules import Role, is_username

HEADINGS = ("姓名", "用户名（可空：自动生成）", "角色", "组织编码")
GOOD = ("张三", "zhang.san", "党支部书记", "445122109212")
ROW = AccountRow(2, "张三", "zhang.san", Role.BRANCH_SECRETARY, "V")
PRESENT = Present(places={"V": Place(7, "/1/7/"), "O": Place(9, "/2/9/")})


def problems(*cells: Cell) -> list[str]:
    _, found = read_rows([HEADINGS, cells])
    return [str(problem.kind) for one in found.values() for problem in one]


def test_a_good_row_is_read() -> None:
    rows, found = read_rows([("2026年名单", "", "", ""), HEADINGS, (*GOOD[:3], 445122109212.0)])
    assert (rows, found) == ([replace(ROW, number=3, organization_code="445122109212")], {})


def test_a_telephone_number_is_never_looked_at() -> None:
    rows, found = read_rows([(*HEADINGS, "手机号"), (*GOOD, "13800000000")])
    assert found == {}
    assert "13800000000" not in str(rows)


@pytest.mark.parametrize(
    ("place", "cell", "problem"),
    [
        (0, "", "name_form"),
        (0, "张\x07三", "name_form"),
        (1, "a b", "username_form"),
        (1, "ab", "username_form"),
        (2, "", "role_missing"),
        (2, "皇帝", "role_unknown"),
        (3, "", "code_missing"),
        (3, "4.45122E+11", "code_lost_digits"),
    ],
)
def test_what_is_wrong_with_a_cell(place: int, cell: Cell, problem: str) -> None:
    row: list[Cell] = list(GOOD)
    row[place] = cell
    assert problems(*row) == [problem]


def test_everything_wrong_with_a_row_is_found() -> None:
    assert problems("张\x07三", "a b", "皇帝", "") == [
        "name_form", "username_form", "role_unknown", "code_missing"
    ]  # fmt: skip


def test_a_user_name_may_be_left_out() -> None:
    assert problems("张三", "", "书记", "V") == []


def test_too_many_rows_are_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_rows, "MOST_ACCOUNTS", 1)
    rows, found = read_rows([HEADINGS, GOOD, GOOD])
    assert (rows, [problem.kind for problem in found[3]]) == ([], [AccountProblem.TOO_MANY])


TOWN = Creator("/1/", Role.TOWN_STAFF)


@pytest.mark.parametrize(
    ("row", "creator", "problem"),
    [
        (replace(ROW, organization_code="X"), TOWN, AccountProblem.PLACE_UNKNOWN),
        (replace(ROW, organization_code="O"), TOWN, AccountProblem.OUT_OF_SCOPE),
        (replace(ROW, role=Role.COUNTY_ADMIN), TOWN, AccountProblem.ROLE_NOT_ALLOWED),
        (replace(ROW, role=Role.AUDITOR), Creator("/", Role.SYSTEM_ADMIN), AccountProblem.ROLE_NOT_ALLOWED),
    ],
)
def test_rights_and_places(row: AccountRow, creator: Creator, problem: AccountProblem) -> None:
    assert [one.kind for one in check_rows([row], PRESENT, creator=creator)[2]] == [problem]


def test_the_operator_may_create_anybody_anywhere() -> None:
    rows = [replace(ROW, number=number, username="", role=role) for number, role in enumerate(Role)]
    assert check_rows(rows, PRESENT, creator=Creator()) == {}


def repeated(*rows: AccountRow, present: Present = PRESENT) -> dict[int, list[AccountProblem]]:
    found = check_rows(rows, present, creator=TOWN)
    return {number: [AccountProblem(problem.kind) for problem in one] for number, one in found.items()}


def test_a_row_is_held_against_the_others_and_against_the_database() -> None:
    other = replace(ROW, number=3, display_name="李四")
    assert repeated(ROW, other) == {3: [AccountProblem.USERNAME_TWICE]}
    same_person = replace(ROW, number=3, username="")
    assert repeated(replace(ROW, username=""), same_person) == {3: [AccountProblem.PERSON_TWICE]}
    taken = Present(PRESENT.places, usernames={"zhang.san"})
    assert repeated(ROW, present=taken) == {2: [AccountProblem.USERNAME_TAKEN]}
    there = Present(PRESENT.places, people={("张三", Role.BRANCH_SECRETARY, 7)})
    assert repeated(ROW, present=there) == {2: [AccountProblem.PERSON_EXISTS]}


def test_rows_without_a_user_name_do_not_share_one() -> None:
    people: Sequence[AccountRow] = [
        replace(ROW, number=number, username="", display_name=name) for number, name in enumerate("甲乙丙")
    ]
    assert repeated(*people) == {}


def test_a_made_user_name_is_short_and_follows_the_place() -> None:
    names = {make_username("445122109212") for _ in range(50)}
    assert all(name.startswith("109212-") and is_username(name) for name in names)
    assert len(names) > 40
