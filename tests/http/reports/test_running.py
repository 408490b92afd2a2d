"""A campaign run from the pages: create, edit, launch, entrances, paper, correct, close, copy, withdraw."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_formula
from survey_service.campaigns.rules import EmptyClass, LiveScores, Mode, RaterClass
from survey_service.entrances.models import Entrance
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.reports.conftest import Browser, People

DRAFT = {
    "title": "2027年度测评",
    "opens_at": "2026-11-20T08:00",
    "closes_at": "2026-12-20T18:00",
    "formula.class_weights.villager": "60",
    "formula.class_weights.party_member": "40",
    "formula.mode_weights.household": "1",
    "formula.mode_weights.open": "0.5",
    "formula.min_response_rate": "50",
    "formula.empty_class": "renormalize",
    "preset": "100/70/30",
    "subject_type": "branch",
    "min_cell": "5",
    "live_scores": "after_closing",
}


@pytest.fixture
def clerk(town: World, people: People) -> Browser:
    """Somebody of the town's office who has a campaign's page open."""
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get(f"/staff/campaigns/{town.campaign_id}/method")
    return browser


def create(browser: Browser, town: World, **changes: str) -> Any:
    form = browser.get("/staff/campaigns/new").text
    questionnaire = form.split('name="questionnaire_id"')[1].split('option value="')[1].split('"')[0]
    fields = DRAFT | {"questionnaire_id": questionnaire, "under": town.town_code} | changes
    return browser.post("/staff/campaigns/new", fields)


def newest(town: World) -> Campaign:
    with town.app.extensions["database"].reading() as session:
        campaign = session.scalars(select(Campaign).order_by(Campaign.id.desc())).first()
    assert campaign is not None
    return campaign


def entrances_of(town: World, mode: Mode) -> int:
    with town.app.extensions["database"].reading() as session:
        counted = select(func.count()).where(Entrance.campaign_id == town.campaign_id, Entrance.mode == mode)
        return session.scalar(counted) or 0


def test_a_questionnaire_is_written_line_by_line(clerk: Browser) -> None:
    fields = {
        "title": "新问卷",
        "indicators": "工作思路\n\n 工作业绩 ",
        "option_set": "grade4",
        "has_opinion": "1",
    }
    page = clerk.follow("/staff/questionnaires/new", fields).text
    assert "问卷已经保存" in page
    assert "新问卷</option>" in page
    answer = clerk.post("/staff/questionnaires/new", fields | {"indicators": ""})
    assert (answer.status_code, "评议项目：请填写这一项。" in answer.text) == (422, True)


def test_a_draft_is_what_the_form_says(town: World, clerk: Browser) -> None:
    answer = create(clerk, town)
    page = clerk.get(answer.location).text
    campaign = newest(town)
    formula = get_formula(campaign)
    assert campaign.opens_at.isoformat() == "2026-11-20T00:00:00+00:00"
    assert {str(key): int(weight) for key, weight in formula.class_weights.items()} == {
        "villager": 60,
        "party_member": 40,
    }
    assert formula.mode_weights[Mode.OPEN] == formula.mode_weights[Mode.OPEN_DEVICE]
    assert formula.empty_class is EmptyClass.RENORMALIZE
    assert campaign.live_scores is LiveScores.AFTER_CLOSING
    assert "满意 100 分、基本满意 70 分、不满意 30 分。" in page
    assert "村（居）民 60%、党员 40%。" in page
    assert "全部参评人员的参评率要达到 50%。" in page
    assert "公开扫码（微信）、公开扫码（手机）：每张按 0.5 张计算。" in page


def test_every_channel_has_its_weight_and_keeps_it_when_a_draft_is_edited(
    town: World, clerk: Browser
) -> None:
    weights = {Mode.ASSISTED: "0.5", Mode.PAPER: "0.8", Mode.PAPER_TOTAL: "0"}
    new = clerk.get("/staff/campaigns/new").text
    create(clerk, town, **{f"formula.mode_weights.{mode}": weight for mode, weight in weights.items()})
    draft = clerk.get(f"/staff/campaigns/{newest(town).id}/edit").text
    for mode, weight in weights.items():
        assert f'name="formula.mode_weights.{mode}" type="text" value="1"' in new
        assert f'name="formula.mode_weights.{mode}" type="text" value="{weight}"' in draft
    found = get_formula(newest(town)).mode_weights
    assert {mode: f"{found[mode].normalize():f}" for mode in weights} == weights


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(town: World, clerk: Browser) -> None:
    wrong = {"formula.class_weights.villager": "viel", "closes_at": "", "min_cell": "1", "title": "<b>"}
    answer = create(clerk, town, **wrong)
    assert answer.status_code == 422
    for words in (
        "村（居）民：请填写数字。",
        "结束时间：请填写这一项。",
        'value="&lt;b&gt;"',
        'value="viel"',
    ):
        assert words in answer.text, words
    backwards = create(clerk, town, closes_at="2026-11-01T08:00")
    assert "结束时间必须晚于开始时间" in backwards.text
    assert newest(town).title != "<b>"


def test_a_draft_is_edited_launched_and_then_locked(town: World, clerk: Browser) -> None:
    create(clerk, town, organization_codes=town.village_codes[1])
    draft = f"/staff/campaigns/{newest(town).id}"
    form = clerk.get(f"{draft}/edit").text
    assert all(f'value="{value}"' in form for value in ("2027年度测评", "2026-12-20T18:00", "60", "50"))
    assert '<option value="100/70/30" selected>' in form
    assert town.village_codes[1] in form
    fields = DRAFT | {"questionnaire_id": str(town.campaign_id), "under": town.town_code}
    fields["questionnaire_id"] = form.split('name="questionnaire_id"')[1].split('value="')[1].split('"')[0]
    page = clerk.follow(f"{draft}/edit", fields | {"title": "改过的名称"}).text
    assert "改过的名称" in page
    check = clerk.get(f"{draft}/launch").text
    assert "公开扫码和入户码同时计分" in check
    assert "确认启动" in check
    launched = clerk.follow(f"{draft}/launch").text
    assert "计分办法已经锁定" in launched
    assert "修改草稿" not in launched
    again = clerk.post(f"{draft}/launch")
    assert (again.status_code, "测评已经启动" in again.text) == (409, True)


def test_entrances_are_made_once_for_one_or_for_all(town: World, clerk: Browser) -> None:
    address = f"/staff/campaigns/{town.campaign_id}/entrances"
    fields = {"mode": "open", "rater_class": "villager", "place": "小卖部", "key": "k-1"}
    assert "小卖部" in clerk.follow(address, fields).text
    clerk.post(address, fields)
    assert entrances_of(town, Mode.OPEN) == 2
    one = {"organization_code": town.village_codes[0], "mode": "household", "rater_class": "villager"}
    page = clerk.follow(address, one | {"count": "3"}).text
    assert "入户码 · 村（居）民 3 个" in page
    assert entrances_of(town, Mode.HOUSEHOLD) == 3
    wrong = clerk.post(address, one | {"count": "5001"})
    assert (wrong.status_code, "数值超出了允许的范围" in wrong.text) == (422, True)


def test_posters_sheets_and_panel_codes_are_printed(town: World, clerk: Browser) -> None:
    code = town.village_codes[0]
    address = f"/staff/campaigns/{town.campaign_id}/posters"
    missing = clerk.post(address, {"organization_code": code, "layout": "poster"})
    assert (missing.status_code, "还没有公开扫码的入口" in missing.text) == (409, True)
    town.issue(Mode.OPEN)
    town.issue(Mode.HOUSEHOLD, count=2)
    town.issue(Mode.PANEL, count=2)
    for layout in ("poster", "sheet"):
        pdf = clerk.post(address, {"organization_code": code, "layout": layout})
        assert pdf.data.startswith(b"%PDF-")
        assert pdf.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    panel = clerk.get(f"/staff/campaigns/{town.campaign_id}/panel-codes/{code}").text
    assert panel.count('class="ticket"') == 2


def test_a_secretary_prints_posters_and_no_codes(town: World, people: People) -> None:
    code, other = town.village_codes
    town.issue(Mode.OPEN)
    town.issue(Mode.HOUSEHOLD, count=2)
    browser = people.browser(Role.BRANCH_SECRETARY, code)
    browser.get("/staff/campaigns")
    address = f"/staff/campaigns/{town.campaign_id}/posters"
    wanted = [(code, "poster"), (code, "sheet"), (other, "poster")]
    answers = [
        browser.post(address, {"organization_code": one, "layout": two}).status_code for one, two in wanted
    ]
    assert answers == [200, 403, 403]


def test_a_running_campaign_is_corrected_with_a_reason(town: World, clerk: Browser) -> None:
    address = f"/staff/campaigns/{town.campaign_id}/correct"
    form = {"title": "改正的名称", "closes_at": "2026-11-28T09:00", "notice": "", "reason": "笔误"}
    assert 'value="2026-11-28T09:00"' in clerk.get(address).text
    assert "改正的名称" in clerk.follow(address, form).text
    assert "请填写这一项" in clerk.post(address, form | {"reason": ""}).text
    assert "没有给出要更正的内容" in clerk.post(address, form).text


def test_a_campaign_is_closed_and_copied(town: World, clerk: Browser) -> None:
    address = f"/staff/campaigns/{town.campaign_id}"
    assert "24 小时内仍可交" in clerk.get(f"{address}/close").text
    assert "已结束" in clerk.follow(f"{address}/close").text
    assert "结束测评" not in clerk.get(f"{address}/method").text
    form = {"title": "明年的测评", "opens_at": "2027-11-20T08:00", "closes_at": "2027-12-20T08:00"}
    page = clerk.follow(f"{address}/copy", form).text
    assert ("明年的测评" in page, "草稿" in page) == (True, True)
    assert clerk.post(f"{address}/copy", form | {"title": ""}).status_code == 422


def test_only_what_nobody_has_answered_is_withdrawn(town: World, clerk: Browser) -> None:
    address = f"/staff/campaigns/{town.campaign_id}"
    assert "撤回" in clerk.get(f"{address}/method").text
    town.vote(["satisfied"])
    assert "撤回" not in clerk.get(f"{address}/method").text
    assert clerk.post(f"{address}/withdraw").status_code == 409
    create(clerk, town)
    assert "测评已经撤回" in clerk.follow(f"/staff/campaigns/{newest(town).id}/withdraw").text


def test_a_preview_shows_the_form_and_stores_nothing(campaign_app: Flask, people: People) -> None:
    world = start_campaign(campaign_app, is_launched=False)
    browser = people.browser(Role.TOWN_STAFF, world.town_code)
    page = browser.get(f"/staff/campaigns/{world.campaign_id}/method").text
    assert world.village_codes[0] in page
    shown = browser.follow(
        f"/staff/campaigns/{world.campaign_id}/preview", {"organization_code": world.village_codes[0]}
    )
    assert (shown.status_code, "总体评价" in shown.text) == (200, True)


def test_a_class_without_weight_has_no_entrance(town: World, clerk: Browser) -> None:
    fields = {"mode": "panel", "rater_class": RaterClass.VETERAN_CADRE, "count": "1"}
    answer = clerk.post(f"/staff/campaigns/{town.campaign_id}/entrances", fields)
    assert (answer.status_code, "没有设置权重" in answer.text) == (422, True)
