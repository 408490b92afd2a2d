"""The door of the staff pages: strangers, sessions, forged forms, first passwords."""

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.factories.staff.offices import PASSWORD
from tests.http.reports.conftest import Browser, People


@pytest.fixture
def stranger(campaign_app: Flask) -> Browser:
    return Browser(campaign_app.test_client())


def sign_in(browser: Browser, town: World, people: People, **more: Any) -> Any:
    name = people.hire(Role.TOWN_STAFF, town.town_code)
    return browser.post("/staff", {"username": name, "password": PASSWORD} | more)


def test_a_stranger_is_led_to_the_door_and_back(town: World, people: People, stranger: Browser) -> None:
    wanted = f"/staff/campaigns/{town.campaign_id}/scores"
    answer = stranger.get(wanted)
    assert (answer.status_code, answer.location) == (303, f"/staff?next={wanted}")
    assert f'value="{wanted}"' in stranger.get(answer.location).text
    assert sign_in(stranger, town, people, next=wanted).location == wanted
    assert stranger.get("/staff").location == "/staff/campaigns"


@pytest.mark.parametrize(
    "foreign", ["https://a.example/staff/", "//a.example", "/staff/\\a.example", "/s/CODE", "/staff/\n", ""]
)
def test_nobody_is_led_elsewhere(town: World, people: People, stranger: Browser, foreign: str) -> None:
    assert sign_in(stranger, town, people, next=foreign).location == "/staff/campaigns"


def test_a_wrong_password_is_said_and_the_name_kept(stranger: Browser) -> None:
    answer = stranger.post("/staff", {"username": "nobody", "password": "wrong"})
    assert answer.status_code == 401
    assert "用户名或密码不对" in answer.text
    assert 'value="nobody"' in answer.text
    assert "wrong" not in answer.text


def test_a_form_of_another_site_signs_nobody_in(town: World, people: People, stranger: Browser) -> None:
    name = people.hire(Role.TOWN_STAFF, town.town_code)
    fields = {"username": name, "password": PASSWORD}
    answer = stranger.post("/staff", fields, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


def test_a_form_without_the_token_changes_nothing(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    answer = browser.post(f"/staff/campaigns/{town.campaign_id}/close", {"csrf_token": "0" * 32})
    assert (answer.status_code, "页面已经过期" in answer.text) == (403, True)
    assert browser.get(f"/staff/campaigns/{town.campaign_id}/close").status_code == 200


def test_signing_out_ends_the_session(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    browser.get("/staff/campaigns")
    assert "已经退出登录" in browser.follow("/staff/sign-out").text
    assert browser.get("/staff/campaigns").status_code == 303


def test_a_form_sent_after_the_session_has_ended_leads_to_the_door(stranger: Browser) -> None:
    answer = stranger.post("/staff/campaigns/new")
    assert (answer.status_code, answer.location) == (303, "/staff")


def test_a_password_made_by_others_is_changed_first(campaign_app: Flask, town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    with campaign_app.extensions["database"].unit_of_work() as session:
        for account in session.scalars(select(StaffAccount)):
            account.must_change_password = True
    assert browser.get("/staff/campaigns").location == "/staff/password"
    assert browser.get("/staff/password").status_code == 200
    fields = {"password": PASSWORD, "new_password": "Tangxi-2027", "repeated": "Tangxi-2028"}
    answer = browser.post("/staff/password", fields)
    assert (answer.status_code, "两次输入的新密码不一样" in answer.text) == (422, True)
    answer = browser.post("/staff/password", fields | {"password": "wrong", "repeated": "Tangxi-2027"})
    assert (answer.status_code, "用户名或密码不对" in answer.text) == (401, True)
    answer = browser.post("/staff/password", fields | {"new_password": "short", "repeated": "short"})
    assert (answer.status_code, "密码至少要有 8 个字符" in answer.text) == (422, True)
    assert "密码已经修改" in browser.follow("/staff/password", fields | {"repeated": "Tangxi-2027"}).text


def test_an_unknown_page_and_an_unknown_notice_say_so_or_nothing(town: World, people: People) -> None:
    browser = people.browser(Role.TOWN_STAFF, town.town_code)
    missing = browser.get("/staff/nowhere")
    assert (missing.status_code, "没有找到" in missing.text) == (404, True)
    assert 'class="notice"' not in browser.get("/staff/campaigns?notice=password").text
