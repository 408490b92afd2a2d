"""Codes that rate all subjects of a town, made and shown by its office."""

import re

import pytest

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.entrances.posters import CodeSheet
from survey_service.print_runs import printing
from survey_service.print_runs.letters import LetterSheet
from survey_service.print_runs.rules import PrintLayout
from survey_service.print_runs.service import PrintOrder, start_print_run
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.http.ballots.test_sittings import start_sitting
from tests.http.reports.conftest import People

DRAWING = re.compile(r"/api/v1/entrances/([0-9A-Z]{13})\.svg")

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def test_the_office_makes_codes_for_all_subjects_and_sees_them(town: World, people: People) -> None:
    clerk = people.browser(Role.TOWN_STAFF, town.town_code)
    board = f"/staff/campaigns/{town.campaign_id}/entrances"
    assert "全部 2 个对象（一个编号逐个评）" in clerk.get(board).text
    fields = {
        "organization_code": town.town_code,
        "mode": Mode.PANEL,
        "rater_class": "villager",
        "count": "3",
    }
    shown = clerk.follow(board, fields).text
    assert "评 2 个对象；邀请码 · 村（居）民 3 个" in shown
    codes = clerk.get(f"/staff/campaigns/{town.campaign_id}/panel-codes/{town.town_code}").text
    assert codes.count("/api/v1/entrances/") == 3


def test_the_codes_of_a_panel_are_for_those_above_all_whom_it_rates(town: World, people: People) -> None:
    clerk = people.browser(Role.TOWN_STAFF, town.town_code)
    panel = f"/staff/campaigns/{town.campaign_id}/panel-codes/{town.town_code}"
    assert clerk.get(panel).status_code == 404
    below = people.browser(Role.TOWN_STAFF, town.village_codes[0])
    below.get(f"/staff/campaigns/{town.campaign_id}/entrances")
    assert below.get(panel).status_code == 403
    own = f"/staff/campaigns/{town.campaign_id}/panel-codes/{town.village_codes[0]}"
    assert below.get(own).status_code == 403


def test_the_office_chooses_what_else_a_code_rates(town: World, people: People) -> None:
    sitting = start_sitting(town)
    clerk = people.browser(Role.TOWN_STAFF, town.town_code)
    board = f"/staff/campaigns/{town.campaign_id}/entrances"
    shown = clerk.get(board).text
    assert "服务中心测评（2 个党群服务中心）" in shown
    assert "书记测评（2 个党组织书记）" in shown
    fields = {
        "organization_code": town.town_code,
        "mode": Mode.PANEL,
        "rater_class": RaterClass.VILLAGER,
        "count": "3",
        "also_campaign_ids": [str(one) for one in sitting.campaigns[1:]],
    }
    shown = clerk.follow(board, fields).text
    assert "同一批编号也评《服务中心测评》《书记测评》" in shown
    sheets = [
        clerk.get(f"/staff/campaigns/{one}/panel-codes/{town.town_code}").text for one in sitting.campaigns
    ]
    codes = [DRAWING.findall(sheet) for sheet in sheets]
    assert len(codes[0]) == 3
    assert codes[0] == codes[1] == codes[2]
    for sheet in sheets:
        assert sheet.count("评 2 个党支部、2 个党群服务中心、2 个党组织书记") == 3


def test_the_page_says_what_cannot_sit_together(town: World, people: People) -> None:
    sitting = start_sitting(town)
    clerk = people.browser(Role.TOWN_STAFF, town.town_code)
    board = f"/staff/campaigns/{town.campaign_id}/entrances"
    clerk.get(board)
    fields = {
        "mode": Mode.PANEL,
        "rater_class": RaterClass.VILLAGER,
        "organization_code": town.village_codes[0],
    }
    refused = clerk.post(board, fields | {"count": "1", "also_campaign_ids": [str(sitting.campaigns[1])]})
    assert refused.status_code == 422
    assert "要选它们共同的上级组织" in refused.text


def test_slips_and_letters_name_what_is_rated(town: World) -> None:
    sitting = start_sitting(town)
    sitting.invite(count=2)
    slips, letter = (printed(town, layout) for layout in (PrintLayout.LABELS_24, PrintLayout.LETTER))
    assert isinstance(slips, CodeSheet)
    assert isinstance(letter, LetterSheet)
    assert slips.campaign == letter.campaign == "评 2 个党支部、2 个党群服务中心、2 个党组织书记"
    assert letter.body.paragraphs == [
        "请您来评。",
        "《2026年度测评》评 2 个：第1村、第2村。",
        "《服务中心测评》评 2 个：第1村、第2村。",
        "《书记测评》评 2 个：第1村、第2村。",
    ]
    assert [slip.serial for slip in slips.slips] == [1, 2]


def test_a_panel_of_one_campaign_names_its_title(town: World) -> None:
    start_sitting(town).invite(also=[])
    slips = printed(town, PrintLayout.LABELS_12)
    assert isinstance(slips, CodeSheet)
    assert slips.campaign == "2026年度测评　评 2 个党支部"


def printed(town: World, layout: PrintLayout) -> printing.Sheet | None:
    """Start a run of printing, and return what stands on its first part."""
    order = PrintOrder(Mode.PANEL, layout, text="请您来评。")
    with town.app.app_context(), town.app.extensions["database"].unit_of_work() as session:
        run = start_print_run(session, staff=town.staff, campaign_id=town.campaign_id, order=order, now=NOW)
        return printing.prepare_part(
            session, run_id=run.id, number=1, keyring=town.keyring, public_url="https://ping.example"
        )
