"""The first page begins with what waits for whoever opens it, and with nothing about anybody else."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from survey_service.core.db import Database
from survey_service.opinions.models import Opinion
from survey_service.reports.duties import Duties
from survey_service.reports.presentation.duties import duty_lines
from survey_service.staff.rules import Role
from tests.factories.applications import make_app
from tests.factories.opinions import REPORT, OpinionWorld
from tests.http.reports.conftest import Browser, People, World
from tests.http.reports.rating_hands import Hands
from tests.http.reports.test_clear_letters import begin

LINE = re.compile(r'<a class="duties__one([^"]*)" href="([^"]+)">([^<]+)</a>')


@pytest.fixture
def campaign_app(tmp_path: Path, sqlite_database: Database) -> Flask:
    """On SQLite only: the pages differ by no engine."""
    return make_app(tmp_path, sqlite_database)


@pytest.fixture
def opinions(town: World, people: People) -> OpinionWorld:
    return OpinionWorld(town, people)


@pytest.fixture
def secretary(town: World, people: People) -> Browser:
    return people.browser(Role.BRANCH_SECRETARY, town.village_codes[0], name="secretary")


@pytest.fixture
def office(town: World, people: People) -> Browser:
    return people.browser(Role.TOWN_STAFF, town.town_code, name="clerk")


def duties(browser: Browser) -> list[tuple[str, str]]:
    """Return sentences and addresses, and see that each address opens."""
    lines = LINE.findall(browser.get("/staff/campaigns").text)
    assert all(browser.get(url.replace("&amp;", "&")).status_code == 200 for _, url, _ in lines)
    return [(sentence, url) for _, url, sentence in lines]


def test_nothing_stands_there_where_nothing_waits(secretary: Browser, office: Browser) -> None:
    assert duties(secretary) == []
    assert duties(office) == []
    assert "要办的事" not in secretary.get("/staff/campaigns").text


def test_an_opinion_waits_for_the_office_and_then_for_the_branch(
    opinions: OpinionWorld, secretary: Browser, office: Browser
) -> None:
    written, _ = opinions.write()
    assert duties(secretary) == []
    assert duties(office) == [("1 件新意见等着分办", "/staff/opinions?group=received")]
    opinions.triage(written)
    assert duties(secretary) == [("1 件意见等着您办理、答复", "/staff/opinions?group=handling")]
    assert duties(office) == []


def test_what_is_late_stands_first_and_shows_it(opinions: OpinionWorld, secretary: Browser) -> None:
    written, _ = opinions.write()
    opinions.triage(written)
    with opinions.world.app.extensions["database"].unit_of_work() as session:
        late = Opinion.due_on - timedelta(days=400)
        session.execute(update(Opinion).values(due_on=late, position=Opinion.id))
    found = LINE.findall(secretary.get("/staff/campaigns").text)
    assert [(mark, sentence) for mark, _, sentence in found] == [
        (" duties__one_late", "1 件意见超过了答复期限"),
        ("", "1 件意见等着您办理、答复"),
    ]


def test_a_report_is_not_counted_for_whom_it_is_about(
    opinions: OpinionWorld, secretary: Browser, office: Browser
) -> None:
    written, _ = opinions.write(REPORT, category="report")
    assert len(duties(office)) == 1
    opinions.triage(written, category="report", level="town")
    assert duties(secretary) == []


def test_a_letter_waits_for_the_office_and_comes_back(
    town: World, secretary: Browser, office: Browser
) -> None:
    letter = begin(town, secretary)
    secretary.follow(f"{letter}/submit")
    assert duties(office) == [("1 封明白信等着审定", "/staff/clear-letters?state=submitted")]
    assert duties(secretary) == []
    office.get(letter)
    office.follow(f"{letter}/send-back", {"remark": "请补财务表"})
    assert duties(office) == []
    assert duties(secretary) == [("1 封明白信被退回，请修改后再报", "/staff/clear-letters?state=sent_back")]


def test_a_sheet_waits_until_it_is_handed_in(town: World, people: People) -> None:
    hands = Hands(town, people, people.browser(Role.COUNTY_ADMIN, town.town_code))
    hands.open("raoping-centre-star", villages=1)
    secretary = hands.secretary(0)
    ((sentence, url),) = duties(secretary)
    assert sentence.startswith("“2026年度评定”：")
    assert url == f"{hands.address}/work"
    assert duties(hands.county) == []
    assert duties(hands.secretary(1)) == []
    hands.fill_in(
        0, dict.fromkeys(("site", "operation", "effect"), "20"), by="self", act="submit", browser=secretary
    )
    assert duties(secretary) == []


def test_warnings_are_told_as_the_head_of_the_page_counts_them() -> None:
    assert duty_lines(Duties(), warnings=0) == []
    (line,) = duty_lines(Duties(), warnings=3)
    assert (line.sentence, line.url) == ("3 条新近的预警您还没有看", "/staff/opinions/overview")
