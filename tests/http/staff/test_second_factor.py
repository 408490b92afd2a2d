"""Signing in with a second factor, by the API and by the pages."""

from base64 import b32decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from survey_service.app import create_app
from survey_service.core.config import Settings
from survey_service.staff.one_time_codes import STEP_SECONDS, code_of_step, step_at
from survey_service.staff.rules import MAX_FAILED_LOGINS
from survey_service.staff.sign_in import TICKET_LIFETIME
from tests.factories.staff.offices import PASSWORD
from tests.http.reports.conftest import Browser

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
TOKEN = "/api/v1/auth/token"
NAME = {"username": "town.staff", "password": PASSWORD}


@pytest.fixture
def traveller() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def code_of_no_step(secret: bytes) -> str:
    """Return six digits that are wrong at present, which no fixed ones are for certain."""
    present = step_at(datetime.now(UTC))
    near = {code_of_step(secret, present + drift) for drift in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in near)


class Phone:
    """An authenticator with the key that the page shows."""

    def __init__(self, page: str) -> None:
        self.secret = b32decode("".join(page.split('class="secret">')[1].split("<")[0].split()))

    def code(self, traveller: time_machine.Traveller) -> str:
        """Return a code that was not used yet."""
        traveller.shift(STEP_SECONDS)
        return code_of_step(self.secret, step_at(datetime.now(UTC)))


def enrol(browser: Browser, traveller: time_machine.Traveller) -> tuple[Phone, list[str]]:
    """Set up the second factor on the pages, and return the phone and the recovery codes."""
    browser.get("/staff/second-factor")
    wrong = browser.post("/staff/second-factor", {"password": "wrong"})
    assert (wrong.status_code, "用户名或密码不对" in wrong.text) == (401, True)
    page = browser.post("/staff/second-factor", {"password": PASSWORD}).text
    assert 'src="data:image/svg+xml;base64,' in page
    phone = Phone(page)
    wrong_code = code_of_no_step(phone.secret)
    refused = browser.post("/staff/second-factor/confirm", {"one_time_code": wrong_code})
    assert (refused.status_code, "动态口令不对" in refused.text) == (422, True)
    confirmed = browser.post("/staff/second-factor/confirm", {"one_time_code": phone.code(traveller)})
    codes = [part.split("<")[0] for part in confirmed.text.split('class="secret">')[1:]]
    assert len(codes) == 8
    return phone, codes


@pytest.fixture
def browser(client: FlaskClient, traveller: time_machine.Traveller) -> Browser:
    browser = Browser(client)
    assert browser.post("/staff", NAME).status_code == 303
    return browser


def ticket_of(page: Any) -> str:
    return unescape(page.text.split('name="ticket" value="')[1].split('"')[0])


def test_a_page_asks_for_the_code_after_the_password(
    browser: Browser, app: Flask, traveller: time_machine.Traveller
) -> None:
    phone, codes = enrol(browser, traveller)
    stranger = Browser(app.test_client())
    asked = stranger.post("/staff", NAME | {"next": "/staff/accounts"})
    assert (asked.status_code, "动态口令" in asked.text, PASSWORD in asked.text) == (200, True, False)
    step = {"ticket": ticket_of(asked), "next": "/staff/accounts"}
    wrong = stranger.post("/staff", step | {"one_time_code": code_of_no_step(phone.secret)})
    assert (wrong.status_code, ticket_of(wrong)) == (401, step["ticket"])
    assert "请输入手机上的动态口令" in stranger.post("/staff", step).text
    opened = stranger.post("/staff", step | {"one_time_code": phone.code(traveller)})
    assert (opened.status_code, opened.location) == (303, "/staff/accounts")
    again = Browser(app.test_client())
    step["ticket"] = ticket_of(again.post("/staff", NAME))
    assert again.post("/staff", step | {"one_time_code": codes[0]}).status_code == 303


