"""Use cases of the second factor: enrol, confirm, demand, turn off.

Guesses are counted where an attempt to sign in is counted, before anything is looked at here.
"""

from datetime import datetime

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from survey_service.core.digests import plain_digest
from survey_service.core.errors import Conflict, Invalid, Unauthorized
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.staff import one_time_codes
from survey_service.staff.models import RecoveryCode, SecondFactor
from survey_service.staff.passwords import encode, random_code
from survey_service.staff.queries import get_account
from survey_service.staff.service import Proof, proven_account, record_act

RECOVERY_CODES = 8
NEVER = 0
"""The step before all steps."""


def secret_label(staff_id: int) -> str:
    """Return what binds a wrapped secret to its account."""
    return f"second factor {staff_id}"


def _secret(factor: SecondFactor, keyring: Keyring) -> bytes:
    return keyring.unwrap(factor.wrapped_secret, label=secret_label(factor.staff_id))


def begin_enrolment(session: Session, *, proof: Proof, keyring: Keyring) -> bytes:
    """Make the secret that the account's phone shall have; it demands nothing until it is confirmed.

    Raises Conflict `wrong_state` where a second factor is in use.
    """
    account = proven_account(session, proof)
    factor = session.get(SecondFactor, account.id)
    if factor is not None and factor.confirmed_at is not None:
        raise Conflict("wrong_state")
    secret = one_time_codes.new_secret()
    wrapped = keyring.wrap(secret, label=secret_label(account.id))
    session.merge(SecondFactor(staff_id=account.id, wrapped_secret=wrapped, last_step=NEVER))
    record_act(session, "second_factor.begin", account)
    return secret


def pending_secret(session: Session, *, staff_id: int, keyring: Keyring) -> bytes:
    """Return the secret of an enrolment that is not confirmed yet; raises Conflict `wrong_state`."""
    factor = session.get(SecondFactor, staff_id)
    if factor is None or factor.confirmed_at is not None:
        raise Conflict("wrong_state")
    return _secret(factor, keyring)


def confirm_enrolment(
    session: Session, *, staff_id: int, code: str, keyring: Keyring, now: datetime
) -> list[str]:
    """Put the second factor into use and return the recovery codes, which are shown this once.

    Raises Conflict `wrong_state` without an enrolment, Invalid when the phone makes other codes.
    """
    secret = pending_secret(session, staff_id=staff_id, keyring=keyring)
    step = one_time_codes.matching_step(secret, _squeezed(code), now=now, after=NEVER)
    if step is None:
        raise Invalid(errors={"one_time_code": [text("errors.bad_one_time_code")]})
    factor = session.get_one(SecondFactor, staff_id)
    factor.last_step, factor.confirmed_at = step, now
    codes = [random_code() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff_id))
    session.add_all(RecoveryCode(digest=_digest(staff_id, code), staff_id=staff_id) for code in codes)
    record_act(session, "second_factor.confirm", get_account(session, staff_id=staff_id))
    return codes


def require(session: Session, *, staff_id: int, code: str, keyring: Keyring, now: datetime) -> None:
    """Demand the second factor of an account that uses one; a code is accepted once.

    Raises Unauthorized: `second_factor_required` without a code, `bad_one_time_code` for a wrong or used one.
    """
    factor = session.get(SecondFactor, staff_id)
    if factor is None or factor.confirmed_at is None:
        return
    given = _squeezed(code)
    if not given:
        raise Unauthorized("second_factor_required")
    if not (_spend_step(session, factor, given, keyring, now) or _spend_recovery(session, staff_id, given)):
        raise Unauthorized("bad_one_time_code")


def _squeezed(code: str) -> str:
    return "".join(code.split())


def _spend_step(session: Session, factor: SecondFactor, code: str, keyring: Keyring, now: datetime) -> bool:
    step = one_time_codes.matching_step(_secret(factor, keyring), code, now=now, after=factor.last_step)
    if step is None:
        return False
    # The condition decides between two requests that bring the same code at once.
    spent = session.execute(
        update(SecondFactor)
        .where(SecondFactor.staff_id == factor.staff_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.staff_id)
    )
    return spent.one_or_none() is not None


def _spend_recovery(session: Session, staff_id: int, code: str) -> bool:
    spent = session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.digest == _digest(staff_id, code), RecoveryCode.staff_id == staff_id)
        .returning(RecoveryCode.staff_id)
    )
    return spent.one_or_none() is not None


def _digest(staff_id: int, code: str) -> bytes:
    return plain_digest("recovery code", str(staff_id), encode(code))


def turn_off(session: Session, *, proof: Proof, code: str, keyring: Keyring, now: datetime) -> None:
    """Take one's own second factor out of use, by password and code; raises Unauthorized like `require`."""
    account = proven_account(session, proof)
    require(session, staff_id=account.id, code=code, keyring=keyring, now=now)
    for table in (RecoveryCode, SecondFactor):
        session.execute(delete(table).where(table.staff_id == account.id))
    record_act(session, "second_factor.turn_off", account)
