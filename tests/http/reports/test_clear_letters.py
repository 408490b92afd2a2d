"""A secretary writes on the pages, the town reads what changed; nothing that was typed gets lost."""

import html
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from survey_service.core.db import Database
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.campaigns import World
from tests.factories.letters import ACCOUNTS
from tests.http.reports.conftest import Browser, People

FIELDS: dict[str, Any] = {
    "title": "第1村第三季度明白信",
    "period_from": "2026-07-01",
    "period_to": "2026-09-30",
    "greeting": "各位乡亲",
    "work_done": "1、修好村道\n2、装路灯12盏",
    "sections.party_affairs.text": "开会3次",
    "sections.village_affairs.text": "无变动",
    "sections.finances.text": "见表",
    "sections.finances.tables.1": ACCOUNTS.replace("\n", "\r\n"),
    "sections.finances.tables.1.title": "收支表",
    "promises": "修好水渠",
    "contacts": "陈志明 书记 13800000001",
    "answer_by": "2026-12-15",
    "reply_place": "意见箱",
}


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: the pages differ by no engine."""
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def secretary(town: World, people: People) -> Browser:
    return people.browser(Role.BRANCH_SECRETARY, town.village_codes[0])


@pytest.fixture
def office(town: World, people: People) -> Browser:
    return people.browser(Role.TOWN_STAFF, town.town_code)


def begin(town: World, secretary: Browser, **changes: str) -> str:
    """Write a letter and return the address of its page."""
    secretary.get("/staff/clear-letters/new")
    fields = (
        FIELDS | {"organization_code": town.village_codes[0], "campaign_id": str(town.campaign_id)} | changes
    )
    answer = secretary.post("/staff/clear-letters/new", fields)
    assert answer.status_code == 303, answer.text
    return str(answer.location).partition("?")[0]


def revision_in(page: str) -> str:
    return page.partition('name="revision" value="')[2].partition('"')[0]


def test_a_new_letter_begins_with_the_last_quarter_and_the_last_promises(
    town: World, secretary: Browser
) -> None:
    page = secretary.get("/staff/clear-letters/new").text
    assert 'value="第1村2026年第3季度明白信"' in page
    assert 'value="2026-07-01"' in page
    assert 'value="2026-09-30"' in page
    begin(town, secretary)
    again = secretary.get("/staff/clear-letters/new").text
    assert "上一封信里说要做的事" in again
    assert "修好水渠" in again
    assert "陈志明 书记 13800000001" in again


def test_a_pasted_table_becomes_a_table(town: World, secretary: Browser) -> None:
    page = secretary.get(begin(town, secretary)).text
    assert '<td class="n">38,600</td>' in page
    assert '<tr class="sum"><td>合计</td>' in page
    assert "<li>修好村道</li>" in page
    assert "内容齐了" in page


def test_the_way_of_a_letter_over_the_pages(town: World, secretary: Browser, office: Browser) -> None:
    letter = begin(town, secretary)
    secretary.get(letter)
    assert "等镇里审核" in secretary.follow(f"{letter}/submit").text
    assert "同意并发布" in office.get(letter).text
    assert office.post(f"{letter}/send-back").status_code == 422
    office.get(letter)
    assert "已经退回" in office.follow(f"{letter}/send-back", {"remark": "路灯多少钱？"}).text
    form = secretary.get(f"{letter}/edit").text
    assert "路灯多少钱？" in form
    changed = FIELDS | {
        "revision": revision_in(form),
        "work_done": "修好村道\n装路灯12盏，花费2.4万元",
        "sections.finances.tables.1": ACCOUNTS.replace("38,600", "48,600"),
    }
    page = secretary.follow(f"{letter}/edit", changed).text
    assert "<ins>，花费2.4万元</ins>" in page
    assert "<del>38,600</del>" in page
    assert "<ins>48,600</ins>" in page
    secretary.follow(f"{letter}/submit")
    office.get(letter)
    published = office.follow(f"{letter}/approve").text
    assert "/l/" in published
    assert "已发布" in published
    assert "修好村道" in office.get(f"{letter}?version=1").text


def test_nothing_typed_is_lost_when_it_is_too_much(town: World, secretary: Browser) -> None:
    secretary.get("/staff/clear-letters/new")
    rows = "\n".join(f"第{number}项\t{number}" for number in range(12_000))
    fields = FIELDS | {"organization_code": town.village_codes[0], "sections.finances.tables.1": rows}
    answer = secretary.post("/staff/clear-letters/new", fields)
    assert answer.status_code == 422
    assert "这张表有 12000 行" in answer.text
    assert 'href="#sections.finances.tables.0"' in answer.text
    assert rows in html.unescape(answer.text).replace("\r\n", "\n")
    assert "装路灯12盏" in answer.text
    assert "13800000001" in answer.text


def test_two_who_write_at_once_learn_of_each_other(town: World, secretary: Browser, office: Browser) -> None:
    letter = begin(town, secretary)
    seen = revision_in(secretary.get(f"{letter}/edit").text)
    office.get(f"{letter}/edit")
    office.follow(f"{letter}/edit", FIELDS | {"revision": seen, "greeting": "镇里改的"})
    secretary.get(letter)
    refused = secretary.post(f"{letter}/edit", FIELDS | {"revision": seen, "greeting": "我自己写的"})
    assert refused.status_code == 409
    assert "我自己写的" in refused.text
    assert "别人已经保存过" in refused.text
    again = FIELDS | {"revision": revision_in(refused.text), "greeting": "我自己写的"}
    assert "我自己写的" in secretary.follow(f"{letter}/edit", again).text


def test_the_preview_shows_points_out_and_leaves_no_trace(town: World, secretary: Browser) -> None:
    def entries() -> int:
        with town.app.extensions["database"].reading() as session:
            return int(session.connection().exec_driver_sql("SELECT count(*) FROM audit_entry").scalar_one())

    secretary.get("/staff/clear-letters/new")
    before = entries()
    fields = FIELDS | {"organization_code": town.village_codes[0], "contacts": ""}
    fields["sections.finances.tables.1"] = ACCOUNTS.replace("38,600\t2,316", "38,000\t2,316").replace(
        "路灯电费", "卖树\t1,000\t\n路灯电费"
    )
    page = secretary.post("/staff/clear-letters/preview", fields).text
    assert "有事找谁：这里还没有写。" in page
    assert "合计写的是 38,000，各行相加是 39,600" in page
    assert "<html" not in page
    assert entries() == before
    outside = fields | {"organization_code": town.village_codes[1]}
    assert secretary.post("/staff/clear-letters/preview", outside).status_code == 403


def test_each_role_is_offered_what_it_may_do(town: World, secretary: Browser, people: People) -> None:
    letter = begin(town, secretary)
    secretary.follow(f"{letter}/submit")
    assert "同意并发布" not in secretary.get(letter).text
    auditor = people.browser(Role.AUDITOR, town.town_code).get(letter).text
    assert "同意并发布" not in auditor
    assert "下载打印版" not in auditor
    neighbour = people.browser(Role.BRANCH_SECRETARY, town.village_codes[1])
    assert neighbour.get(letter).status_code == 403
    assert "第1村第三季度" not in neighbour.get("/staff/clear-letters").text
