"""The staff of the demonstration, with passwords that are shown once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.db import unit_of_work
from survey_service.organizations.models import Organization
from survey_service.staff.management import reset_password
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role
from survey_service.staff.service import create_account


@dataclass(frozen=True)
class Account:
    username: str
    password: str
    name: str
    role: str


def create_accounts(villages: Sequence[Organization], texts: dict[str, Any], now: datetime) -> list[Account]:
    """Make accounts for county, town, auditor and the secretary of each village."""
    wanted = [
        ("county", texts["county_account"], Role.COUNTY_ADMIN, texts["county"]),
        ("town", texts["town_account"], Role.TOWN_STAFF, texts["town"]),
        ("auditor", texts["auditor_account"], Role.AUDITOR, texts["county"]),
    ]
    for number, village in enumerate(villages, start=1):
        name = texts["secretary_account"].format(name=village.name)
        wanted.append((f"village{number:02}", name, Role.BRANCH_SECRETARY, village.code))
    with unit_of_work() as session:
        return [_create_account(session, *one, now) for one in wanted]


def _create_account(
    session: Session, username: str, name: str, role: Role, organization_code: str, now: datetime
) -> Account:
    created = create_account(
        session,
        username=username,
        display_name=name,
        role=role,
        organization_code=organization_code,
        now=now,
    )
    _let_look_around(created.account)
    assert created.password is not None
    return Account(username, created.password, name, role)


def _let_look_around(account: StaffAccount) -> None:
    """Spare a demonstration's people the change of their first password."""
    account.must_change_password, account.password_expires_at = False, None


def renew_passwords(now: datetime) -> list[Account]:
    """Give everybody who is there a new password, so that it can be shown."""
    with unit_of_work() as session:
        accounts = session.scalars(select(StaffAccount).order_by(StaffAccount.id)).all()
        return [_renew_password(session, account, now) for account in accounts]


def _renew_password(session: Session, account: StaffAccount, now: datetime) -> Account:
    renewed = reset_password(session, staff_id=account.id, by=None, now=now)
    _let_look_around(account)
    assert renewed.password is not None
    return Account(account.username, renewed.password, account.display_name, account.role)
