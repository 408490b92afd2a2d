"""Attempts, sessions and their end, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.audit import take_acts
from survey_service.core.db import Database
from survey_service.core.errors import Locked, Unauthorized
from survey_service.staff import service, tokens
from survey_service.staff.models import StaffAccount, StaffToken
from survey_service.staff.rules import (
    IDLE_TIMEOUT,
    LOCKOUT,
    MAX_FAILED_LOGINS,
    TOKEN_LIFETIME,
    Lockout,
    TokenKind,
)
from tests.factories.staff.offices import NOW, PASSWORD, Offices, open_offices, sign_in

WRONG = "Wrong-2026"


def guess(database: Database, password: str, *, username: str = "town.staff") -> str:
    """Attempt to sign in as the edge does, and tell what comes of it."""
    try:
        with database.unit_of_work() as session:
            attempt = service.open_attempt(session, username=username, now=NOW)
        proof = attempt.prove(password)
        with database.unit_of_work() as session:
            service.open_session(session, proof=proof, kind=TokenKind.BEARER, now=NOW)
    except (Unauthorized, Locked) as error:
        return error.code
    return "signed_in"


def test_a_right_password_opens_a_session(session: Session, offices: Offices) -> None:
    grant = sign_in(session, "Town.Staff", kind=TokenKind.BEARER)
    live = tokens.authenticate_token(session, token=grant.token, kind=TokenKind.BEARER, now=NOW)
    assert live is not None
    assert (live.identity.role, live.identity.path) == ("town_staff", offices.places["tangxi"].path)


def test_five_failures_lock_even_the_right_password_out(database: Database, offices: Offices) -> None:
    guesses = [guess(database, WRONG) for _ in range(MAX_FAILED_LOGINS)]
    assert guesses == ["bad_credentials"] * MAX_FAILED_LOGINS
    assert guess(database, PASSWORD) == "locked"
    assert guess(database, PASSWORD, username="other.staff") == "signed_in"


def test_success_clears_the_count(database: Database, offices: Offices) -> None:
    for _ in range(2):
        for _ in range(MAX_FAILED_LOGINS - 1):
            assert guess(database, WRONG) == "bad_credentials"
        assert guess(database, PASSWORD) == "signed_in"


def test_a_lockout_ends_by_itself(session: Session) -> None:
    for _ in range(MAX_FAILED_LOGINS):
        service.open_attempt(session, username="town.staff", now=NOW)
    with pytest.raises(Locked, match="locked") as refusal:
        service.open_attempt(session, username="town.staff", now=NOW + timedelta(minutes=1))
    assert "14" in refusal.value.detail
    assert sign_in(session, "town.staff", kind=TokenKind.BEARER, now=NOW + LOCKOUT)


def test_guesses_at_once_do_not_escape_the_count(committing_database: Database) -> None:
    with committing_database.unit_of_work() as session:
        open_offices(session)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: guess(committing_database, WRONG), range(16)))
    assert answers.count("bad_credentials") == MAX_FAILED_LOGINS
    assert answers.count("locked") == 16 - MAX_FAILED_LOGINS


@pytest.mark.parametrize("username", ["nobody", "", "\x00", "\ud800", "x" * 1000])
def test_an_unknown_name_does_the_same_work(session: Session, username: str) -> None:
    attempt = service.open_attempt(session, username=username, now=NOW)
    known = service.open_attempt(session, username="town.staff", now=NOW)
    parameters = [one.password_hash.split("$")[:4] for one in (attempt, known)]
    assert parameters[0] == parameters[1]
    with pytest.raises(Unauthorized, match="bad_credentials"):
        attempt.prove(PASSWORD)


@pytest.mark.parametrize("password", ["", "\x00", "\ud800", "长" * 100])
def test_strange_passwords_are_just_wrong(session: Session, password: str) -> None:
    with pytest.raises(Unauthorized, match="bad_credentials"):
        service.open_attempt(session, username="town.staff", now=NOW).prove(password)


def test_a_proof_is_void_once_the_password_is_another(session: Session, offices: Offices) -> None:
    proof = service.open_attempt(session, username="town.staff", now=NOW).prove(PASSWORD)
    service.change_password(session, proof=proof, new_password="Another-2026")
    with pytest.raises(Unauthorized):
        service.open_session(session, proof=proof, kind=TokenKind.BEARER, now=NOW)


def test_only_digests_of_tokens_are_stored(session: Session) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.BEARER).token
    stored = session.scalars(select(StaffToken.digest)).one()
    assert stored == service.token_digest(token)
    assert token.encode() not in stored


def test_secrets_never_show_in_a_log(session: Session) -> None:
    attempt = service.open_attempt(session, username="town.staff", now=NOW)
    grant = sign_in(session, "town.staff", kind=TokenKind.BEARER)
    shown = f"{attempt} {attempt.prove(PASSWORD)} {grant}"
    assert grant.token not in shown
    assert "argon2" not in shown


def is_open(session: Session, token: str, *, kind: TokenKind, after: timedelta = timedelta(0)) -> bool:
    return tokens.authenticate_token(session, token=token, kind=kind, now=NOW + after) is not None


@pytest.mark.parametrize(
    ("kind", "end"), [(TokenKind.COOKIE, IDLE_TIMEOUT), (TokenKind.BEARER, TOKEN_LIFETIME)]
)
def test_a_session_ends_in_time(session: Session, kind: TokenKind, end: timedelta) -> None:
    token = sign_in(session, "town.staff", kind=kind).token
    assert is_open(session, token, kind=kind, after=end - timedelta(seconds=1))
    assert not is_open(session, token, kind=kind, after=end)


def test_use_keeps_a_browsers_session_open(session: Session) -> None:
    here, there = (sign_in(session, "town.staff", kind=TokenKind.COOKIE).token for _ in range(2))
    tokens.touch_token(session, token=here, now=NOW + timedelta(minutes=10))
    assert is_open(session, here, kind=TokenKind.COOKIE, after=timedelta(minutes=20))
    assert not is_open(session, there, kind=TokenKind.COOKIE, after=timedelta(minutes=20))


@pytest.mark.parametrize(("after", "is_due"), [(timedelta(seconds=30), False), (timedelta(seconds=90), True)])
def test_the_last_use_is_written_at_most_once_a_minute(
    session: Session, after: timedelta, is_due: bool
) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.COOKIE).token
    live = tokens.authenticate_token(session, token=token, kind=TokenKind.COOKIE, now=NOW + after)
    assert live is not None
    assert live.is_touch_due is is_due


def test_a_cookie_is_no_bearer_token(session: Session) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.COOKIE).token
    assert not is_open(session, token, kind=TokenKind.BEARER)


def test_signing_out_ends_this_session_only(session: Session) -> None:
    here, there = (sign_in(session, "town.staff", kind=TokenKind.COOKIE).token for _ in range(2))
    tokens.close_session(session, token=here)
    assert not is_open(session, here, kind=TokenKind.COOKIE)
    assert is_open(session, there, kind=TokenKind.COOKIE)


def is_locked(session: Session, token: str) -> bool:
    live = tokens.authenticate_token(session, token=token, kind=TokenKind.COOKIE, now=NOW)
    assert live is not None
    return live.is_locked


def test_a_locked_session_is_unlocked_by_its_owner_alone(session: Session, offices: Offices) -> None:
    here, there = (sign_in(session, "town.staff", kind=TokenKind.COOKIE).token for _ in range(2))
    other = sign_in(session, "other.staff", kind=TokenKind.COOKIE).token
    tokens.lock_session(session, token=here, now=NOW)
    assert [is_locked(session, one) for one in (here, there, other)] == [True, False, False]
    tokens.lock_session(session, token=there, now=NOW)
    tokens.lock_session(session, token=other, now=NOW)
    proof = service.open_attempt(session, username="town.staff", now=NOW).prove(PASSWORD)
    take_acts(session)
    tokens.unlock_session(session, proof=proof, token=here)
    assert [is_locked(session, one) for one in (here, there, other)] == [False, True, True]
    assert session.get_one(StaffAccount, offices.people["town.staff"].id).lockout == Lockout()
    assert [act.action for act in take_acts(session)] == ["session.unlock"]
    tokens.unlock_session(session, proof=proof, token=other)
    assert is_locked(session, other)


def test_ending_every_session_stands_in_the_audit_trail(session: Session, offices: Offices) -> None:
    token = sign_in(session, "town.staff", kind=TokenKind.COOKIE).token
    take_acts(session)
    tokens.close_own_sessions(session, staff_id=offices.people["town.staff"].id)
    assert not is_open(session, token, kind=TokenKind.COOKIE)
    assert [act.action for act in take_acts(session)] == ["session.end_all"]


@pytest.mark.parametrize("token", ["", "x", "\ud800", "x" * 10_000])
def test_a_strange_token_opens_nothing(session: Session, token: str) -> None:
    assert not is_open(session, token, kind=TokenKind.BEARER)


def test_ended_tokens_leave_with_the_next_sign_in(session: Session) -> None:
    for days in range(3):
        sign_in(session, "town.staff", kind=TokenKind.BEARER, now=NOW + timedelta(days=days))
    assert session.scalar(select(func.count()).select_from(StaffToken)) == 1
