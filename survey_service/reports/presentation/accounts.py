"""Accounts as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from survey_service.core.clock import local_text
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.reports.presentation.forms import Choice, FormView, choices
from survey_service.reports.presentation.frame import ACCOUNTS_URL, Link
from survey_service.staff.models import StaffAccount
from survey_service.staff.queries import PAGE_SIZE, AccountCounts
from survey_service.staff.rules import AccountState, Role, may_create
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
    organization_url: str
    state: str
    is_urgent: bool


@dataclass(frozen=True)
class AccountSearch:
    """What the list is narrowed to, as it stands in the address."""

    words: str = ""
    organization: str = ""
    state: str = ""

    def url(self, **changes: str) -> str:
        values = {"words": self.words, "organization": self.organization, "state": self.state} | changes
        kept = {name: value for name, value in values.items() if value}
        return f"{ACCOUNTS_URL}?{urlencode(kept)}" if kept else ACCOUNTS_URL

    @property
    def is_narrow(self) -> bool:
        return bool(self.words or self.organization or self.state)


@dataclass(frozen=True)
class AccountsPage:
    rows: Sequence[AccountRow]
    next_url: str
    search: AccountSearch
    organizations: Sequence[Choice]
    states: Sequence[Choice]
    summary: Sequence[Link]
    """How many accounts there are, and which of them want something, each leading to its list."""


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


def accounts_page(
    accounts: Sequence[StaffAccount],
    *,
    search: AccountSearch,
    counts: AccountCounts,
    places: Sequence[Organization],
    now: datetime,
) -> AccountsPage:
    is_full = len(accounts) == PAGE_SIZE
    organizations = [Choice(one.code, one.name) for one in places]
    if search.organization and search.organization not in {one.value for one in organizations}:
        organizations.append(Choice(search.organization, search.organization))
    return AccountsPage(
        rows=[_managed_row(account, search, now) for account in accounts],
        next_url=search.url(cursor=str(accounts[-1].id)) if is_full else "",
        search=search,
        organizations=[Choice("", text("staff_pages.all_organizations")), *organizations],
        states=[
            Choice("", text("staff_pages.all_states")),
            *choices(AccountState, "staff_pages.accounts_"),
        ],
        summary=_summary(counts, search),
    )


def _summary(counts: AccountCounts, search: AccountSearch) -> list[Link]:
    numbers = {
        "": counts.active,
        AccountState.NEVER_SIGNED_IN: counts.never_signed_in,
        AccountState.AWAITING_APPROVAL: counts.awaiting_approval,
    }
    return [
        Link(
            text(f"staff_pages.count_{state or 'active'}", count=number),
            AccountSearch(state=state).url(),
            state == search.state,
        )
        for state, number in numbers.items()
        if number or not state
    ]


def _named_row(account: StaffAccount) -> NamedAccount:
    return NamedAccount(
        name=account.display_name,
        username=account.username,
        role=text(f"staff.role_{account.role}"),
        organization=account.organization.name,
    )


def _managed_row(account: StaffAccount, search: AccountSearch, now: datetime) -> AccountRow:
    state = _state(account, now)
    return AccountRow(
        id=account.id,
        username=account.username,
        name=account.display_name,
        role=text(f"staff.role_{account.role}"),
        organization=account.organization.name,
        organization_url=search.url(organization=account.organization.code),
        state=text(f"staff_pages.account_{state}"),
        is_urgent=state in _URGENT,
    )


_URGENT = frozenset({"waiting", "locked", "expired"})


def _state(account: StaffAccount, now: datetime) -> str:
    if account.is_disabled:
        return "disabled"
    if not account.is_approved:
        return "waiting"
    if account.lockout.minutes_left(now):
        return "locked"
    if account.password_expires_at is not None and account.password_expires_at <= now:
        return "expired"
    if account.must_change_password:
        return "new" if account.has_signed_in else "never"
    return "ready"


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
    return SlipsPage(title, [_named_row(one.account) for one in made], slips)
