"""The chain as tests read it, and as somebody changes it who owns the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from survey_service.auditing.queries import list_entries
from survey_service.auditing.rules import GENESIS, Entry, follow
from survey_service.auditing.service import append_acts
from survey_service.core.audit import Act
from survey_service.core.db import Database, is_sqlite

NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)
GUARDS = ("audit_entry_update", "audit_entry_delete", "audit_entry_insert")


def make_chain(length: int) -> list[Entry]:
    """Return a whole chain without a database."""
    chain: list[Entry] = []
    for number in range(1, length + 1):
        head = chain[-1].head if chain else GENESIS
        facts: dict[str, Any] = {"number": number}
        chain.append(follow(head, at=NOW, actor="town", action="a.b", target="c:1", after=facts))
    return chain


def append(database: Database, *names: str) -> None:
    """Append one act for each target, each in a unit of work of its own."""
    for name in names:
        with database.unit_of_work() as session:
            append_acts(session, acts=[Act("town", "a.b", name, after={"name": name})], now=NOW)


def read_chain(database: Database) -> list[Entry]:
    with database.reading() as session:
        return list_entries(session, within_path="/", limit=100_000)


def tamper(database: Database, *statements: str) -> None:
    """Take the guards away, and change what they guarded."""
    with database.unit_of_work() as session:
        for statement in (*_lifting(session), *statements):
            session.execute(text(statement))


def _lifting(session: Session) -> Sequence[str]:
    if is_sqlite(session):
        return [f"DROP TRIGGER {name}" for name in GUARDS]
    return ["ALTER TABLE audit_entry DISABLE TRIGGER USER"]
