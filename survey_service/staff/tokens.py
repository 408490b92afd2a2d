"""The life of a token after it was given: what it opens, its use, its lock, its end."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.staff import queries, rules
from survey_service.staff.models import StaffAccount, StaffToken
from survey_service.staff.queries import get_account
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Proof, close_all_sessions, proven_account, record_act, token_digest


def close_session(session: Session, *, token: str) -> None:
    """Delete a token; it opens nothing any more."""
    session.execute(delete(StaffToken).where(StaffToken.digest == token_digest(token)))


def close_own_sessions(session: Session, *, staff_id: int) -> None:
    """End every session of somebody who wants it so."""
    account = get_account(session, staff_id=staff_id)
    close_all_sessions(session, account)
    record_act(session, "session.end_all", account)


@dataclass(frozen=True)
class LiveToken:
    """A token that opens something, for whom, and whether its use should be written down."""

    identity: Identity
    is_touch_due: bool
    has_second_factor: bool
    is_locked: bool


def authenticate_token(session: Session, *, token: str, kind: TokenKind, now: datetime) -> LiveToken | None:
    """Return whom a token stands for, or None when it is unknown, ended, idle or of another kind.

    Only reads. Role and scope are those of this moment, so that changing them works at once.
    """
    row = session.execute(
        select(StaffToken, StaffAccount, queries.has_second_factor(), queries.is_separated())
        .join(StaffAccount, StaffAccount.id == StaffToken.staff_id)
        .where(StaffToken.digest == token_digest(token), StaffToken.kind == kind)
        .where(StaffAccount.disabled_at.is_(None))
    ).one_or_none()
    if row is None:
        return None
    found, account, has_second_factor, is_separated = row
    if not rules.is_alive(kind, last_used_at=found.last_used_at, expires_at=found.expires_at, now=now):
        return None
    is_touch_due = rules.is_touch_due(found.last_used_at, now)
    identity = _identity_of(account, is_separated=is_separated)
    return LiveToken(identity, is_touch_due, has_second_factor, is_locked=found.locked_at is not None)


def _identity_of(account: StaffAccount, *, is_separated: bool) -> Identity:
    return Identity(
        id=account.id,
        name=account.display_name,
        role=account.role,
        organization_id=account.organization_id,
        path=account.organization.path,
        username=account.username,
        withheld=rules.withheld_permissions(account.role, is_separated=is_separated),
    )


def touch_token(session: Session, *, token: str, now: datetime) -> None:
    """Write down that a token was used."""
    is_this = StaffToken.digest == token_digest(token)
    session.execute(update(StaffToken).where(is_this).values(last_used_at=now))


def lock_session(session: Session, *, token: str, now: datetime) -> None:
    """Let a token open nothing until its owner has proved his password again."""
    is_this = StaffToken.digest == token_digest(token)
    session.execute(update(StaffToken).where(is_this).values(locked_at=now))


def unlock_session(session: Session, *, proof: Proof, token: str) -> None:
    """Let a token open what it opened before; its owner has just proved his password."""
    account = proven_account(session, proof)
    account.lockout = rules.Lockout()
    is_this = (StaffToken.digest == token_digest(token)) & (StaffToken.staff_id == account.id)
    session.execute(update(StaffToken).where(is_this).values(locked_at=None))
    record_act(session, "session.unlock", account)
