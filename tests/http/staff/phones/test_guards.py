"""What keeps a phone from opening an account that is not its holder's, or not any more."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from survey_service.core.db import Database
from survey_service.staff import phone_sign_in, second_factor
from survey_service.staff.models import StaffAccount, StaffBinding, StaffToken
from survey_service.staff.one_time_codes import code_of_step, step_at
from survey_service.staff.phone_sign_in import DESKTOP_COOKIE
from survey_service.staff.service import open_attempt
from survey_service.wechat.rules import Provider
from survey_service.wechat.sign_in import ACCOUNT_COOKIES, BROWSER_COOKIE, FRESH
from tests.factories.applications import make_app
from tests.factories.staff.offices import NOW, PASSWORD
from tests.http.staff.phones.phone import COMPANY_USER_AGENT, DESKTOP, Phone, start_desktop
from tests.http.staff.test_second_factor import code_of_no_step
from tests.http.wechat.phone import authorize
from tests.support.wechat import USER_AGENT

FOREIGN = {"Sec-Fetch-Site": "cross-site"}


def sign_out(phone: Phone) -> None:
    """Forget the session, and keep what WeChat's sign-in has left behind."""
    phone.client.delete_cookie("staff_session")


def asks_wechat(phone: Phone) -> bool:
    answer = phone.client.get("/staff/wechat", headers={"User-Agent": phone.user_agent})
    return "/connect/oauth2/authorize" in answer.headers.get("Location", "")


def rows(database: Database, table: type[StaffBinding] | type[StaffToken]) -> int:
    with database.reading() as session:
        return len(session.scalars(select(table)).all())


def test_each_sign_in_asks_wechat_who_holds_the_phone(phone: Phone, name: str) -> None:
    phone.bind(name)
    sign_out(phone)
    assert asks_wechat(phone)


def test_what_wechat_said_serves_for_two_minutes(phone: Phone, name: str, database: Database) -> None:
    phone.get("/staff/wechat")
    assert not asks_wechat(phone)
    with time_machine.travel(NOW + FRESH + timedelta(seconds=1), tick=False):
        assert phone.post("/staff/wechat", username=name, password=PASSWORD).status_code == 403
        assert asks_wechat(phone)
    assert rows(database, StaffBinding) == 0


def test_no_page_of_another_site_binds_a_phone_or_shows_a_code(
    phone: Phone, name: str, database: Database
) -> None:
    phone.get("/staff/wechat")
    headers = FOREIGN | {"User-Agent": phone.user_agent}
    form = {"username": name, "password": PASSWORD}
    assert phone.client.post("/staff/wechat", data=form, headers=headers).status_code == 403
    assert phone.client.post("/staff/desktop", headers=headers).status_code == 403
    assert rows(database, StaffBinding) == 0


def test_a_phone_of_somebody_else_opens_no_session_either(
    make_phone: Callable[..., Phone], name: str, database: Database
) -> None:
    other = make_phone()
    other.get("/staff/wechat")
    make_phone().bind(name)
    assert other.post("/staff/wechat", username="other.staff", password=PASSWORD).status_code == 409
    assert (rows(database, StaffToken), rows(database, StaffBinding)) == (1, 1)


def enrol(app: Flask, name: str) -> bytes:
    """Give an account a second factor; return its secret."""
    keyring = app.extensions["keyring"]
    with app.extensions["database"].unit_of_work() as session:
        proof = open_attempt(session, username=name, now=NOW).prove(PASSWORD)
        secret = second_factor.begin_enrolment(session, proof=proof, keyring=keyring)
        second_factor.confirm_enrolment(
            session,
            staff_id=proof.staff_id,
            code=code_of_step(secret, step_at(NOW) - 1),
            keyring=keyring,
            now=NOW,
        )
    return secret


def test_a_phone_is_one_factor_of_two(app: Flask, phone: Phone, name: str, database: Database) -> None:
    secret = enrol(app, name)
    for given in ("", code_of_no_step(secret)):
        phone.get("/staff/wechat")
        form = {"username": name, "password": PASSWORD, "one_time_code": given}
        assert phone.post("/staff/wechat", **form).status_code == 401
    assert (rows(database, StaffToken), rows(database, StaffBinding)) == (0, 0)
    phone.post("/staff/wechat", **form | {"one_time_code": code_of_step(secret, step_at(NOW))})
    assert phone.is_signed_in()
    sign_out(phone)
    asked = phone.get("/staff/wechat")
    assert 'name="ticket"' in asked.text
    assert not phone.is_signed_in()


