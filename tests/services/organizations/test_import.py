"""Imports into both kinds of database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.core.import_files import InvalidRows, UnreadableFile
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.organizations.rules import OrganizationKind, RosterSize
from survey_service.organizations.service import ImportResult, import_organizations, update_roster
from tests.factories.organizations.files import HEADINGS, csv_file, csv_text, xlsx_file
from tests.factories.organizations.tree import create_organization

SIZES = (*HEADINGS, "households", "members", "villagers")
TREE = (("C", "饶平县", "", "county"), ("T", "汤溪镇", "C", "town"), ("V", "半径村", "T", "village"))


def load(session: Session, content: bytes, *, within_path: str | None = None) -> ImportResult:
    return import_organizations(session, content=content, filename="组织.csv", within_path=within_path)


def errors_of(session: Session, content: bytes, *, within_path: str | None = None) -> dict[str, list[str]]:
    with pytest.raises(InvalidRows) as refusal:
        load(session, content, within_path=within_path)
    return refusal.value.errors


def assert_paths_are_whole(session: Session) -> None:
    """Recompute every path from the parents, independently of how it was written."""
    everything = {one.id: one for one in session.scalars(select(Organization))}
    for one in everything.values():
        ids, parent_id = [one.id], one.parent_id
        while parent_id is not None:
            ids.append(parent_id)
            parent_id = everything[parent_id].parent_id
        assert one.path == "/" + "".join(f"{number}/" for number in reversed(ids))


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(Organization)) or 0


def wide_tree(towns: int = 130, villages: int = 24) -> bytes:
    """A city of the size of Fuzhou: several thousand rows, children before their parents."""
    rows = [("C", "甲县", "S", "county")]
    for town in range(towns):
        rows += [(f"V{town}-{number}", f"村{number}", f"T{town}", "village") for number in range(villages)]
        rows.append((f"T{town}", f"镇{town}", "C", "town"))
    return csv_file(*rows, ("S", "甲市", "", "city"))


def test_a_city_is_imported_in_any_order_and_again(session: Session) -> None:
    assert load(session, wide_tree()) == ImportResult(created=3252, updated=0)
    assert_paths_are_whole(session)
    assert load(session, wide_tree()) == ImportResult(created=0, updated=3252)
    assert_paths_are_whole(session)
    assert get_organization(session, code="V7-3").parent_code == "T7"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_chinese_headings_and_encodings(session: Session, encoding: str) -> None:
    headings = ("区划代码", "名称", "上级代码", "类别", "户数", "党员数", "村民数")
    rows = [("1", "饶平县", "", "县", "", "", ""), ("2", "汤溪镇", "1", "镇", "5,000", "300", "１００００")]
    quoted = csv_text(*rows, headings=headings, delimiter="\t").encode(encoding)
    assert load(session, quoted) == ImportResult(created=2, updated=0)
    assert list(get_organization(session, code="2").sizes.values()) == [5000, 300, 10000]


def test_an_xlsx_whose_codes_are_numbers_under_a_merged_title(session: Session) -> None:
    content = xlsx_file(
        [
            (),
            ("区划代码", "名称", "上级代码", "类别", "户数"),
            (445122000000, "饶平县", "", "县", None),
            (445122109000, "汤溪镇", 445122000000, "镇", 386),
        ],
        merged_title="饶平县组织情况表",
    )
    assert load(session, content) == ImportResult(created=2, updated=0)
    town = get_organization(session, code="445122109000")
    assert (town.parent_code, town.households) == ("445122000000", 386)


def test_every_bad_row_is_reported_and_nothing_is_written(session: Session) -> None:
    bad = csv_file(
        *TREE[:2],
        ("V", "", "T9", "村"),
        ("W", "溪头村", "T", "洲"),
        ("T", "又一镇", "C", "town"),
        ("4.4E+11", "北坑", "T", "村"),
    )
    assert errors_of(session, bad) == {
        "3": ["编码 T 与第 6 行重复。"],
        "4": ["缺少名称。", "找不到上级编码 T9：表格里没有，系统里也没有。请核对，或把上级也填进表格。"],
        "5": ["不认识类别“洲”，请填市、县、镇、村、社区或党支部。"],
        "6": ["编码 T 与第 3 行重复。"],
        "7": [
            "编码被 Excel 变成了科学计数法，后面的数字已经丢失。"
            "请把这一列设为“文本”格式，再重新填写完整的编码。"
        ],
    }
    assert count(session) == 0


def test_a_cycle_is_reported_in_each_of_its_rows(session: Session) -> None:
    errors = errors_of(session, csv_file(("T", "甲", "V", "town"), ("V", "乙", "T", "village")))
    assert errors["2"][-1] == "上级关系绕成了圈：T → V → T。"
    assert errors["3"][-1] == "上级关系绕成了圈：V → T → V。"


def test_the_refusal_counts_the_rows(session: Session) -> None:
    with pytest.raises(InvalidRows) as refusal:
        load(session, csv_file(("T", "", "", "town")))
    assert refusal.value.problem()["code"] == "invalid_rows"
    assert refusal.value.detail == "表格中有 1 行需要修改，全部内容都没有导入。"


def test_an_unreadable_file_says_what_to_do(session: Session) -> None:
    with pytest.raises(UnreadableFile) as refusal:
        import_organizations(session, content=b"\x89PNG\0", filename="表/组织.xlsx", within_path=None)
    assert refusal.value.problem()["code"] == "unreadable_file"
    assert refusal.value.detail.startswith("“组织.xlsx”不是表格。")


def test_known_codes_get_what_the_file_says(session: Session) -> None:
    load(session, csv_file(*TREE))
    result = load(session, csv_file(("V", "半径社区", "", "community"), ("W", "溪头村", "T", "village")))
    assert result == ImportResult(created=1, updated=1)
    changed = get_organization(session, code="V")
    assert (changed.name, changed.kind, changed.parent_code) == ("半径社区", OrganizationKind.COMMUNITY, "T")


def test_absent_columns_and_empty_cells_leave_sizes_alone(session: Session) -> None:
    load(session, csv_file(*TREE[:1], ("T", "汤溪镇", "C", "town", 5000, 300, 10000), headings=SIZES))
    load(session, csv_file(*TREE[:2]))
    load(session, csv_file(("T", "汤溪镇", "C", "town", "", 301, ""), headings=SIZES))
    assert list(get_organization(session, code="T").sizes.values()) == [5000, 301, 10000]


def test_a_move_takes_along_what_the_file_does_not_name(session: Session) -> None:
    load(session, csv_file(*TREE, ("B", "一支部", "V", "branch"), ("C2", "乙县", "", "county")))
    load(session, csv_file(("T", "汤溪镇", "C2", "town")))
    assert_paths_are_whole(session)
    county, branch = get_organization(session, code="C2"), get_organization(session, code="B")
    assert branch.path.startswith(county.path)


def test_nested_moves_in_one_file(session: Session) -> None:
    towns = (("T2", "乙镇", "C2", "town"), ("T3", "丙镇", "C2", "town"))
    load(session, csv_file(*TREE, ("B", "一支部", "V", "branch"), ("C2", "乙县", "", "county"), *towns))
    load(
        session,
        csv_file(("V", "半径村", "T2", "village"), ("T2", "乙镇", "C", "town"), ("S", "新市", "", "city")),
    )
    load(
        session,
        csv_file(
            ("C", "饶平县", "S", "county"), ("T", "汤溪镇", "C2", "town"), ("C2", "乙县", "S", "county")
        ),
    )
    assert_paths_are_whole(session)
    above = list_ancestors(session, path=get_organization(session, code="B").path)
    assert [one.code for one in above] == ["S", "C", "T2", "V", "B"]


def test_invented_sizes_stay_marked_until_none_is_left(session: Session) -> None:
    load(session, csv_file(*TREE))
    invented = dict.fromkeys(RosterSize, 100)
    update_roster(session, code="V", sizes=invented, is_generated=True)
    load(session, csv_file(("V", "半径村", "T", "village", 380, 40, ""), headings=SIZES))
    assert get_organization(session, code="V").is_roster_generated
    load(session, csv_file(("V", "半径村", "T", "village", 380, 40, 1200), headings=SIZES))
    assert not get_organization(session, code="V").is_roster_generated


def test_a_staff_member_imports_the_own_county_with_its_own_row(session: Session) -> None:
    city = create_organization(session, OrganizationKind.CITY)
    county = create_organization(session, OrganizationKind.COUNTY, parent=city, code="C")
    assert load(session, csv_file(*TREE), within_path=county.path) == ImportResult(created=2, updated=1)
    assert get_organization(session, code="V").path.startswith(county.path)
    assert get_organization(session, code="C").parent_code == city.code


def test_what_lies_outside_is_refused_with_everything_else(session: Session) -> None:
    load(session, csv_file(*TREE, ("C2", "乙县", "", "county"), ("T2", "乙镇", "C2", "town")))
    within = get_organization(session, code="C").path
    bad = csv_file(("V", "改名", "T", "village"), ("T2", "改名", "C2", "town"), ("V2", "村", "T2", "village"))
    sentence = "不在您的管理范围内，请联系上一级管理员导入。"
    assert errors_of(session, bad, within_path=within) == {"3": [sentence], "4": [sentence]}
    assert get_organization(session, code="V").name == "半径村"


def test_two_imports_at_once_take_turns(committing_database: Database) -> None:
    with committing_database.unit_of_work() as session:
        load(session, csv_file(TREE[0]))

    def run(_: int) -> ImportResult:
        with committing_database.unit_of_work() as session:
            return load(session, csv_file(*TREE))

    with ThreadPoolExecutor(4) as threads:
        results = sorted(threads.map(run, range(4)), key=lambda result: result.created)
    assert results == [ImportResult(0, 3)] * 3 + [ImportResult(2, 1)]


def test_names_that_look_like_statements_are_only_names(session: Session) -> None:
    name = "'; DROP TABLE organization; --{name}%s"
    load(session, csv_file(("T", f'"{name}"', "", "town")))
    assert get_organization(session, code="T").name == name


OTHER_FILES = [Path(__file__).read_bytes(), b"\0" * 100, b"{}", b"code\n" * 10]


@pytest.mark.parametrize("content", OTHER_FILES, ids=["program", "zeros", "json", "one column"])
def test_files_of_other_kinds_never_get_through(session: Session, content: bytes) -> None:
    with pytest.raises((InvalidRows, UnreadableFile)):
        load(session, content)
