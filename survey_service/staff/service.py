"""Accounts, passwords and tokens of the staff.

Signing in takes two units of work. The first counts the attempt as failed before anything is known about
the password (`open_attempt`), so that neither a refusal, nor a crash, nor a hundred guesses at once can
escape the count. The second opens the session and clears it (`open_session`). The slow hash lies between
them, outside of any transaction (`Attempt.prove`).
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.core.audit import Facts, record
from survey_service.core.digests import plain_digest
from survey_service.core.errors import Conflict, Forbidden, Invalid, Locked, NotFound, Unauthorized
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization, path_of_organization
from survey_service.staff import queries, rules
from survey_service.staff.models import StaffAccount, StaffToken
from survey_service.staff.passwords import (
    HASH_OF_NOBODY,
    digest_one_time_password,
    encode,
    hash_password,
    is_right,
    random_password,
)
from survey_service.staff.queries import AccountFilter
from survey_service.staff.rules import AccountState, Role, TokenKind

_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Attempt:
    """An attempt to sign in, already counted as failed; `staff_id` is None when nobody has that name."""

    staff_id: int | None
    password_hash: str = field(default=HASH_OF_NOBODY, repr=False)

    def prove(self, password: str) -> "Proof":
        """Return the proof that the password is right; raises Unauthorized (`bad_credentials`)."""
        if not is_right(self.password_hash, password) or self.staff_id is None:
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


def open_session(
    session: Session, *, proof: Proof, kind: TokenKind, now: datetime, client: str = ""
) -> Grant:
    """Forget the failed attempts and give a token; old tokens of the account that ended are deleted.

    The second factor was checked before (`second_factor.require`). Raises Forbidden `awaiting_approval`, and
    `password_expired` for a one-time password that was not used in time.
    """
    account = proven_account(session, proof)
    if not account.is_approved:
        raise Forbidden("awaiting_approval")
    if account.password_expires_at is not None and account.password_expires_at <= now:
        raise Forbidden("password_expired")
    account.lockout = rules.Lockout()
    account.last_signed_in_at = now
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
            client=client,
        )
    )
    record_act(session, "session.open", account, actor=account.username, after={"kind": kind})
    return Grant(token, expires_at, account)


def clear_attempts(session: Session, *, proof: Proof) -> None:
    """Forget the failed attempts of somebody who has just proved himself."""
    proven_account(session, proof).lockout = rules.Lockout()


def record_refused_password(session: Session, *, username: str, code: str) -> None:
    """Record that somebody did not know the password of an account; of unknown names nothing is kept."""
    name = rules.normalize_username(username)
    if not rules.is_username(name):
        return
    account = session.scalar(select(StaffAccount).where(StaffAccount.username == name))
    if account is not None:
        record_act(session, "password.check", account, after={"refused": code})


def record_act(session: Session, action: str, account: StaffAccount, **facts: Any) -> None:
    record(session, action, rules.account_target(account.username), **facts)


def proven_account(session: Session, proof: Proof) -> StaffAccount:
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
    return plain_digest("staff_token", encode(token))


def close_all_sessions(session: Session, account: StaffAccount) -> None:
    session.execute(delete(StaffToken).where(StaffToken.staff_id == account.id))


def list_accounts(
    session: Session,
    *,
    reader: Identity,
    now: datetime,
    after: int = 0,
    words: str = "",
    organization: str = "",
    state: AccountState | None = None,
) -> Sequence[StaffAccount]:
    """Return the accounts of the reader's sub-tree, or those among them that he looks for.

    Raises NotFound for an unknown organization, Forbidden for one outside the sub-tree.
    """
    path = path_of_organization(session, code=organization) if organization else ""
    if path:
        reader.require(path)
    narrowed = AccountFilter(words=words.strip(), path=path, state=state, now=now)
    return queries.list_accounts(session, within_path=reader.path, after=after, narrowed=narrowed)


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
    made = add_account(
        session,
        username=username,
        display_name=display_name,
        role=role,
        organization=organization,
        password=password,
        approved_at=approval(session, organization.path, by=by, now=now),
        now=now,
    )
    record_act(session, "staff.create", made.account, after=facts_of(made.account))
    return made


def approval(session: Session, path: str, *, by: Identity | None, now: datetime) -> datetime | None:
    """Return when an account is approved that somebody gives a password: now, or not yet.

    Where administrators are separated, the one for security has to agree; the operator needs nobody.
    """
    return None if by is not None and queries.is_separated_at(session, path=path) else now


def add_account(
    session: Session,
    *,
    username: str,
    display_name: str,
    role: Role,
    organization: Organization,
    now: datetime,
    approved_at: datetime | None,
    password: str | None = None,
) -> NewPassword:
    """Store an account, with a one-time password unless one is given; rights are looked at elsewhere.

    Raises Invalid and Conflict like `create_account`.
    """
    name = rules.normalize_username(username)
    shown = display_name or name
    _check_new_account(name, shown, password)
    account = StaffAccount(
        username=name,
        display_name=shown,
        role=role,
        organization=organization,
        approved_at=approved_at,
        created_at=now,
        password_hash="",
        must_change_password=False,
    )
    one_time = None
    if password is None:
        one_time = set_one_time_password(account, now=now)
    else:
        account.password_hash = hash_password(password)
    _insert(session, account)
    return NewPassword(account, one_time)


def set_one_time_password(account: StaffAccount, *, now: datetime) -> str:
    """Give an account a random password for its next sign-in, and return it."""
    password = random_password(account.username)
    account.password_hash = digest_one_time_password(password)
    account.must_change_password = True
    account.password_expires_at = now + rules.ONE_TIME_PASSWORD_LIFETIME
    account.lockout = rules.Lockout()
    return password


def facts_of(account: StaffAccount) -> Facts:
    return {
        "display_name": account.display_name,
        "role": account.role,
        "organization_code": account.organization.code,
    }


def _check_new_account(username: str, display_name: str, password: str | None) -> None:
    """Raise Invalid that names everything wrong with a new account."""
    errors = {} if password is None else {"password": _password_errors(password, username)}
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


def change_password(session: Session, *, proof: Proof, new_password: str) -> None:
    """Replace one's own password; every session of the account ends.

    Raises Invalid for a weak one, and for the present one: that of a printed slip would open for ever.
    """
    account = proven_account(session, proof)
    _refuse({"new_password": _password_errors(new_password, account.username)})
    if is_right(account.password_hash, new_password):
        raise Invalid(errors={"new_password": [text("staff.password_unchanged")]})
    account.password_hash = hash_password(new_password)
    account.must_change_password = False
    account.password_expires_at = None
    account.lockout = rules.Lockout()
    close_all_sessions(session, account)
    record_act(session, "password.change", account)