def test_one_who_waits_for_approval_or_was_late_with_his_slip_stays_out(
    phone: Phone, name: str, database: Database
) -> None:
    phone.bind(name)
    for changes in ({"approved_at": None}, {"approved_at": NOW, "password_expires_at": NOW}):
        sign_out(phone)
        with database.unit_of_work() as session:
            session.execute(update(StaffAccount).values(**changes))
        assert phone.get("/staff/wechat").status_code == 403
        assert not phone.is_signed_in()


def test_a_locked_phone_binds_nothing(phone: Phone, name: str, database: Database) -> None:
    phone.get("/staff/wechat")
    phone.client.post("/staff", data={"username": name, "password": PASSWORD})
    with database.unit_of_work() as session:
        session.execute(update(StaffToken).values(locked_at=NOW))
    phone.post("/staff/wechat", username=name, password=PASSWORD)
    assert rows(database, StaffBinding) == 0


@pytest.mark.parametrize(("wanted", "is_ours"), [("/staff/account", True), ("https://evil.example/", False)])
def test_it_leads_on_to_pages_of_ours_only(phone: Phone, name: str, wanted: str, is_ours: bool) -> None:
    phone.get(f"/staff/wechat?next={wanted}")
    assert (phone.client.get_cookie("staff_next", path="/staff") is not None) is is_ours
    phone.client.set_cookie("staff_next", wanted, path="/staff")
    entered = phone.post("/staff/wechat", username=name, password=PASSWORD)
    assert (entered.headers["Location"] == wanted) is is_ours


def test_only_a_known_provider_is_unbound(phone: Phone, name: str) -> None:
    phone.bind(name)
    answer = phone.post("/staff/wechat/unbind", csrf_token=phone.token(), provider="qq")
    assert answer.status_code == 404


def test_nobody_is_led_to_a_provider_at_which_there_is_no_account(tmp_path: Path, database: Database) -> None:
    client = make_app(tmp_path, database).test_client()
    answer = client.get("/staff/wechat", headers={"User-Agent": USER_AGENT})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/staff")


def test_what_one_provider_said_is_nothing_to_the_other(
    make_phone: Callable[..., Phone],
) -> None:
    """Whoever owns a service account, or a company, chooses what its visitors are called."""
    voter, thief = make_phone(), make_phone(COMPANY_USER_AGENT)
    voter.get("/staff/wechat")
    account = voter.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT])
    assert account is not None
    thief.client.set_cookie(ACCOUNT_COOKIES[Provider.WECOM], account.value)
    assert asks_wechat(thief)
    began = thief.client.get("/staff/wechat", headers={"User-Agent": thief.user_agent})
    back = urlsplit(authorize(began.headers["Location"]))
    assert back.path == "/wecom/callback"
    assert thief.client.get(f"/wechat/callback?{back.query}").status_code == 403


def test_a_code_serves_the_browser_for_which_it_was_given(
    make_phone: Callable[..., Phone], name: str
) -> None:
    """Whoever reads a code on its way has his own state and his own cookie, and gets nothing by it."""
    owner, thief = make_phone(), make_phone()
    owner.bind(name)
    sign_out(owner)
    began = owner.client.get("/staff/wechat", headers={"User-Agent": owner.user_agent})
    back = urlsplit(authorize(began.headers["Location"]))
    code = dict(parse_qsl(back.query))["code"]
    assert owner.client.get(f"{back.path}?{back.query}").status_code == 303
    own = thief.client.get("/staff/wechat", headers={"User-Agent": thief.user_agent})
    state = dict(parse_qsl(urlsplit(own.headers["Location"]).query))["state"]
    answer = thief.client.get(f"{back.path}?code={code}&state={state}")
    assert "/connect/oauth2/authorize" in answer.headers["Location"]
    assert thief.client.get_cookie(ACCOUNT_COOKIES[Provider.WECHAT]) is None
    assert thief.client.get_cookie(BROWSER_COOKIE) is not None


def test_a_network_lets_so_many_desktops_wait(
    app: Flask, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_sign_in, "DESKTOPS_PER_NETWORK", 2)
    desktop = app.test_client()
    for _ in range(2):
        assert desktop.post("/staff/desktop", headers=DESKTOP).status_code == 303
    assert desktop.post("/staff/desktop", headers=DESKTOP).status_code == 429


def test_a_desktop_shows_what_was_signed_for_it(app: Flask, phone: Phone) -> None:
    desktop = app.test_client()
    start_desktop(desktop)
    cookie = desktop.get_cookie(DESKTOP_COOKIE, path="/staff")
    assert cookie is not None
    payload = cookie.value.split(".")[0]
    for forged in (f"{payload}.{urlsafe_b64encode(bytes(16)).decode().rstrip('=')}", payload, "x"):
        desktop.set_cookie(DESKTOP_COOKIE, forged, path="/staff")
        assert desktop.get("/staff/desktop", headers=DESKTOP).headers["Location"].startswith("/staff?")