def test_the_first_step_serves_for_five_minutes_and_one_password(
    browser: Browser, app: Flask, traveller: time_machine.Traveller
) -> None:
    phone, _ = enrol(browser, traveller)
    stranger = Browser(app.test_client())
    ticket = ticket_of(stranger.post("/staff", NAME))
    for nonsense in ("x", ticket[:-8]):
        refused = stranger.post("/staff", {"ticket": nonsense, "one_time_code": phone.code(traveller)})
        assert refused.status_code == 403
    ticket = ticket_of(stranger.post("/staff", NAME))
    traveller.shift(TICKET_LIFETIME)
    late = stranger.post("/staff", {"ticket": ticket, "one_time_code": phone.code(traveller)})
    assert (late.status_code, "ticket" in late.text) == (403, False)


def test_guesses_of_the_code_lock_like_guesses_of_the_password(
    browser: Browser, app: Flask, traveller: time_machine.Traveller
) -> None:
    phone, _ = enrol(browser, traveller)
    stranger = Browser(app.test_client())
    ticket = ticket_of(stranger.post("/staff", NAME))
    for _ in range(MAX_FAILED_LOGINS - 1):
        guess = stranger.post("/staff", {"ticket": ticket, "one_time_code": code_of_no_step(phone.secret)})
        assert guess.status_code == 401
    locked = stranger.post("/staff", {"ticket": ticket, "one_time_code": phone.code(traveller)})
    assert locked.status_code == 423
    assert stranger.post("/staff", NAME).status_code == 423


def test_the_api_takes_the_code_beside_the_password(
    browser: Browser, app: Flask, traveller: time_machine.Traveller
) -> None:
    phone, codes = enrol(browser, traveller)
    client = app.test_client()
    answer = client.post(TOKEN, json=NAME)
    assert (answer.status_code, answer.json["code"]) == (401, "second_factor_required")
    answer = client.post(TOKEN, json=NAME | {"one_time_code": code_of_no_step(phone.secret)})
    assert (answer.status_code, answer.json["code"]) == (401, "bad_one_time_code")
    code = phone.code(traveller)
    assert client.post(TOKEN, json=NAME | {"one_time_code": code}).status_code == 201
    assert client.post(TOKEN, json=NAME | {"one_time_code": code}).status_code == 401
    assert client.post(TOKEN, json=NAME | {"one_time_code": codes[3]}).status_code == 201


def test_it_is_turned_off_with_both_factors(
    browser: Browser, app: Flask, traveller: time_machine.Traveller
) -> None:
    phone, _ = enrol(browser, traveller)
    assert "已开通" in browser.get("/staff/account").text
    browser.get("/staff/second-factor")
    code = phone.code(traveller)
    for fields in (
        {"password": "wrong", "one_time_code": code},
        {"password": PASSWORD, "one_time_code": "1"},
    ):
        assert browser.post("/staff/second-factor/off", fields).status_code == 401
    fields = {"password": PASSWORD, "one_time_code": code}
    assert browser.post("/staff/second-factor/off", fields).status_code == 303
    assert app.test_client().post(TOKEN, json=NAME).status_code == 201


@pytest.fixture
def strict(app: Flask, settings: Settings) -> Flask:
    app.extensions["settings"] = replace(settings, require_second_factor=frozenset({"town_staff"}))
    return app


def test_a_role_that_needs_it_sets_it_up_first(
    strict: Flask, browser: Browser, traveller: time_machine.Traveller
) -> None:
    assert browser.get("/staff/accounts").location == "/staff/second-factor"
    assert browser.get("/api/v1/staff").json["code"] == "second_factor_missing"
    enrol(browser, traveller)
    assert browser.get("/staff/accounts").status_code == 200
    assert browser.get("/api/v1/staff").status_code == 200


def test_a_token_without_it_opens_nothing_but_ones_own_account(strict: Flask, client: FlaskClient) -> None:
    headers = {"Authorization": f"Bearer {client.post(TOKEN, json=NAME).json['token']}"}
    assert client.get("/api/v1/staff", headers=headers).json["code"] == "second_factor_missing"
    assert client.get("/api/v1/auth/me", headers=headers).status_code == 200
    other = client.post(TOKEN, json={"username": "county.admin", "password": PASSWORD}).json["token"]
    assert client.get("/api/v1/staff", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_a_role_that_does_not_exist_stops_the_start(settings: Settings) -> None:
    with pytest.raises(ValueError, match="emperor"):
        create_app(replace(settings, require_second_factor=frozenset({"emperor"})))
