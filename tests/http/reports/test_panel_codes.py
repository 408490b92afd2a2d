"""Codes that rate all subjects of a town, made and shown by its office."""

import pytest

from survey_service.campaigns.rules import Mode
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.reports.conftest import People

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
