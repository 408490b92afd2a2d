"""Signing in and out at the edge: limits on guessing, and the two units of work of `service`."""

from contextlib import suppress
from ipaddress import ip_address, ip_network

from flask import current_app

from survey_service.core import audit, clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import Locked, SlowDown, Unauthorized
from survey_service.core.http import client_address
from survey_service.core.permissions import current_staff
from survey_service.core.privacy import current_keyring
from survey_service.core.rate_limits import RateLimit
from survey_service.staff import queries, rules, service
from survey_service.staff.authenticate import presented_token, refuse_other_sites
from survey_service.staff.rules import LOCKOUT, MAX_FAILED_LOGINS, TokenKind
from survey_service.staff.service import Grant, Proof

REFUSALS_PER_NAME = 20
REFUSALS_PER_ADDRESS = 300
"""A whole office may stand behind one address."""
IPV6_NETWORK_BITS = 64


class SignInLimits:
    """Limits in the memory of the process. Only refusals count, so that nobody is slowed by signing in."""

    def __init__(self) -> None:
        window = LOCKOUT.total_seconds()
        self._names = RateLimit(count=REFUSALS_PER_NAME, seconds=window)
        self._addresses = RateLimit(count=REFUSALS_PER_ADDRESS, seconds=window)
        self._unknown_names = RateLimit(count=MAX_FAILED_LOGINS, seconds=window)

    def check(self, name: bytes, address: bytes) -> None:
        """Raise SlowDown after too many refusals of this name or to this address."""
        if self._names.is_exhausted(name) or self._addresses.is_exhausted(address):
            raise SlowDown

    def count_refusal(self, name: bytes, address: bytes) -> None:
        self._names.hit(name)
        self._addresses.hit(address)

    def check_unknown_name(self, name: bytes) -> None:
        """Raise Locked as a known account would, so that locking does not tell which names exist."""
        if self._unknown_names.is_exhausted(name):
            raise Locked(minutes=LOCKOUT.seconds // 60)
        self._unknown_names.hit(name)


def _limits() -> SignInLimits:
    limits: SignInLimits = current_app.extensions.setdefault("sign_in_limits", SignInLimits())
    return limits


def _address_digest(key: bytes) -> bytes:
    """Return the digest of the caller's network: the address itself, or the /64 of an IPv6 address."""
    address = client_address()
    # What is no address (behind a Unix socket there is none) counts as it stands.
    with suppress(ValueError):
        bits = IPV6_NETWORK_BITS if ip_address(address).version == 6 else 32
        address = str(ip_network((address, bits), strict=False))
    return keyed_digest(key, "address", address)


def _prove(username: str, password: str) -> Proof:
    """Return the proof of a password; raises Unauthorized, Locked or SlowDown."""
    key = current_keyring().passing("sign_in_limits")
    name = keyed_digest(key, "name", rules.normalize_username(username).encode("utf-8", "surrogatepass"))
    address = _address_digest(key)
    limits = _limits()
    limits.check(name, address)
    try:
        with unit_of_work() as session:
            # Counting the attempt of somebody who is signed in is no act yet; what comes of it is recorded.
            audit.keep_silent(session)
            attempt = service.open_attempt(session, username=username, now=clock.now())
        if attempt.staff_id is None:
            limits.check_unknown_name(name)
        return attempt.prove(password)
    except (Unauthorized, Locked) as error:
        limits.count_refusal(name, address)
        with unit_of_work() as session:
            service.record_refused_password(session, username=username, code=error.code)
        raise


def sign_in(*, username: str, password: str, kind: TokenKind) -> Grant:
    """Check name and password and open a session; a form must come from our own page.

    Raises Unauthorized (`bad_credentials`), Locked after too many failures, SlowDown, Forbidden.
    """
    if kind is TokenKind.COOKIE:
        refuse_other_sites()
    proof = _prove(username, password)
    with unit_of_work() as session:
        return service.open_session(session, proof=proof, kind=kind, now=clock.now())


def sign_out() -> None:
    """End the session of the request."""
    presented = presented_token()
    if presented is not None:
        with unit_of_work() as session:
            service.close_session(session, token=presented.token)
            audit.record(session, "session.close", rules.account_target(current_staff().username))


def change_own_password(*, password: str, new_password: str) -> None:
    """Change the caller's password, which he proves again; all his sessions end."""
    with reading() as session:
        username = queries.get_account(session, staff_id=current_staff().id).username
    proof = _prove(username, password)
    with unit_of_work() as session:
        service.change_password(session, proof=proof, new_password=new_password)
