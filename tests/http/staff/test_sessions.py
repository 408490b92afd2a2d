"""Where one is signed in, and how it ends: at once, everywhere, in every process."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from survey_service.app import create_app
from survey_service.core.config import Settings
from survey_service.core.db import Database
from survey_service.core.privacy import EarlierSecret
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import IDLE_TIMEOUT, TOKEN_LIFETIME
from tests.factories.applications import make_app
from tests.factories.staff.offices import PASSWORD, Offices, open_offices
from tests.http.reports.conftest import Browser
from tests.http.staff.test_staff import sign_in

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
ME, SESSIONS = "/api/v1/auth/me", "/api/v1/auth/sessions"
NAME = {"username": "town.staff", "password": PASSWORD}
WECHAT = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0"}


def test_one_sees_where_one_is_signed_in(app: Flask, client: FlaskClient) -> None:
    phone = Browser(app.test_client())
    phone.post("/staff", NAME, headers=WECHAT)
    headers = sign_in(client, "town.staff")
    sign_in(client, "other.staff")
    found = client.get(SESSIONS, headers=headers).json["items"]
    seen = {(one["kind"], one["client"], one["is_current"]) for one in found}
    assert seen == {("bearer", "other.other", True), ("cookie", "wechat.android", False)}
    page = phone.get("/staff/account").text
    assert ("微信，安卓手机" in page, page.count("本机")) == (True, 1)


def test_one_signs_out_everywhere(app: Flask, client: FlaskClient) -> None:
    phone = Browser(app.test_client())
    phone.post("/staff", NAME)
    here, other = sign_in(client, "town.staff"), sign_in(client, "other.staff")
    phone.get("/staff/account")
    assert "已经退出所有设备" in phone.follow("/staff/sign-out-everywhere").text
    assert phone.get("/staff/account").status_code == 303
    assert client.get(ME, headers=here).status_code == 401
    assert client.get(ME, headers=other).status_code == 200
    assert client.delete(SESSIONS, headers=other).status_code == 204
    assert client.get(ME, headers=other).status_code == 401


def test_a_sessions_end_is_not_shown_as_a_session(client: FlaskClient, app: Flask) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        Browser(app.test_client()).post("/staff", NAME)
        traveller.shift(IDLE_TIMEOUT)
        headers = sign_in(client, "town.staff")
        assert [one["kind"] for one in client.get(SESSIONS, headers=headers).json["items"]] == ["bearer"]


def test_a_session_that_is_used_all_day_ends_all_the_same(app: Flask, offices: Offices) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        browser = Browser(app.test_client())
        browser.post("/staff", NAME)
        almost = IDLE_TIMEOUT - timedelta(seconds=1)
        while traveller is not None and datetime.now(UTC) + almost < NOON + TOKEN_LIFETIME:
            assert browser.get("/staff/account").status_code == 200
            traveller.shift(almost)
        assert browser.get("/staff/account").status_code == 200
        traveller.shift(timedelta(minutes=15))
        assert browser.get("/staff/account").status_code == 303


@pytest.mark.parametrize("act", ["disable", "reset-password", "end-sessions"])
def test_revocation_works_at_once_in_another_process(
    committing_database: Database, tmp_path: Path, act: str
) -> None:
    """Two applications share nothing but the database, as two processes do."""
    with committing_database.unit_of_work() as session:
        offices = open_offices(session)
    second_database = Database(committing_database.url)
    here = make_app(tmp_path, committing_database).test_client()
    there = make_app(tmp_path, second_database).test_client()
    secretary = sign_in(there, "town.secretary")
    assert there.get(ME, headers=secretary).status_code == 200
    address = f"/api/v1/staff/{offices.people['town.secretary'].id}/{act}"
    assert here.post(address, headers=sign_in(here, "town.staff")).status_code == 200
    assert there.get(ME, headers=secretary).status_code == 401
    second_database.engine.dispose()


def test_forms_go_on_while_the_earlier_secret_key_is_believed(
    app: Flask, settings: Settings, database: Database, offices: Offices
) -> None:
    browser = Browser(app.test_client())
    browser.post("/staff", NAME)
    browser.get("/staff/password")
    token, cookie = browser._token, browser.client.get_cookie("staff_session", domain="localhost")
    now = datetime.now(UTC)
    for minutes, status in ((5, 422), (-5, 403)):
        earlier = EarlierSecret("secret", now + timedelta(minutes=minutes))
        changed = create_app(
            replace(settings, secret_key="another", earlier_secret=earlier), database=database
        )
        client = changed.test_client()
        client.set_cookie("staff_session", cookie.decoded_value if cookie else "")
        answer = client.post(
            "/staff/password", data={"csrf_token": token, "new_password": "x", "repeated": "y"}
        )
        assert answer.status_code == status


def test_a_new_installation_has_no_account_at_all(database: Database) -> None:
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(StaffAccount)) == 0
