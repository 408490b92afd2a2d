"""Reads of the chain; each is paged or streamed."""

import json
from collections.abc import Generator
from typing import Any

from sqlalchemy import Row, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session

from survey_service.auditing.models import THE_ONE, AuditDelivery, AuditEntry, AuditHead
from survey_service.auditing.rules import Entry, Facts, Head
from survey_service.core.audit import AUTHOR, AUTHORS_TARGET, STRANGER
from survey_service.core.canonical import canonical_json
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import ACCOUNT_TARGET

PAGE_SIZE = 100
_ROWS_AT_ONCE = 500

_COLUMNS = tuple(AuditEntry.__table__.columns)
_Row = Row[*tuple[Any, ...]]


def list_entries(
    session: Session, *, within_path: str, after: int = 0, limit: int = PAGE_SIZE
) -> list[Entry]:
    """Return the entries that concern a sub-tree, oldest first."""
    statement = _concerning(within_path).where(AuditEntry.seq > after).order_by(AuditEntry.seq)
    return [_entry(row) for row in session.execute(statement.limit(limit))]


def list_latest(session: Session, *, within_path: str, before: int, limit: int = PAGE_SIZE) -> list[Entry]:
    """Return the entries that concern a sub-tree and stand before one of the chain, newest first."""
    statement = _concerning(within_path).where(AuditEntry.seq < before).order_by(AuditEntry.seq.desc())
    return [_entry(row) for row in session.execute(statement.limit(limit))]


def _concerning(path: str) -> Select[*tuple[Any, ...]]:
    """Leave out what people of other sub-trees did, and who failed to sign in as one of them.

    What the operator did concerns everybody. For an auditor of the whole tree nothing is left out; he alone
    reads what authors of opinions did, since a case may be a secret to those of its place.
    """
    root_code = func.substr(AuditEntry.target, len(AUTHORS_TARGET) + 1)
    is_of_tree = exists().where(Organization.code == root_code, is_within(path))
    claimed = func.substr(AuditEntry.target, len(ACCOUNT_TARGET) + 1)
    username = case((AuditEntry.actor == STRANGER, claimed), else_=AuditEntry.actor)
    is_of_others = exists().where(
        StaffAccount.username == username,
        StaffAccount.organization_id == Organization.id,
        ~is_within(path),
    )
    return select(*_COLUMNS).where(~is_of_others, or_(AuditEntry.actor != AUTHOR, is_of_tree))


def stream_entries(session: Session) -> Generator[Entry]:
    """Yield the whole chain a few hundred entries at a time; whoever stops early has to close it."""
    statement = select(*_COLUMNS).order_by(AuditEntry.seq)
    with session.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}) as rows:
        for row in rows:
            yield _entry(row)


def _entry(row: _Row) -> Entry:
    values = row._asdict()
    return Entry(**values | {name: _facts(values[name]) for name in ("before", "after")})


def _facts(stored: str | None) -> Facts | None:
    """Return the facts as they were hashed; a text that we would not have written comes as no such facts."""
    if stored is None:
        return None
    try:
        facts: Facts = json.loads(stored)
    except ValueError:
        return {"unreadable": stored}
    return facts if canonical_json(facts) == stored else {"unreadable": stored}


_HEAD = select(AuditHead.seq, AuditHead.digest).where(AuditHead.id == THE_ONE)


def get_head(session: Session) -> Head:
    """Return the end of the chain."""
    return Head(*session.execute(_HEAD).one())


def find_head(session: Session) -> Head | None:
    """Return the same, or None where somebody has taken it away."""
    row = session.execute(_HEAD).one_or_none()
    return Head(*row) if row else None


def lock_head(session: Session) -> Head:
    """Return the end of the chain and hold it until the commit: nobody else can append meanwhile."""
    return Head(*session.connection().execute(_HEAD.with_for_update()).one())


def get_delivery(session: Session) -> AuditDelivery:
    """Return when the head was last sent out."""
    return session.get_one(AuditDelivery, THE_ONE)


def lock_delivery(session: Session) -> AuditDelivery | None:
    """Return the same and hold it, or None while somebody else is about to send."""
    statement = select(AuditDelivery).with_for_update(skip_locked=True)
    return session.scalar(statement, execution_options={"populate_existing": True})
