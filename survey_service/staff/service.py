"""Accounts, passwords and tokens of the staff.

Signing in takes two units of work. The first counts the attempt as failed before anything is known about
the password (`open_attempt`), so that neither a refusal, nor a crash, nor a hundred guesses at once can
escape the count. The second opens the session and clears it (`open_session`). The slow hash lies between
them, outside of any transaction (`Attempt.prove`).
"""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.core.audit import Facts, record
from survey_service.core.digests import plain_digest
from survey_service.core.errors import Conflict, Forbidden, Invalid, Locked, NotFound, Unauthorized
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
from survey_service.staff import rules
from survey_service.staff.models import StaffAccount, StaffToken
from survey_service.staff.queries import get_account
from survey_service.staff.rules import Role, TokenKind

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""OWASP's parameters for Argon2id; 42 ms, and a flood of sign-ins does not stop a small machine."""

_TOKEN_BYTES = 32
_PASSWORD_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105 - letters, no password.
"""No look-alikes: these passwords are read from paper."""
_PASSWORD_GROUPS, _GROUP_LENGTH = 3, 4
"""Twelve of 54 letters: 69 bits."""


def hash_password(password: str) -> str:
    """Return the Argon2id hash of a password, with its salt and parameters."""
    return _HASHER.hash(_encode(password))


def _encode(password: str) -> bytes:
    # JSON may carry half a surrogate pair, which is a wrong password and no crash.
    return password.encode("utf-8", "surrogatepass")


