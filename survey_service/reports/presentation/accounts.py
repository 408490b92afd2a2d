"""Accounts as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.core.clock import local_text
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.reports.presentation.forms import Choice, FormView, choices
from survey_service.staff.models import StaffAccount
from survey_service.staff.queries import PAGE_SIZE
from survey_service.staff.rules import Role, is_allowed, may_create, may_manage
from survey_service.staff.service import NewPassword

FIELDS = ("username", "display_name", "role", "organization_code")


@dataclass(frozen=True)
class NamedAccount:
    name: str
    username: str
    role: str
    organization: str


@dataclass(frozen=True)
class AccountRow:
    id: int
    username: str
    name: str
    role: str
    organization: str
    state: str
    may_reset: bool


@dataclass(frozen=True)
class AccountsPage:
    rows: Sequence[AccountRow]
    next_url: str


@dataclass(frozen=True)
class AccountFormPage:
    form: FormView
    roles: Sequence[Choice]
    organizations: Sequence[Choice]


@dataclass(frozen=True)
class PasswordPage:
    """A random password, shown this once; `slips` prints it on paper."""

    username: str
    name: str
    password: str
    until: str
    slips: str
    is_approved: bool


@dataclass(frozen=True)
class SlipsPage:
    """New accounts whose passwords stand on slips only."""

    title: str
    rows: Sequence[NamedAccount]
    slips: str


def accounts_page(accounts: Sequence[StaffAccount], *, reader: Identity, now: datetime) -> AccountsPage:
    following = f"/staff/accounts?cursor={accounts[-1].id}" if len(accounts) == PAGE_SIZE else ""
    return AccountsPage([_managed_row(account, reader, now) for account in accounts], following)


def _row(account: StaffAccount) -> NamedAccount:
    return NamedAccount(
        name=account.display_name,
        username=account.username,
        role=text(f"staff.role_{account.role}"),
        organization=account.organization.name,
    )


def _managed_row(account: StaffAccount, reader: Identity, now: datetime) -> AccountRow:
    may_reset = is_allowed(reader.role, "staff.reset") and may_manage(Role(reader.role), account.role)
    return AccountRow(
        id=account.id,
        username=account.username,
        name=account.display_name,
        role=text(f"staff.role_{account.role}"),
        organization=account.organization.name,
        state=text(f"staff_pages.account_{_state(account, now)}"),
        may_reset=may_reset and not account.is_disabled,
    )


def _state(account: StaffAccount, now: datetime) -> str:
    if account.is_disabled:
        return "disabled"
    if account.lockout.minutes_left(now):
        return "locked"
    return "new" if account.must_change_password else "ready"


def account_form_page(
    form: FormView, organizations: Sequence[Organization], *, reader: Identity
) -> AccountFormPage:
    roles = [role for role in Role if may_create(Role(reader.role), role)]
    places = [Choice(one.code, one.name) for one in organizations]
    return AccountFormPage(form, choices(roles, "staff.role_"), places)


def password_page(made: NewPassword, *, slips: str) -> PasswordPage:
    account = made.account
    assert account.password_expires_at is not None
    return PasswordPage(
        username=account.username,
        name=account.display_name,
        password=made.password or "",
        until=local_text(account.password_expires_at),
        slips=slips,
        is_approved=account.is_approved,
    )


def slips_page(made: Sequence[NewPassword], *, slips: str) -> SlipsPage:
    title = text("staff_pages.accounts_made", count=len(made))
    return SlipsPage(title, [_row(one.account) for one in made], slips)
