"""Staff sign in by WeChat, by 企业微信, and at a desktop by the phone; nobody gets in who is not bound."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from survey_service.auditing.models import AuditEntry
from survey_service.core.db import Database
from survey_service.demonstration.fake_wechat import VIRTUAL
from survey_service.staff import phone_sign_in
from survey_service.staff.desktops import LIFETIME
from survey_service.staff.management import disable_account, reset_password
from survey_service.staff.models import DesktopRequest, StaffBinding, StaffToken
from tests.factories.staff.offices import NOW, PASSWORD, Offices
from tests.http.staff.phones.phone import COMPANY_USER_AGENT, DESKTOP, Phone, start_desktop
from tests.support.wechat import USER_AGENT, FakeWeChat


def actions(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(select(AuditEntry.action).order_by(AuditEntry.seq)))


@pytest.mark.parametrize("user_agent", [USER_AGENT, COMPANY_USER_AGENT])
def test_bound_once_a_phone_opens_the_account_by_one_press(
    make_phone: Callable[..., Phone], name: str, user_agent: str, database: Database
) -> None:
    first = make_phone(user_agent)
    assert "绑定" in first.get("/staff/wechat").text
    assert first.bind(name).status_code == 303
    assert first.is_signed_in()
    again = make_phone(user_agent)
    again.get("/staff/wechat")
    assert again.is_signed_in()
    assert actions(database)[-3:] == ["session.open", "session.bind", "session.open"]


def test_a_wrong_password_binds_nothing(phone: Phone, name: str, database: Database) -> None:
    assert phone.bind(name, "not the password").status_code == 401
    assert not phone.is_signed_in()
    with database.reading() as session:
        assert session.scalars(select(StaffBinding)).all() == []


def test_the_same_wechat_does_not_open_two_accounts(make_phone: Callable[..., Phone], name: str) -> None:
    make_phone().bind(name)
    other = make_phone()
    other.client.post("/staff", data={"username": "town.secretary", "password": PASSWORD})
    other.get("/staff/wechat/bind")
    refused = other.post("/staff/wechat/bind", csrf_token=other.token(), password=PASSWORD)
    assert refused.status_code == 409
    assert "别的账号" in refused.text


def test_somebody_elses_wechat_opens_nothing(
    make_phone: Callable[..., Phone], name: str, wechat: FakeWeChat
) -> None:
    make_phone().bind(name)
    wechat.hand_phone_to("李大叔")
    stranger = make_phone()
    assert "还没有绑定" in stranger.get("/staff/wechat").text
    assert not stranger.is_signed_in()


def test_people_outside_of_the_company_are_refused(
    make_phone: Callable[..., Phone], wechat: FakeWeChat
) -> None:
    wechat.hand_phone_to(VIRTUAL)
    assert make_phone(COMPANY_USER_AGENT).get("/staff/wechat").status_code == 403


def test_without_wechats_word_a_form_binds_nothing(phone: Phone, name: str) -> None:
    assert phone.post("/staff/wechat", username=name, password=PASSWORD).status_code == 403


@pytest.mark.parametrize("act", [reset_password, disable_account])
def test_a_new_password_and_a_shut_account_take_the_phone_back(
    make_phone: Callable[..., Phone],
    offices: Offices,
    name: str,
    database: Database,
    act: Callable[..., object],
) -> None:
    make_phone().bind(name)
    with database.unit_of_work() as session:
        act(session, staff_id=offices.people["town.staff"].id, by=None, now=NOW)
    again = make_phone()
    again.get("/staff/wechat")
    assert not again.is_signed_in()


def test_a_phone_in_the_hands_of_a_villager_stays_locked(phone: Phone, name: str, database: Database) -> None:
    phone.bind(name)
    with database.unit_of_work() as session:
        session.execute(update(StaffToken).values(locked_at=NOW))
    assert phone.client.get("/staff/wechat").headers["Location"].startswith("/staff/unlock")


def test_one_binds_and_unbinds_on_ones_own_page(phone: Phone, name: str) -> None:
    phone.client.post("/staff", data={"username": name, "password": PASSWORD})
    phone.get("/staff/wechat/bind")
    assert phone.post("/staff/wechat/bind", csrf_token=phone.token(), password="wrong").status_code == 401
    phone.post("/staff/wechat/bind", csrf_token=phone.token(), password=PASSWORD)
    assert "已经绑定微信" in phone.get("/staff/account").text
    phone.post("/staff/wechat/unbind", csrf_token=phone.token(), provider="wechat")
    assert "已经绑定微信" not in phone.get("/staff/account").text


def test_a_phone_lets_a_desktop_in_by_its_number(
    app: Flask, phone: Phone, name: str, database: Database
) -> None:
    phone.bind(name)
    desktop = app.test_client()
    path, number = start_desktop(desktop)
    question = phone.get(path)
    assert "Chrome" in question.text
    assert question.text.count('name="number"') == 3
    assert desktop.get("/staff/desktop", headers=DESKTOP).status_code == 200
    assert "已经同意" in phone.post(path, csrf_token=phone.token(), number=str(number)).text
    assert desktop.get("/staff/desktop", headers=DESKTOP).status_code == 303
    assert desktop.get("/staff/account", headers=DESKTOP).status_code == 200
    assert actions(app.extensions["database"])[-2:] == ["session.let_in", "session.open"]


def test_another_number_ends_the_waiting(app: Flask, phone: Phone, name: str) -> None:
    phone.bind(name)
    desktop = app.test_client()
    path, number = start_desktop(desktop)
    wrong = str(number % 89 + 10 if number % 89 + 10 != number else 10)
    assert "没有登录" in phone.post(path, csrf_token=phone.token(), number=wrong).text
    assert phone.post(path, csrf_token=phone.token(), number=str(number)).status_code == 403
    assert desktop.get("/staff/desktop", headers=DESKTOP).headers["Location"].startswith("/staff?")


def test_what_a_phone_allowed_opens_no_other_browser(
    app: Flask, phone: Phone, name: str, database: Database
) -> None:
    phone.bind(name)
    desktop, thief = app.test_client(), app.test_client()
    path, number = start_desktop(desktop)
    phone.post(path, csrf_token=phone.token(), number=str(number))
    start_desktop(thief)
    assert thief.get("/staff/desktop", headers=DESKTOP).status_code == 200
    assert thief.get("/staff/account", headers=DESKTOP).status_code != 200
    assert desktop.get("/staff/desktop", headers=DESKTOP).status_code == 303
    # It opened once, and is gone.
    assert desktop.get("/staff/desktop", headers=DESKTOP).headers["Location"].startswith("/staff?")


def test_a_desktop_waits_two_minutes(app: Flask, phone: Phone, name: str) -> None:
    phone.bind(name)
    desktop = app.test_client()
    path, number = start_desktop(desktop)
    token = phone.token()
    with time_machine.travel(NOW + LIFETIME + timedelta(seconds=1), tick=False):
        assert phone.post(path, csrf_token=token, number=str(number)).status_code == 403
        start_desktop(app.test_client())
    with app.extensions["database"].reading() as session:
        assert len(session.scalars(select(DesktopRequest)).all()) == 1


def test_only_a_secret_of_ones_own_lets_a_browser_in(
    app: Flask, phone: Phone, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.bind(name)
    desktop = app.test_client()
    path, number = start_desktop(desktop)
    phone.post(path, csrf_token=phone.token(), number=str(number))
    known = phone_sign_in.waiting_desktop
    monkeypatch.setattr(phone_sign_in, "waiting_desktop", lambda: replace(known(), secret="another"))
    assert desktop.get("/staff/desktop", headers=DESKTOP).headers["Location"].startswith("/staff?")
