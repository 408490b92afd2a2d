"""Reads of staff accounts."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager

from survey_service.core.errors import NotFound
from survey_service.organizations.queries import is_within
from survey_service.staff.models import StaffAccount

PAGE_SIZE = 100


def get_account(session: Session, *, staff_id: int) -> StaffAccount:
    """Return an account with its organization; raises NotFound."""
    account = session.get(StaffAccount, staff_id)
    if account is None:
        raise NotFound
    return account


def path_of_account(session: Session, *, staff_id: int) -> str:
    """Return the path of the organization that an account belongs to; raises NotFound."""
    return get_account(session, staff_id=staff_id).organization.path


def list_accounts(
    session: Session, *, within_path: str, after: int = 0, limit: int = PAGE_SIZE
) -> Sequence[StaffAccount]:
    """Return the accounts inside a sub-tree, oldest first, with their organizations."""
    return session.scalars(
        select(StaffAccount)
        .join(StaffAccount.organization)
        .options(contains_eager(StaffAccount.organization))
        .where(is_within(within_path), StaffAccount.id > after)
        .order_by(StaffAccount.id)
        .limit(limit)
    ).all()