_HASH_OF_NOBODY = hash_password(secrets.token_urlsafe())
"""Checked for unknown names, so that they take as long as known ones."""


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in, already counted as failed; `staff_id` is None when nobody has that name."""

    staff_id: int | None
    password_hash: str = field(default=_HASH_OF_NOBODY, repr=False)

    def prove(self, password: str) -> "Proof":
        """Return the proof that the password is right; raises Unauthorized (`bad_credentials`)."""
        try:
            _HASHER.verify(self.password_hash, _encode(password))
        except VerifyMismatchError:
            raise Unauthorized("bad_credentials") from None
        if self.staff_id is None:
            raise Unauthorized("bad_credentials")
        return Proof(self.staff_id, self.password_hash)


@dataclass(frozen=True)
class Proof:
    """Somebody knew the password that stood behind this hash a moment ago."""

    staff_id: int
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class Grant:
    """A fresh token, which is stored nowhere in this form, and whose it is."""

    token: str = field(repr=False)
    expires_at: datetime
    account: StaffAccount


@dataclass(frozen=True)
class NewPassword:
    """An account and the random password that is shown once, or None where the caller chose one."""

    account: StaffAccount
    password: str | None = field(repr=False)


def open_attempt(session: Session, *, username: str, now: datetime) -> Attempt:
    """Count an attempt to sign in as failed and return what it has to prove; raises Locked."""
    name = rules.normalize_username(username)
    if not rules.is_username(name):
        return Attempt(None)
    account = session.scalar(
        select(StaffAccount)
        .where(StaffAccount.username == name, StaffAccount.disabled_at.is_(None))
        .with_for_update(of=StaffAccount)
    )
    if account is None:
        return Attempt(None)
    if minutes := account.lockout.minutes_left(now):
        raise Locked(minutes=minutes)
    account.lockout = account.lockout.after_attempt(now)
    return Attempt(account.id, account.password_hash)


def open_session(session: Session, *, proof: Proof, kind: TokenKind, now: datetime) -> Grant:
    """Forget the failed attempts and give a token; old tokens of the account that ended are deleted."""
    account = _proven_account(session, proof)
    account.lockout = rules.Lockout()
    session.execute(delete(StaffToken).where(StaffToken.staff_id == account.id, StaffToken.expires_at <= now))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    expires_at = now + rules.TOKEN_LIFETIME
    session.add(
        StaffToken(
            digest=token_digest(token),
            staff_id=account.id,
            kind=kind,
            created_at=now,
            last_used_at=now,
            expires_at=expires_at,
        )
    )
    _record(session, "session.open", account, actor=account.username, after={"kind": kind})
    return Grant(token, expires_at, account)


def record_refused_password(session: Session, *, username: str, code: str) -> None:
    """Record that somebody did not know the password of an account; of unknown names nothing is kept."""
    name = rules.normalize_username(username)
    if not rules.is_username(name):
        return
    account = session.scalar(select(StaffAccount).where(StaffAccount.username == name))
    if account is not None:
        _record(session, "password.check", account, after={"refused": code})


def _record(session: Session, action: str, account: StaffAccount, **facts: Any) -> None:
    record(session, action, rules.account_target(account.username), **facts)


def _proven_account(session: Session, proof: Proof) -> StaffAccount:
    """Return the account unless its password was changed, or it was disabled, since the proof."""
    account = session.scalar(
        select(StaffAccount)
        .where(StaffAccount.id == proof.staff_id, StaffAccount.password_hash == proof.password_hash)
        .where(StaffAccount.disabled_at.is_(None))
        .with_for_update(of=StaffAccount)
    )
    if account is None:
        raise Unauthorized("bad_credentials")
    return account


def token_digest(token: str) -> bytes:
    return plain_digest("staff_token", _encode(token))


def close_session(session: Session, *, token: str) -> None:
    """Delete a token; it opens nothing any more."""
    session.execute(delete(StaffToken).where(StaffToken.digest == token_digest(token)))


def _close_all_sessions(session: Session, account: StaffAccount) -> None:
    session.execute(delete(StaffToken).where(StaffToken.staff_id == account.id))


@dataclass(frozen=True)
class LiveToken:
    """A token that opens something, for whom, and whether its use should be written down."""

    identity: Identity
    is_touch_due: bool


def authenticate_token(session: Session, *, token: str, kind: TokenKind, now: datetime) -> LiveToken | None:
    """Return whom a token stands for, or None when it is unknown, ended, idle or of another kind.

    Only reads. Role and scope are those of this moment, so that changing them works at once.
    """
    row = session.execute(
        select(StaffToken, StaffAccount)
        .join(StaffAccount, StaffAccount.id == StaffToken.staff_id)
        .where(StaffToken.digest == token_digest(token), StaffToken.kind == kind)
        .where(StaffAccount.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    found, account = row
    if not rules.is_alive(kind, last_used_at=found.last_used_at, expires_at=found.expires_at, now=now):
        return None
    return LiveToken(_identity_of(account), rules.is_touch_due(found.last_used_at, now))


def _identity_of(account: StaffAccount) -> Identity:
    return Identity(
        id=account.id,
        name=account.display_name,
        role=account.role,
        organization_id=account.organization_id,
        path=account.organization.path,
        username=account.username,
    )


def touch_token(session: Session, *, token: str, now: datetime) -> None:
    """Write down that a token was used."""
    is_this = StaffToken.digest == token_digest(token)
    session.execute(update(StaffToken).where(is_this).values(last_used_at=now))


def create_account(
    session: Session,
    *,
    username: str,
    role: Role,
    organization_code: str,
    now: datetime,
    display_name: str = "",
    password: str | None = None,
    by: Identity | None = None,
) -> NewPassword:
    """Create an account; without a password a random one is made, to be changed after the first sign-in.

    `by` is the staff member who creates it: at or below his own role and inside his sub-tree, else
    Forbidden. Without `by` it is the operator at the command line, who may do anything.
    Raises Invalid for an unknown organization or a weak password, Conflict (`username_taken`).
    """
    organization = _organization(session, organization_code)
    if by is not None:
        by.require(organization.path)
        if not rules.may_create(Role(by.role), role):
            raise Forbidden
    name = rules.normalize_username(username)
    chosen = _random_password(name) if password is None else password
    _check_new_account(name, display_name or name, chosen)
    account = StaffAccount(
        username=name,
        display_name=display_name or name,
        password_hash=hash_password(chosen),
        role=role,
        organization=organization,
        must_change_password=password is None,
        created_at=now,
    )
    _insert(session, account)
    _record(session, "staff.create", account, after=_facts(account))
    return NewPassword(account, chosen if password is None else None)


def _facts(account: StaffAccount) -> Facts:
    return {
        "display_name": account.display_name,
        "role": account.role,
        "organization_code": account.organization.code,
    }


def _check_new_account(username: str, display_name: str, password: str) -> None:
    """Raise Invalid that names everything wrong with a new account."""
    errors = {"password": _password_errors(password, username)}
    if not rules.is_username(username):
        errors["username"] = [text("staff.username_form")]
    if not rules.is_display_name(display_name):
        errors["display_name"] = [text("staff.display_name_form")]
    _refuse(errors)


def _refuse(errors: dict[str, list[str]]) -> None:
    if found := {field: sentences for field, sentences in errors.items() if sentences}:
        raise Invalid(errors=found)


def _password_errors(password: str, username: str) -> list[str]:
    return [text(f"staff.password_{fault}") for fault in rules.password_faults(password, username=username)]


def _organization(session: Session, code: str) -> Organization:
    try:
        return get_organization(session, code=code)
    except NotFound:
        raise Invalid(errors={"organization_code": [text("staff.unknown_organization")]}) from None


def _insert(session: Session, account: StaffAccount) -> None:
    if account.username in rules.RESERVED_USERNAMES:
        raise Conflict("username_taken")
    session.add(account)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("username_taken") from None


def _random_password(username: str) -> str:
    """Return a password like `kX7m-Rp4w-9Tzq` that keeps the rules."""
    while True:
        groups = (
            "".join(secrets.choice(_PASSWORD_ALPHABET) for _ in range(_GROUP_LENGTH))
            for _ in range(_PASSWORD_GROUPS)
        )
        password = "-".join(groups)
        if not rules.password_faults(password, username=username):
            return password


def change_password(session: Session, *, proof: Proof, new_password: str) -> None:
    """Replace one's own password; every session of the account ends. Raises Invalid for a weak one."""
    account = _proven_account(session, proof)
    _refuse({"new_password": _password_errors(new_password, account.username)})
    account.password_hash = hash_password(new_password)
    account.must_change_password = False
    account.lockout = rules.Lockout()
    _close_all_sessions(session, account)
    _record(session, "password.change", account)


def reset_password(session: Session, *, staff_id: int, by: Identity | None) -> NewPassword:
    """Give an account below one's own level a random password; its sessions and its lockout end.

    Without `by` it is the operator at the command line, who may do anything.
    """
    account = _managed_account(session, staff_id, by)
    password = _random_password(account.username)
    account.password_hash = hash_password(password)
    account.must_change_password = True
    account.lockout = rules.Lockout()
    _close_all_sessions(session, account)
    _record(session, "staff.reset", account)
    return NewPassword(account, password)


def disable_account(session: Session, *, staff_id: int, by: Identity, now: datetime) -> StaffAccount:
    """Shut an account below one's own level; its sessions end at once."""
    account = _managed_account(session, staff_id, by)
    before = {"is_disabled": account.is_disabled}
    account.disabled_at = account.disabled_at or now
    _close_all_sessions(session, account)
    _record(session, "staff.disable", account, before=before, after={"is_disabled": True})
    return account


def _managed_account(session: Session, staff_id: int, by: Identity | None) -> StaffAccount:
    account = get_account(session, staff_id=staff_id)
    if by is None:
        return account
    by.require(account.organization.path)
    if not rules.may_manage(Role(by.role), account.role):
        raise Forbidden
    return account
