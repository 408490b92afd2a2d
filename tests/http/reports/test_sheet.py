"""The summary sheet: one row a subject, what a reader must know, and nobody's text as a formula."""

from io import BytesIO
from typing import Any
from zipfile import ZipFile

from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from survey_service.organizations.models import Subject
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.reports.conftest import People

ATTACK = '=HYPERLINK("http://a.example","点我")'


def download(people: People, world: World, role: Role = Role.TOWN_STAFF) -> Any:
    client = people.system(role, world.town_code)
    return client.get(f"/api/v1/campaigns/{world.campaign_id}/scores.xlsx")


def rows_of(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(0).to_python()


def test_one_row_a_subject_with_the_figures_as_numbers(town: World, people: People) -> None:
    town.vote(["satisfied"] * 5)
    town.drain()
    title, headings, first, second, *notes = rows_of(download(people, town).data)
    assert title[0] == "党员群众满意度测评汇总表：2026年度测评"
    row = dict(zip(headings, first, strict=True))
    assert (row["序号"], row["编码"], row["测评对象"]) == (1, town.village_codes[0], "第1村党支部")
    assert (row["应参评"], row["收回票"], row["参评率（%）"], row["满意度得分"]) == (100, 5, 5, 100)
    assert (row["村（居）民得分"], row["说明"]) == (100, "")
    empty = dict(zip(headings, second, strict=True))
    assert (empty["满意度得分"], empty["说明"]) == ("", "还没有收回票。")
    said = "".join(str(note[0]) for note in notes)
    for words in ("制表时间：2026年11月21日 09:00", "SHA-256", "没有包括未参评的人可能带来的偏差", "进行中"):
        assert words in said


def test_the_formula_hash_stands_in_the_sheet(town: World, people: People) -> None:
    client = people.system(Role.COUNTY_ADMIN, town.town_code)
    digest = client.get(f"/api/v1/campaigns/{town.campaign_id}/scores").json["formula_hash"]
    assert any(digest in str(row[0]) for row in rows_of(download(people, town).data))


def test_invented_rosters_are_marked(town: World, people: People) -> None:
    with town.app.extensions["database"].unit_of_work() as session:
        get_organization(session, code=town.village_codes[0]).is_roster_generated = True
    _, headings, first, second, *_ = rows_of(download(people, town).data)
    assert "名册人数为演示数据" in first[headings.index("说明")]
    assert "名册人数为演示数据" not in second[headings.index("说明")]


def test_nobody_s_text_becomes_a_formula_or_a_link(campaign_app: Flask, people: People) -> None:
    world = start_campaign(campaign_app, title=ATTACK)
    with campaign_app.extensions["database"].unit_of_work() as session:
        session.execute(update(Subject).values(name=ATTACK))
    answer = download(people, world)
    with ZipFile(BytesIO(answer.data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert rows_of(answer.data)[2][2] == ATTACK
    assert "<f>" not in sheet
    assert "<hyperlink" not in sheet
    assert answer.headers["Content-Disposition"].isascii()


def test_the_sheet_is_for_offices_and_once_sealed_for_auditors(town: World, people: People) -> None:
    early = download(people, town, Role.AUDITOR)
    assert (early.status_code, early.json["code"]) == (403, "not_released")
    assert download(people, town, Role.COUNTY_ADMIN).status_code == 200
    client = people.system(Role.BRANCH_SECRETARY, town.village_codes[0])
    assert client.get(f"/api/v1/campaigns/{town.campaign_id}/scores.xlsx").status_code == 403
