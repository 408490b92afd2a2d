"""The second factor: enrol, confirm, demand, recover, turn off; on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from random import Random

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.core.errors import Conflict, Invalid, Unauthorized
from survey_service.core.privacy import Keyring
from survey_service.staff import management, one_time_codes, second_factor, service, tokens
from survey_service.staff.models import RecoveryCode, SecondFactor
from survey_service.staff.one_time_codes import SECRET_BYTES, STEP_SECONDS, code_of_step, step_at
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Proof
from tests.factories.staff.offices import NOW, PASSWORD, Offices, open_offices, sign_in
from tests.services.staff.test_accounts import identity

KEYRING = Keyring(secret_key="secret", master_key="master")
STEP = timedelta(seconds=STEP_SECONDS)


@pytest.fixture(autouse=True)
def _known_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of random secrets, one in some hundred thousand has the code 000000 here, or the same code twice."""
    monkeypatch.setattr(one_time_codes, "new_secret", partial(Random(7).randbytes, SECRET_BYTES))


def prove(session: Session, username: str = "town.staff") -> Proof:
    return service.open_attempt(session, username=username, now=NOW).prove(PASSWORD)


def enrol(session: Session, username: str = "town.staff") -> tuple[int, bytes, list[str]]:
    """Return the account, its secret and its recovery codes."""
    proof = prove(session, username)
    secret = second_factor.begin_enrolment(session, proof=proof, keyring=KEYRING)
    codes = second_factor.confirm_enrolment(
        session, staff_id=proof.staff_id, code=code(secret, NOW), keyring=KEYRING, now=NOW
    )
    return proof.staff_id, secret, codes


def code(secret: bytes, moment: datetime) -> str:
    return code_of_step(secret, step_at(moment))


def demand(session: Session, staff_id: int, given: str, *, now: datetime = NOW) -> None:
    second_factor.require(session, staff_id=staff_id, code=given, keyring=KEYRING, now=now)


def test_without_enrolment_nothing_is_demanded(session: Session, offices: Offices) -> None:
    demand(session, offices.people["town.staff"].id, "")


def test_before_the_phone_has_shown_a_right_code_nothing_is_demanded(session: Session) -> None:
    proof = prove(session)
    secret = second_factor.begin_enrolment(session, proof=proof, keyring=KEYRING)
    demand(session, proof.staff_id, "")
    with pytest.raises(Invalid):
        second_factor.confirm_enrolment(
            session, staff_id=proof.staff_id, code="000000", keyring=KEYRING, now=NOW
        )
    assert second_factor.pending_secret(session, staff_id=proof.staff_id, keyring=KEYRING) == secret


def test_a_code_opens_once(session: Session) -> None:
    staff_id, secret, _ = enrol(session)
    with pytest.raises(Unauthorized, match="second_factor_required"):
        demand(session, staff_id, " ")
    later = NOW + STEP
    demand(session, staff_id, f" {code(secret, later)[:3]} {code(secret, later)[3:]} ", now=later)
    for used in (code(secret, later), code(secret, NOW), "000000"):
        with pytest.raises(Unauthorized, match="bad_one_time_code"):
            demand(session, staff_id, used, now=later)


def test_the_code_that_confirmed_the_enrolment_is_spent(session: Session) -> None:
    staff_id, secret, _ = enrol(session)
    with pytest.raises(Unauthorized, match="bad_one_time_code"):
        demand(session, staff_id, code(secret, NOW))


def test_a_code_that_comes_twice_at_once_opens_once(committing_database: Database) -> None:
    with committing_database.unit_of_work() as session:
        open_offices(session)
    with committing_database.unit_of_work() as session:
        staff_id, secret, _ = enrol(session)
    later = NOW + STEP

    def attempt(_: int) -> str:
        try:
            with committing_database.unit_of_work() as session:
                demand(session, staff_id, code(secret, later), now=later)
        except Unauthorized as error:
            return error.code
        return "opened"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(8)))
    assert sorted(answers) == ["bad_one_time_code"] * 7 + ["opened"]


def test_each_recovery_code_opens_once_and_only_its_own_account(session: Session, offices: Offices) -> None:
    staff_id, _, codes = enrol(session)
    other_id, _, _ = enrol(session, "other.staff")
    assert len(set(codes)) == second_factor.RECOVERY_CODES == 8
    with pytest.raises(Unauthorized):
        demand(session, other_id, codes[0])
    for recovery in codes:
        demand(session, staff_id, recovery)
        with pytest.raises(Unauthorized):
            demand(session, staff_id, recovery)


def test_neither_secret_nor_recovery_codes_are_stored(session: Session) -> None:
    _, secret, codes = enrol(session)
    wrapped = session.scalars(select(SecondFactor.wrapped_secret)).one()
    stored = b"".join([wrapped, *session.scalars(select(RecoveryCode.digest))])
    assert [one for one in (secret, *(one.encode() for one in codes)) if one in stored] == []


def test_a_secret_opens_only_beside_its_own_account(session: Session, offices: Offices) -> None:
    staff_id, _, _ = enrol(session)
    other_id, secret, _ = enrol(session, "other.staff")
    wrapped = session.get_one(SecondFactor, staff_id).wrapped_secret
    session.get_one(SecondFactor, other_id).wrapped_secret = wrapped
    with pytest.raises(ValueError, match="does not open"):
        demand(session, other_id, code(secret, NOW + STEP), now=NOW + STEP)


def test_an_enrolment_in_use_is_not_begun_again(session: Session) -> None:
    enrol(session)
    with pytest.raises(Conflict, match="wrong_state"):
        second_factor.begin_enrolment(session, proof=prove(session), keyring=KEYRING)


def test_it_is_turned_off_by_both_factors(session: Session) -> None:
    staff_id, _, codes = enrol(session)
    with pytest.raises(Unauthorized):
        second_factor.turn_off(session, proof=prove(session), code="000000", keyring=KEYRING, now=NOW)
    second_factor.turn_off(session, proof=prove(session), code=codes[0], keyring=KEYRING, now=NOW)
    demand(session, staff_id, "")
    assert session.scalar(select(func.count()).select_from(RecoveryCode)) == 0


def test_the_level_above_removes_it_and_ends_the_sessions(session: Session, offices: Offices) -> None:
    staff_id, _, _ = enrol(session)
    token = sign_in(session, "town.staff", kind=TokenKind.COOKIE).token
    management.remove_second_factor(session, staff_id=staff_id, by=identity(offices.people["county.admin"]))
    demand(session, staff_id, "")
    assert tokens.authenticate_token(session, token=token, kind=TokenKind.COOKIE, now=NOW) is None
