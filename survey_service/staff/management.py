"""Acts on accounts by those above them: new passwords, hand-over, approval, and what is taken away."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from survey_service.core.errors import Conflict, Forbidden
from survey_service.core.permissions import Identity
from survey_service.staff import rules
from survey_service.staff.bindings import forget_bindings
from survey_service.staff.importing import free_username
from survey_service.staff.models import RecoveryCode, SecondFactor, StaffAccount
from survey_service.staff.queries import hold_account
from survey_service.staff.rules import Role
from survey_service.staff.service import (
    NewPassword,
    add_account,
    approval,
    close_all_sessions,
    record_act,
    set_one_time_password,
)


def reset_password(session: Session, *, staff_id: int, by: Identity | None, now: datetime) -> NewPassword:
    """Give an account below one's own level a random password; its sessions and its lockout end.

    Without `by` it is the operator at the command line, who may do anything.
    """
    account = managed_account(session, staff_id, by)
    password = give_password(session, account, by=by, now=now)
    record_act(session, "staff.reset", account)
    return NewPassword(account, password)


def give_password(session: Session, account: StaffAccount, *, by: Identity | None, now: datetime) -> str:
    """Give an account a one-time password, to be approved where administrators are separated."""
    account.approved_at = approval(session, account.organization.path, by=by, now=now)
    close_all_sessions(session, account)
    forget_bindings(session, account)
    return set_one_time_password(account, now=now)


def disable_account(session: Session, *, staff_id: int, by: Identity | None, now: datetime) -> StaffAccount:
    """Shut an account below one's own level; its sessions end at once."""
    account = managed_account(session, staff_id, by)
    before = {"is_disabled": account.is_disabled}
    shut_account(session, account, now=now)
    record_act(session, "staff.disable", account, before=before, after={"is_disabled": True})
    return account


def shut_account(session: Session, account: StaffAccount, *, now: datetime) -> None:
    account.disabled_at = account.disabled_at or now
    close_all_sessions(session, account)
    forget_bindings(session, account)


def managed_account(session: Session, staff_id: int, by: Identity | None) -> StaffAccount:
    """Return, and hold, an account that somebody manages; raises NotFound, Forbidden above or beside him."""
    account = hold_account(session, staff_id=staff_id)
    if by is None:
        return account
    by.require(account.organization.path)
    if not rules.may_manage(Role(by.role), account.role):
        raise Forbidden
    return account


def hand_over(
    session: Session, *, staff_id: int, display_name: str, by: Identity, now: datetime, username: str = ""
) -> NewPassword:
    """Shut the account of somebody who leaves, and open one for his successor in the same place.

    A user name is made where none is given. Raises Conflict `wrong_state` for an account that is shut
    already, and Invalid or Conflict for the successor's names.
    """
    old = managed_account(session, staff_id, by)
    if old.is_disabled:
        raise Conflict("wrong_state")
    shut_account(session, old, now=now)
    made = add_account(
        session,
        username=username or free_username(session, old.organization.code, set()),
        display_name=display_name,
        role=old.role,
        organization=old.organization,
        approved_at=approval(session, old.organization.path, by=by, now=now),
        now=now,
    )
    before = {"username": old.username, "display_name": old.display_name}
    after = {"username": made.account.username, "display_name": made.account.display_name}
    record_act(session, "staff.hand_over", old, before=before, after=after)
    return made


def enable_account(session: Session, *, staff_id: int, by: Identity, now: datetime) -> NewPassword:
    """Open a shut account again, with a new one-time password; raises Conflict `wrong_state`."""
    account = managed_account(session, staff_id, by)
    if not account.is_disabled:
        raise Conflict("wrong_state")
    account.disabled_at = None
    password = give_password(session, account, by=by, now=now)
    record_act(session, "staff.enable", account, before={"is_disabled": True}, after={"is_disabled": False})
    return NewPassword(account, password)


def approve_account(session: Session, *, staff_id: int, by: Identity, now: datetime) -> StaffAccount:
    """Let an account, or its new password, take effect; raises Conflict `wrong_state`."""
    account = managed_account(session, staff_id, by)
    if account.is_approved or account.is_disabled:
        raise Conflict("wrong_state")
    account.approved_at = now
    facts = {"role": account.role, "organization_code": account.organization.code}
    record_act(session, "staff.approve", account, after=facts)
    return account


def unlock_account(session: Session, *, staff_id: int, by: Identity) -> StaffAccount:
    """End a lockout before its time; the password stays."""
    account = managed_account(session, staff_id, by)
    account.lockout = rules.Lockout()
    record_act(session, "staff.unlock", account)
    return account


def end_sessions(session: Session, *, staff_id: int, by: Identity) -> StaffAccount:
    """End every session of an account; it may sign in again."""
    account = managed_account(session, staff_id, by)
    close_all_sessions(session, account)
    record_act(session, "staff.end_sessions", account)
    return account


def remove_second_factor(session: Session, *, staff_id: int, by: Identity) -> StaffAccount:
    """Take the second factor off an account whose phone was lost; its sessions end.

    The password is still needed, which the one who removes the factor does not know.
    """
    account = managed_account(session, staff_id, by)
    for table in (RecoveryCode, SecondFactor):
        session.execute(delete(table).where(table.staff_id == account.id))
    close_all_sessions(session, account)
    record_act(session, "staff.remove_second_factor", account)
    return account
