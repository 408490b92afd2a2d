"""Cookie sessions: the cookie itself, and the proof against forged forms."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask, Response
from flask.testing import FlaskClient

from survey_service.core.config import Settings
from survey_service.core.permissions import public
from survey_service.staff.authenticate import (
    COOKIE_NAME,
    csrf_token,
    delete_session_cookie,
    set_session_cookie,
)
from survey_service.staff.rules import IDLE_TIMEOUT, TokenKind
from survey_service.staff.sign_in import sign_in
from tests.factories.staff.offices import PASSWORD, Offices
from tests.http.staff.conftest import PUBLIC_URL

NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)
ME = "/api/v1/auth/me"
NEW_PERSON = {"username": "new.person", "role": "branch_secretary", "organization_code": "village"}


@pytest.fixture
def browser(app: Flask, offices: Offices) -> FlaskClient:
    """A browser that can sign in by a page and read the hidden field of its forms."""

    @app.post("/test/sign-in")
    @public("the page of this test")
    def sign_in_page() -> Response:
        response = Response(status=303)
        set_session_cookie(response, sign_in(username="town.staff", password=PASSWORD, kind=TokenKind.COOKIE))
        return response

    @app.get("/test/field")
    @public("the page of this test")
    def field() -> str:
        return csrf_token()

    @app.post("/test/forget")
    @public("the page of this test")
    def forget() -> Response:
        response = Response()
        delete_session_cookie(response)
        return response

    app.extensions["error_page"] = lambda error: error.detail
    return app.test_client()


def signed_in(browser: FlaskClient) -> str:
    """Sign in and return the value of the hidden field."""
    assert browser.post("/test/sign-in").status_code == 303
    return browser.get("/test/field").text


def create(browser: FlaskClient, headers: dict[str, str]) -> int:
    return browser.post("/api/v1/staff", json=NEW_PERSON, headers=headers).status_code


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: FlaskClient) -> None:
    cookie = browser.post("/test/sign-in").headers["Set-Cookie"]
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
    assert "Expires" not in cookie


def test_on_plain_http_the_cookie_still_works(browser: FlaskClient, settings: Settings) -> None:
    plain = replace(settings, public_url="http://192.0.2.7:8000")
    browser.application.extensions["settings"] = plain
    assert "Secure" not in browser.post("/test/sign-in").headers["Set-Cookie"]


def test_the_session_can_be_forgotten(browser: FlaskClient) -> None:
    signed_in(browser)
    browser.post("/test/forget")
    assert browser.get_cookie(COOKIE_NAME) is None


def test_a_session_ends_by_idleness_and_lives_by_use(browser: FlaskClient) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        signed_in(browser)
        for _ in range(3):
            traveller.shift(IDLE_TIMEOUT - timedelta(seconds=1))
            assert browser.get(ME).status_code == 200
        traveller.shift(IDLE_TIMEOUT)
        assert browser.get(ME).status_code == 401


def test_reading_needs_no_proof(browser: FlaskClient) -> None:
    signed_in(browser)
    assert browser.get("/api/v1/staff", headers={"Origin": "https://evil.example"}).status_code == 200


def test_a_change_needs_the_field_of_this_session(browser: FlaskClient) -> None:
    older = signed_in(browser)
    field = signed_in(browser)
    assert older != field
    for wrong in ("", "nonsense", older, "ü"):
        assert create(browser, {"X-CSRF-Token": wrong}) == 403
    assert create(browser, {"X-CSRF-Token": field}) == 201


def test_a_form_carries_the_field_in_its_body(browser: FlaskClient) -> None:
    url = "/api/v1/staff/999999/disable"
    field = signed_in(browser)
    assert browser.post(url, data={"csrf_token": "nonsense"}).status_code == 403
    assert browser.post(url, data={"csrf_token": field}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, 201),
        ({"Sec-Fetch-Site": "none"}, 201),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC_URL}, 403),
        ({"Origin": PUBLIC_URL}, 201),
        ({"Origin": "http://localhost"}, 201),
        ({"Origin": "null"}, 201),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": f"{PUBLIC_URL}.evil.example"}, 403),
    ],
)
def test_other_sites_are_refused_even_with_the_field(
    browser: FlaskClient, headers: dict[str, str], status: int
) -> None:
    assert create(browser, {"X-CSRF-Token": signed_in(browser), **headers}) == status


def test_another_site_cannot_sign_a_browser_in(browser: FlaskClient) -> None:
    assert browser.post("/test/sign-in", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_bearer_token_needs_no_proof_and_leaves_the_cookie_unread(browser: FlaskClient) -> None:
    signed_in(browser)
    body = {"username": "other.staff", "password": PASSWORD}
    token = browser.post("/api/v1/auth/token", json=body).json["token"]
    headers = {"Authorization": f"Bearer {token}", "Sec-Fetch-Site": "cross-site"}
    assert browser.get(ME, headers=headers).json["username"] == "other.staff"
    assert browser.delete("/api/v1/auth/token", headers=headers).status_code == 204
    assert browser.get(ME).json["username"] == "town.staff"


def test_the_cookie_opens_nothing_as_a_bearer_token(browser: FlaskClient) -> None:
    signed_in(browser)
    cookie = browser.get_cookie(COOKIE_NAME)
    assert cookie is not None
    stranger = browser.application.test_client()
    answer = stranger.get(ME, headers={"Authorization": f"Bearer {cookie.value}"})
    assert answer.status_code == 401
