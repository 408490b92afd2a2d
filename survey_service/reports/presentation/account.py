"""One account as its page shows it: what it is, where it is signed in, and what may be done to it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.core.clock import local_text
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.reports.presentation.frame import ACCOUNTS_URL
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role, TokenKind, is_allowed, may_manage


@dataclass(frozen=True)
class SessionRow:
    """Where somebody is signed in, in words."""

    client: str
    since: str
    last_used: str
    is_current: bool


@dataclass(frozen=True)
class AccountAct:
    """One thing that the reader may do to an account."""

    label: str
    explained: str
    url: str
    is_danger: bool


@dataclass(frozen=True)
class AccountPage:
    name: str
    facts: Sequence[tuple[str, str]]
    acts: Sequence[AccountAct]
    hand_over_url: str
    stations_url: str
    """Empty where the reader may not hand the account over."""
    sessions: Sequence[SessionRow] | None
    """None where they are none of the reader's business."""


def client_words(kind: TokenKind, client: str) -> str:
    """Write the coarse word for a device as people say it."""
    if kind is TokenKind.BEARER:
        return text("staff_pages.client_bearer")
    program, _, system = (client or "other.other").partition(".")
    return text(
        "staff_pages.client",
        program=text(f"staff_pages.client_{program}"),
        system=text(f"staff_pages.system_{system}"),
    )


def session_row(
    kind: TokenKind, client: str, *, since: datetime, last_used: datetime, is_current: bool = False
) -> SessionRow:
    return SessionRow(client_words(kind, client), local_text(since), local_text(last_used), is_current)


_Condition = Callable[["AccountFacts"], bool]


@dataclass(frozen=True)
class AccountFacts:
    """What decides which acts make sense."""

    account: StaffAccount
    is_locked: bool
    has_sessions: bool
    has_second_factor: bool


_ACTS: Mapping[str, _Condition] = {
    "approve": lambda one: not one.account.is_approved and not one.account.is_disabled,
    "unlock": lambda one: one.is_locked,
    "reset": lambda one: not one.account.is_disabled,
    "enable": lambda one: one.account.is_disabled,
    "end_sessions": lambda one: one.has_sessions,
    "remove_second_factor": lambda one: one.has_second_factor,
    "disable": lambda one: not one.account.is_disabled,
}
"""Acts by the last word of their permission, and when they make sense."""
_DANGEROUS = frozenset({"disable", "remove_second_factor"})


def account_page(facts: AccountFacts, *, reader: Identity, sessions: Iterable[SessionRow]) -> AccountPage:
    account = facts.account
    is_managed = may_manage(Role(reader.role), account.role)
    acts = [name for name, makes_sense in _ACTS.items() if makes_sense(facts)]
    may_hand_over = is_managed and not account.is_disabled and _may(reader, "hand_over")
    return AccountPage(
        name=account.display_name,
        facts=_facts(facts),
        acts=[_act(account, name) for name in acts if is_managed and _may(reader, name)],
        hand_over_url=f"{ACCOUNTS_URL}/{account.id}/hand-over" if may_hand_over else "",
        stations_url=f"{ACCOUNTS_URL}/{account.id}/stations"
        if is_managed and _may_station(facts, reader)
        else "",
        sessions=list(sessions) if is_managed and _may(reader, "end_sessions") else None,
    )


def _may_station(facts: "AccountFacts", reader: Identity) -> bool:
    """Tell whether the reader says where somebody is stationed: of those who assist visits at all."""
    assists = is_allowed(facts.account.role, "visits.assist") and not facts.account.is_disabled
    return assists and is_allowed(reader.role, "visits.station")


def _may(reader: Identity, act: str) -> bool:
    permission = f"staff.{act}"
    return permission not in reader.withheld and is_allowed(reader.role, permission)


def _act(account: StaffAccount, name: str) -> AccountAct:
    return AccountAct(
        label=text(f"staff_pages.act_{name}"),
        explained=text(f"staff_pages.act_{name}_explained"),
        url=f"{ACCOUNTS_URL}/{account.id}/{name.replace('_', '-')}",
        is_danger=name in _DANGEROUS,
    )


def _facts(facts: AccountFacts) -> list[tuple[str, str]]:
    account = facts.account
    last = account.last_signed_in_at
    rows = {
        "username": account.username,
        "role": text(f"staff.role_{account.role}"),
        "organization": account.organization.name,
        "account_created": local_text(account.created_at),
        "account_last_signed_in": local_text(last) if last else text("staff_pages.never"),
        "second_factor": text(f"staff_pages.{'on' if facts.has_second_factor else 'off'}"),
    }
    if account.password_expires_at is not None:
        rows["password_until"] = local_text(account.password_expires_at)
    return [(text(f"staff_pages.{name}"), value) for name, value in rows.items()]
