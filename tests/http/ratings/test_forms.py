"""The forms of the texts as XLSX and PDF: titles, rows, sums; who gets which."""

from io import BytesIO
from subprocess import run
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest

from survey_service.core.db import Database
from survey_service.core.spreadsheet import read_cells
from tests.factories.campaigns import World
from tests.http.campaigns.callers import Caller, fields_of, problem
from tests.http.ratings.conftest import Rating, open_rating, shares

TOWNSHIP = {
    "standards": "附件1 基层党组织分类定级参考标准",
    "self_assessment": "附件2 分类定级自评表",
    "mass_ballot": "附件3 党员群众满意度测评表",
    "mass_summary": "党员群众满意度测评汇总表",
    "assessment": "附件4 上级党组织评分定级表",
    "preliminary_list": "初步名单",
    "notice_list": "公示名单",
    "health_report": "体检报告",
}


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What is looked at here is the same on every database."""
    return sqlite_database


@pytest.fixture
def rating(world: World, county: Caller) -> Rating:
    """Three branches of the township; the first and the second have assessed themselves higher."""
    opened = open_rating(world, county, "township-classification", organization_codes=world.village_codes[:3])
    for village, total in enumerate((95, 85, 50)):
        opened.score(village, shares(total))
        opened.score(village, shares(96), by="self", notes={"leader": "=班子团结"})
    return opened


def cells(caller: Caller, rating: Rating, form: str, **query: str) -> list[list[Any]]:
    rest = "&".join(f"{name}={value}" for name, value in query.items())
    answer = caller.get(rating.path(f"/forms/{form}.xlsx?{rest}"))
    assert answer.status_code == 200, answer.text
    return read_cells(answer.data)


def test_a_scheme_names_its_forms(rating: Rating) -> None:
    items = rating.county.get(rating.path("/forms")).json["items"]
    assert {one["code"]: one["title"] for one in items} == TOWNSHIP
    assert [one["code"] for one in items if one["of_subject"]] == ["self_assessment", "health_report"]


def test_every_form_can_be_worked_on(rating: Rating) -> None:
    rating.complete("self", "mass_evaluation", "summary", "town_assessment", "county_review")
    code = rating.world.village_codes[2]
    for form, title in TOWNSHIP.items():
        assert cells(rating.county, rating, form, organization_code=code)[0][0] == title


def test_the_standards_stand_with_their_points_and_lines(rating: Rating) -> None:
    rows = cells(rating.county, rating, "standards")
    assert rows[1][:4] == ["序号", "指标", "类别", "满分"]
    assert [rows[2][1], rows[2][3]] == ["党组织带头人", "15.00"]
    written = [row[0] for row in rows]
    assert "好：90 分及以上" in written
    assert "“好”不超过参评总数的 20%" in written
    assert "其中 9 处数值公开文本没有给出，是预设值。" in written


def test_a_self_assessment_is_that_of_one_branch(rating: Rating, secretary: Caller) -> None:
    assert fields_of(secretary.get(rating.path("/forms/self_assessment.xlsx"))) == {"organization_code"}
    own, other = rating.world.village_codes[:2]
    rows = cells(secretary, rating, "self_assessment", organization_code=own)
    assert rows[2][1:5] == ["党组织带头人", "15.00", "14.4", "=班子团结"]
    refused = secretary.get(rating.path(f"/forms/self_assessment.xlsx?organization_code={other}"))
    assert problem(refused) == (403, "forbidden")
    assert problem(secretary.get(rating.path("/forms/assessment.xlsx"))) == (403, "not_released")


def test_the_assessment_has_the_levels_side_by_side(rating: Rating) -> None:
    rows = cells(rating.county, rating, "assessment")
    assert rows[1][2:8] == ["自评", "乡镇", "县级", "群众测评", "总分", "等次"]
    assert rows[2][2:8] == ["96.00", "95.00", "", "", "95.00", "较好"]
    assert "等次尚未确定，这是系统建议。" in [row[0] for row in rows]


def test_lists_of_final_grades_wait_for_them(rating: Rating) -> None:
    assert problem(rating.county.get(rating.path("/forms/notice_list.xlsx"))) == (409, "wrong_step")
    assert problem(rating.county.get(rating.path("/forms/rewards.xlsx"))) == (404, "not_found")
    assert problem(rating.county.get(rating.path("/forms/unknown.pdf"))) == (404, "not_found")


def test_a_health_report_says_where_points_were_lost(rating: Rating) -> None:
    rating.score(2, {"site": "3", "plan": "9"})
    rating.find(2, excluded=None)
    code = rating.world.village_codes[2]
    rows = cells(rating.county, rating, "health_report", organization_code=code, due_on="2027-03-31")
    assert rows[2][:4] == ["活动阵地", "3.00", "15.00", "20%"]
    assert "请制定专门的整改方案" in rows[2][4]
    written = [row[0] for row in rows]
    assert "在同类中的名次：第 3 名，共 3 个" in written
    assert "整改期限：2027-03-31" in written


BASE = dict.fromkeys(("leadership", "operation", "activity", "members", "guarantee"), "12")


@pytest.fixture
def stars(world: World, county: Caller) -> Rating:
    """Of 肥城 five stars twice, four, three; filed."""
    opened = open_rating(world, county, "feicheng-branch-star", organization_codes=world.village_codes[:4])
    for village, effect in enumerate(("35", "36", "25", "15")):
        opened.score(village, BASE | {"rural_effect": effect})
    opened.find(2, findings={"supervision_problem": "台账缺失"})
    opened.visit(0, 1)
    opened.complete("self", "town_assessment", "county_review")
    return opened


def test_rewards_are_added_up(stars: Rating) -> None:
    """2 × 500 × 12 + 400 × 12 + 300 × 12 = 20,400; 2 × 10,000 = 20,000."""
    rows = cells(stars.county, stars, "rewards")
    assert rows[0][0] == "星级补贴发放表"
    assert rows[2][2:] == ["五星级", "500.00", "10000.00", "16000.00"]
    assert rows[6][1:] == ["合计", "", "20400.00", "20000.00", "40400.00"]
    assert cells(stars.county, stars, "negative_list")[2][2:] == [
        "日常督查发现的负面清单问题",
        "台账缺失",
        "五星级",
    ]
    preliminary = cells(stars.county, stars, "preliminary_list")
    assert [row[2] for row in preliminary[2:4]] == ["95.00", "96.00"]
    notice = [row[0] for row in cells(stars.county, stars, "notice_list")]
    assert "五星级：2" in notice
    assert "公示到 2026-11-26 24 时为止。" in notice


def test_a_pdf_holds_the_words(stars: Rating) -> None:
    answer = stars.county.get(stars.path("/forms/rewards.pdf"))
    assert answer.mimetype == "application/pdf"
    words = run(["pdftotext", "-layout", "-", "-"], input=answer.data, capture_output=True, check=True)
    printed = words.stdout.decode()
    assert "星级补贴发放表" in printed
    assert "20400.00" in printed


def test_words_never_become_formulas(rating: Rating) -> None:
    code = rating.world.village_codes[0]
    answer = rating.county.get(rating.path(f"/forms/self_assessment.xlsx?organization_code={code}"))
    with ZipFile(BytesIO(answer.data)) as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    assert [node for node in sheet.iter() if node.tag.endswith("}f")] == []
