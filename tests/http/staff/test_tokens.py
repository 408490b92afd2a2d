"""Signing in and out through the API."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import Connection, event
from werkzeug.test import TestResponse

from survey_service.core.db import Database
from survey_service.staff import sign_in as edge
from survey_service.staff.rules import LOCKOUT, MAX_FAILED_LOGINS, TOKEN_LIFETIME
from survey_service.staff.sign_in import REFUSALS_PER_NAME
from survey_service.staff.unknown_names import UnknownNames
from tests.factories.staff.offices import PASSWORD, Offices
from tests.support.servers import free_port

TOKEN = "/api/v1/auth/token"
ME = "/api/v1/auth/me"
NOON = datetime(2026, 11, 21, 4, tzinfo=UTC)


def sign_in(client: FlaskClient, username: str = "town.staff", password: str = PASSWORD) -> TestResponse:
    return client.post(TOKEN, json={"username": username, "password": password})


def bearer(client: FlaskClient, username: str = "town.staff") -> dict[str, str]:
    return {"Authorization": f"Bearer {sign_in(client, username).json['token']}"}


def code_of(response: TestResponse) -> tuple[int, str]:
    assert response.content_type == "application/problem+json"
    return response.status_code, response.json["code"]


@time_machine.travel(NOON, tick=False)
def test_a_token_is_given_for_a_working_day(client: FlaskClient, offices: Offices) -> None:
    answer = sign_in(client, "Town.Staff")
    assert answer.status_code == 201
    assert datetime.fromisoformat(answer.json["expires_at"]) == NOON + TOKEN_LIFETIME
    assert answer.json["staff"] == {
        "id": offices.people["town.staff"].id,
        "username": "town.staff",
        "display_name": "town.staff 同志",
        "role": "town_staff",
        "organization_code": "tangxi",
        "organization_name": "tangxi 名称",
        "must_change_password": False,
        "has_signed_in": True,
        "is_approved": True,
        "is_disabled": False,
        "locked_until": None,
    }
    assert "Set-Cookie" not in answer.headers


def test_the_token_opens_ones_own_account(client: FlaskClient) -> None:
    assert client.get(ME, headers=bearer(client)).json["username"] == "town.staff"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Basic dGVzdDp0ZXN0"},
        {"Cookie": "staff_session=nonsense"},
    ],
)
def test_strangers_are_asked_to_sign_in(client: FlaskClient, headers: dict[str, str]) -> None:
    assert code_of(client.get(ME, headers=headers)) == (401, "unauthorized")


def test_signing_out_ends_the_token(client: FlaskClient) -> None:
    headers = bearer(client)
    assert client.delete(TOKEN, headers=headers).status_code == 204
    assert code_of(client.get(ME, headers=headers)) == (401, "unauthorized")


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize("username", ["town.staff", "nobody.here"])
def test_five_failures_lock_whether_or_not_the_name_exists(client: FlaskClient, username: str) -> None:
    for _ in range(MAX_FAILED_LOGINS):
        assert code_of(sign_in(client, username, "Wrong-2026")) == (401, "bad_credentials")
    locked = sign_in(client, username)
    assert code_of(locked) == (423, "locked")
    assert "15 分钟" in locked.json["detail"]


def test_a_lockout_ends_by_itself(client: FlaskClient) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        for _ in range(MAX_FAILED_LOGINS):
            sign_in(client, password="Wrong-2026")
        assert sign_in(client).status_code == 423
        traveller.shift(LOCKOUT)
        assert sign_in(client).status_code == 201


def test_nothing_of_a_lockout_tells_whether_the_name_exists(client: FlaskClient) -> None:
    """Not how long it lasts, nor how it counts down, nor what comes after it."""
    heard = {
        username: [(answer.status_code, answer.json["detail"]) for answer in guesses(client, username)]
        for username in ("town.staff", "nobody.here")
    }
    assert heard["town.staff"] == heard["nobody.here"]


def guesses(client: FlaskClient, username: str) -> Iterator[TestResponse]:
    with time_machine.travel(NOON, tick=False) as traveller:
        for minutes in (*(0,) * MAX_FAILED_LOGINS, 0, 4, 10, 1, *(0,) * MAX_FAILED_LOGINS):
            traveller.shift(timedelta(minutes=minutes))
            yield sign_in(client, username, "Wrong-2026")


def test_processes_count_the_attempts_at_an_unknown_name_together(redis_url: str) -> None:
    first, second = UnknownNames(redis_url), UnknownNames(redis_url)
    counted = [names.count(b"n", now=NOON) for names in (first, second) * MAX_FAILED_LOGINS]
    longest = LOCKOUT // timedelta(minutes=1)
    assert counted == [0] * MAX_FAILED_LOGINS + [longest] * MAX_FAILED_LOGINS
    assert second.count(b"other", now=NOON) == 0


def test_without_redis_each_process_counts_by_itself() -> None:
    names = UnknownNames(f"redis://127.0.0.1:{free_port()}/0")
    counted = [names.count(b"n", now=NOON) for _ in range(MAX_FAILED_LOGINS + 1)]
    assert counted == [0] * MAX_FAILED_LOGINS + [LOCKOUT // timedelta(minutes=1)]


def test_too_many_refusals_of_a_name_slow_down(client: FlaskClient) -> None:
    statuses = [sign_in(client, password="Wrong-2026").status_code for _ in range(REFUSALS_PER_NAME + 1)]
    assert set(statuses[MAX_FAILED_LOGINS:-1]) == {423}
    assert statuses[-1] == 429
    assert sign_in(client, "other.staff").status_code == 201


def sign_in_from(client: FlaskClient, address: str, password: str) -> int:
    body = {"username": "town.staff", "password": password}
    return client.post(TOKEN, json=body, headers={"X-Forwarded-For": address}).status_code


@pytest.mark.parametrize(
    ("here", "beside", "elsewhere"),
    [
        ("2001:db8:0:1::1", "2001:db8:0:1::2", "2001:db8:0:2::1"),
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("unix:", "unix:", "192.0.2.2"),
    ],
)
def test_too_many_refusals_to_an_address_slow_down(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, here: str, beside: str, elsewhere: str
) -> None:
    monkeypatch.setattr(edge, "REFUSALS_PER_ADDRESS", 2)
    assert [sign_in_from(client, here, "Wrong-2026") for _ in range(2)] == [401, 401]
    assert sign_in_from(client, beside, PASSWORD) == 429
    assert sign_in_from(client, elsewhere, PASSWORD) == 201


def test_signing_in_rightly_is_never_slowed(client: FlaskClient) -> None:
    assert {sign_in(client).status_code for _ in range(REFUSALS_PER_NAME + 1)} == {201}


@pytest.fixture
def writes(database: Database) -> Iterator[list[str]]:
    """The writing statements that reach the database."""
    seen: list[str] = []

    def note(connection: Connection, cursor: object, statement: str, *_: object) -> None:
        seen.extend([statement] if statement.startswith(("INSERT", "UPDATE", "DELETE")) else [])

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_use_is_written_down_once_a_minute_at_most(client: FlaskClient, writes: list[str]) -> None:
    with time_machine.travel(NOON, tick=False) as traveller:
        headers = bearer(client)
        for seconds, expected in ((30, 0), (31, 1), (30, 0)):
            writes.clear()
            traveller.shift(timedelta(seconds=seconds))
            assert client.get(ME, headers=headers).status_code == 200
            assert len(writes) == expected


@pytest.mark.parametrize("body", [{}, {"username": "town.staff"}, {"username": 1, "password": 2}, [], "x"])
def test_an_incomplete_body_is_explained(client: FlaskClient, body: object) -> None:
    assert client.post(TOKEN, json=body).status_code == 422


def test_strange_characters_are_only_wrong(client: FlaskClient) -> None:
    body = '{"username": "\\ud800\\u0000", "password": "\\ud800\\u0000"}'
    assert code_of(client.post(TOKEN, data=body, content_type="application/json")) == (401, "bad_credentials")


def test_a_new_password_ends_every_session(client: FlaskClient) -> None:
    headers = bearer(client)
    body = {"password": PASSWORD, "new_password": "Another-2026"}
    assert client.put("/api/v1/auth/password", json=body, headers=headers).status_code == 204
    assert client.get(ME, headers=headers).status_code == 401
    assert sign_in(client, password="Another-2026").status_code == 201


def test_a_new_password_needs_the_old_one(client: FlaskClient) -> None:
    body = {"password": "Wrong-2026", "new_password": "Another-2026"}
    answer = client.put("/api/v1/auth/password", json=body, headers=bearer(client))
    assert code_of(answer) == (401, "bad_credentials")
