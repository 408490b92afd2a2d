"""Signing in and out at the edge: limits on guessing, and the two units of work of `service`."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, request
from sqlalchemy.orm import Session

from survey_service.core import audit, clock
from survey_service.core.db import unit_of_work
from survey_service.core.digests import keyed_digest, plain_digest
from survey_service.core.errors import Forbidden, Locked, SlowDown, Unauthorized
from survey_service.core.http import client_network
from survey_service.core.permissions import current_staff
from survey_service.core.privacy import current_keyring
from survey_service.core.rate_limits import RateLimit
from survey_service.staff import queries, rules, second_factor, service, tokens
from survey_service.staff.authenticate import presented_token, refuse_other_sites
from survey_service.staff.rules import LOCKOUT, TokenKind
from survey_service.staff.service import Attempt, Grant, Proof
from survey_service.staff.unknown_names import UnknownNames

REFUSALS_PER_NAME = 20
REFUSALS_PER_ADDRESS = 300
"""A whole office may stand behind one address."""
TICKET_LIFETIME = timedelta(minutes=5)
"""Long enough to find the phone."""
_TICKET = "second factor"


class SignInLimits:
    """Limits in the memory of the process. Only refusals count, so that nobody is slowed by signing in."""

    def __init__(self, redis_url: str | None) -> None:
        window = LOCKOUT.total_seconds()
        self._names = RateLimit(count=REFUSALS_PER_NAME, seconds=window)
        self._addresses = RateLimit(count=REFUSALS_PER_ADDRESS, seconds=window)
        self._unknown_names = UnknownNames(redis_url)

    def check(self, name: bytes, address: bytes) -> None:
        """Raise SlowDown after too many refusals of this name or to this address."""
        if self._names.is_exhausted(name) or self._addresses.is_exhausted(address):
            raise SlowDown

    def count_refusal(self, name: bytes, address: bytes) -> None:
        self._names.hit(name)
        self._addresses.hit(address)

    def check_unknown_name(self, name: bytes, now: datetime) -> None:
        """Raise Locked as a known account would, so that locking does not tell which names exist."""
        if minutes := self._unknown_names.count(name, now=now):
            raise Locked(minutes=minutes)


def _limits() -> SignInLimits:
    kept = current_app.extensions
    limits: SignInLimits = kept.get("sign_in_limits") or kept.setdefault(
        "sign_in_limits", SignInLimits(kept["settings"].redis_url)
    )
    return limits


def prove(username: str, password: str) -> Proof:
    """Return the proof of a password; raises Unauthorized, Locked or SlowDown."""
    return _counted(username, lambda attempt: attempt.prove(password))


def _counted(username: str, prove: Callable[[Attempt], Proof]) -> Proof:
    """Let somebody prove that a name is his, and count the attempt before anything is known about it."""
    caller = _caller(username)
    limits = _limits()
    limits.check(*caller)
    now = clock.now()
    try:
        with unit_of_work() as session:
            # Counting the attempt of somebody who is signed in is no act yet; what comes of it is recorded.
            audit.keep_silent(session)
            attempt = service.open_attempt(session, username=username, now=now)
        if attempt.staff_id is None:
            limits.check_unknown_name(caller[0], now)
        return prove(attempt)
    except (Unauthorized, Locked) as error:
        _count_refusal(username, error.code)
        raise


def _caller(username: str) -> tuple[bytes, bytes]:
    """Return the digests of the name and of the address that limits are counted by."""
    key = current_keyring().passing("sign_in_limits")
    name = keyed_digest(key, "name", rules.normalize_username(username).encode("utf-8", "surrogatepass"))
    return name, keyed_digest(key, "address", client_network())


def _count_refusal(username: str, code: str) -> None:
    _limits().count_refusal(*_caller(username))
    with unit_of_work() as session:
        service.record_refused_password(session, username=username, code=code)


def sign_in(*, username: str, password: str, kind: TokenKind, one_time_code: str = "") -> Grant:
    """Check name, password and second factor and open a session; a form must come from our own page.

    Raises Unauthorized (`bad_credentials`, `bad_one_time_code`), SecondFactorRequired, Locked after too many
    failures, SlowDown, Forbidden.
    """
    if kind is TokenKind.COOKIE:
        refuse_other_sites()
    proof = prove(username, password)
    return open_proven(username, proof, kind, one_time_code)


class SecondFactorRequired(Unauthorized):
    """The password is right; `ticket` lets a page ask for the code without asking for the password again."""

    code = "second_factor_required"

    def __init__(self, ticket: str) -> None:
        super().__init__()
        self.ticket = ticket


def open_proven(username: str, proof: Proof, kind: TokenKind, one_time_code: str) -> Grant:
    now = clock.now()
    client = rules.describe_client(request.user_agent.string)
    try:
        with unit_of_work() as session:
            second_factor.require(
                session, staff_id=proof.staff_id, code=one_time_code, keyring=current_keyring(), now=now
            )
            return service.open_session(session, proof=proof, kind=kind, now=now, client=client)
    except Unauthorized as error:
        if error.code == SecondFactorRequired.code:
            raise SecondFactorRequired(_issue_ticket(username, proof, now)) from None
        _count_refusal(username, error.code)
        raise


def _issue_ticket(username: str, proof: Proof, now: datetime) -> str:
    """Return a proof that the password was right a moment ago, readable by nobody."""
    until = now + TICKET_LIFETIME
    content = {"username": username, "hash": _fingerprint(proof.password_hash), "until": until.isoformat()}
    return current_keyring().hide(json.dumps(content).encode(), purpose=_TICKET)


def _fingerprint(password_hash: str) -> str:
    return plain_digest("password hash", password_hash).hex()


def sign_in_with_code(*, ticket: str, one_time_code: str) -> Grant:
    """Take the second step of signing in at a page; each try counts as an attempt, like a password.

    Raises Forbidden `page_expired` after five minutes, and the rest like `sign_in`.
    """
    refuse_other_sites()
    content = current_keyring().reveal(ticket, purpose=_TICKET, now=clock.now())
    known = json.loads(content) if content else {}
    if not known or clock.now() >= datetime.fromisoformat(known["until"]):
        raise Forbidden("page_expired")

    def prove(attempt: Attempt) -> Proof:
        if attempt.staff_id is None or _fingerprint(attempt.password_hash) != known["hash"]:
            raise Unauthorized("bad_credentials")
        return Proof(attempt.staff_id, attempt.password_hash)

    proof = _counted(known["username"], prove)
    return open_proven(known["username"], proof, TokenKind.COOKIE, one_time_code)


def sign_out() -> None:
    """End the session of the request."""
    presented = presented_token()
    if presented is not None:
        with unit_of_work() as session:
            tokens.close_session(session, token=presented.token)
            audit.record(session, "session.close", rules.account_target(current_staff().username))


@dataclass(frozen=True)
class OwnSession:
    """One of the places where somebody is signed in."""

    kind: TokenKind
    client: str
    created_at: datetime
    last_used_at: datetime
    is_current: bool


def own_sessions(session: Session) -> list[OwnSession]:
    """Return where the caller is signed in, the place used last first."""
    presented = presented_token()
    current = service.token_digest(presented.token) if presented else b""
    now = clock.now()
    found = queries.list_sessions(session, staff_id=current_staff().id, now=now)
    return [
        OwnSession(one.kind, one.client, one.created_at, one.last_used_at, one.digest == current)
        for one in found
        if rules.is_alive(one.kind, last_used_at=one.last_used_at, expires_at=one.expires_at, now=now)
    ]


def sign_out_everywhere() -> None:
    """End every session of the caller, this one too."""
    with unit_of_work() as session:
        tokens.close_own_sessions(session, staff_id=current_staff().id)


def _prove_own(password: str) -> Proof:
    """Return the proof that the caller knows his own password."""
    return prove(current_staff().username, password)


def unlock_own_session(*, password: str) -> None:
    """Take the phone back after somebody has voted on it: the caller proves his password again."""
    proof, presented = _prove_own(password), presented_token()
    if presented is not None:
        with unit_of_work() as session:
            tokens.unlock_session(session, proof=proof, token=presented.token)


def change_own_password(*, password: str, new_password: str) -> None:
    """Change the caller's password, which he proves again; all his sessions end."""
    proof = _prove_own(password)
    with unit_of_work() as session:
        service.change_password(session, proof=proof, new_password=new_password)


def begin_second_factor(*, password: str) -> bytes:
    """Make the secret for the caller's phone; he proves his password again."""
    proof = _prove_own(password)
    with unit_of_work() as session:
        service.clear_attempts(session, proof=proof)
        return second_factor.begin_enrolment(session, proof=proof, keyring=current_keyring())


def turn_off_second_factor(*, password: str, one_time_code: str) -> None:
    """Take the caller's second factor out of use; he proves both factors once more."""
    proof = _prove_own(password)
    try:
        with unit_of_work() as session:
            second_factor.turn_off(
                session, proof=proof, code=one_time_code, keyring=current_keyring(), now=clock.now()
            )
            service.clear_attempts(session, proof=proof)
    except Unauthorized as error:
        _count_refusal(current_staff().username, error.code)
        raise
