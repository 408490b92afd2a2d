"""Reads of staff accounts."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Exists, exists, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, contains_eager

from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.staff.models import SecondFactor, StaffAccount, StaffToken
from survey_service.staff.rules import AccountState, Role, normalize_username

PAGE_SIZE = 100
_MOST_VALUES = 500
"""Values in one IN list; engines set limits from about 1,000 upwards."""


def get_account(session: Session, *, staff_id: int) -> StaffAccount:
    """Return an account with its organization; raises NotFound."""
    account = session.get(StaffAccount, staff_id)
    if account is None:
        raise NotFound
    return account


def hold_account(session: Session, *, staff_id: int) -> StaffAccount:
    """Return an account and hold its row, so that acts on it take turns; raises NotFound."""
    statement = select(StaffAccount).where(StaffAccount.id == staff_id).with_for_update(of=StaffAccount)
    account = session.scalar(statement.execution_options(populate_existing=True))
    if account is None:
        raise NotFound
    return account


def find_account(session: Session, *, username: str) -> StaffAccount:
    """Return the account with a user name, however it is written; raises NotFound."""
    account = session.scalar(
        select(StaffAccount).where(StaffAccount.username == normalize_username(username))
    )
    if account is None:
        raise NotFound
    return account


def path_of_account(session: Session, *, staff_id: int) -> str:
    """Return the path of the organization that an account belongs to; raises NotFound."""
    return get_account(session, staff_id=staff_id).organization.path


def has_second_factor() -> ColumnElement[bool]:
    """Return the condition that an account's second factor is in use."""
    return exists().where(SecondFactor.staff_id == StaffAccount.id, SecondFactor.confirmed_at.is_not(None))


def is_separated() -> ColumnElement[bool]:
    """Return the condition that administrators are separated where an account works.

    An active administrator of security stands at its organization or above it.
    """
    own = aliased(Organization)
    return _guard_above(own.path).where(own.id == StaffAccount.organization_id).correlate(StaffAccount)


def is_separated_at(session: Session, *, path: str) -> bool:
    """Tell whether administrators are separated at an organization."""
    return session.scalar(select(_guard_above(literal(path)))) or False


def _guard_above(path: ColumnElement[str] | InstrumentedAttribute[str]) -> Exists:
    guard, place = aliased(StaffAccount), aliased(Organization)
    return exists().where(
        guard.organization_id == place.id,
        guard.role == Role.SECURITY_ADMIN,
        guard.disabled_at.is_(None),
        guard.approved_at.is_not(None),
        func.substr(path, 1, func.length(place.path)) == place.path,
    )


@dataclass(frozen=True, kw_only=True)
class AccountFilter:
    """What a list of accounts is narrowed to; empty means everything inside the sub-tree."""

    words: str = ""
    """A part of a name, a user name or an organization's name."""
    path: str = ""
    """The sub-tree of an organization inside one's own."""
    state: AccountState | None = None
    now: datetime | None = None
    """The moment at which somebody is locked."""

    def conditions(self) -> list[ColumnElement[bool]]:
        found = [is_within(self.path)] if self.path else []
        if self.words:
            columns = (StaffAccount.display_name, StaffAccount.username, Organization.name)
            found.append(or_(*(column.icontains(self.words, autoescape=True) for column in columns)))
        if self.state is AccountState.DISABLED:
            return [*found, StaffAccount.disabled_at.is_not(None)]
        if self.state is None:
            return found
        states = {
            AccountState.NEVER_SIGNED_IN: StaffAccount.last_signed_in_at.is_(None),
            AccountState.AWAITING_APPROVAL: StaffAccount.approved_at.is_(None),
            AccountState.LOCKED: StaffAccount.locked_until > self.now,
        }
        return [*found, states[self.state], StaffAccount.disabled_at.is_(None)]


EVERYBODY = AccountFilter()


def list_accounts(
    session: Session,
    *,
    within_path: str,
    after: int = 0,
    limit: int = PAGE_SIZE,
    narrowed: AccountFilter = EVERYBODY,
) -> Sequence[StaffAccount]:
    """Return the accounts inside a sub-tree, oldest first, with their organizations."""
    return session.scalars(
        select(StaffAccount)
        .join(StaffAccount.organization)
        .options(contains_eager(StaffAccount.organization))
        .where(is_within(within_path), StaffAccount.id > after, *narrowed.conditions())
        .order_by(StaffAccount.id)
        .limit(limit)
    ).all()


@dataclass(frozen=True)
class AccountCounts:
    """How many accounts of a sub-tree are open, were never used, or wait for approval."""

    active: int
    never_signed_in: int
    awaiting_approval: int


def count_accounts(session: Session, *, within_path: str) -> AccountCounts:
    """Count the open accounts inside a sub-tree."""
    row = session.execute(
        select(
            func.count(),
            func.count().filter(StaffAccount.last_signed_in_at.is_(None)),
            func.count().filter(StaffAccount.approved_at.is_(None)),
        )
        .select_from(StaffAccount)
        .join(Organization, Organization.id == StaffAccount.organization_id)
        .where(is_within(within_path), StaffAccount.disabled_at.is_(None))
    ).one()
    return AccountCounts(*row)


def list_sessions(session: Session, *, staff_id: int, now: datetime) -> Sequence[StaffToken]:
    """Return the tokens of an account that have not ended by age, the one used last first."""
    return session.scalars(
        select(StaffToken)
        .where(StaffToken.staff_id == staff_id, StaffToken.expires_at > now)
        .order_by(StaffToken.last_used_at.desc())
    ).all()


def is_second_factor_on(session: Session, *, staff_id: int) -> bool:
    """Tell whether an account's second factor is in use."""
    factor = session.get(SecondFactor, staff_id)
    return factor is not None and factor.confirmed_at is not None


def taken_usernames(session: Session, usernames: Sequence[str]) -> set[str]:
    """Return which of some user names are taken."""
    found: set[str] = set()
    for start in range(0, len(usernames), _MOST_VALUES):
        some = usernames[start : start + _MOST_VALUES]
        found |= set(session.scalars(select(StaffAccount.username).where(StaffAccount.username.in_(some))))
    return found


def active_people(session: Session, *, organization_ids: Sequence[int]) -> set[tuple[str, Role, int]]:
    """Return name, role and organization of the open accounts of some organizations."""
    columns = (StaffAccount.display_name, StaffAccount.role, StaffAccount.organization_id)
    found: set[tuple[str, Role, int]] = set()
    for start in range(0, len(organization_ids), _MOST_VALUES):
        some = organization_ids[start : start + _MOST_VALUES]
        statement = select(*columns).where(
            StaffAccount.organization_id.in_(some), StaffAccount.disabled_at.is_(None)
        )
        found |= {(name, role, place) for name, role, place in session.execute(statement)}
    return found


def organizations_by_id(session: Session, ids: Collection[int]) -> dict[int, Organization]:
    """Return organizations by their ids."""
    wanted = sorted(ids)
    found: dict[int, Organization] = {}
    for start in range(0, len(wanted), _MOST_VALUES):
        statement = select(Organization).where(Organization.id.in_(wanted[start : start + _MOST_VALUES]))
        found |= {one.id: one for one in session.scalars(statement)}
    return found
