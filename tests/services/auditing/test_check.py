"""The check finds what somebody did who owns the database, and needs little memory for it."""

import tracemalloc

import pytest
from sqlalchemy import insert, update

from survey_service.auditing.models import AuditEntry, AuditHead
from survey_service.auditing.rules import BadEntry, Entry, Fault, Head, follow
from survey_service.auditing.service import _row, check_chain
from survey_service.core.db import Database
from tests.factories.auditing.chain import NOW, append, read_chain, tamper

MOST_BYTES = 8 * 1024 * 1024


def check(database: Database, *known: Head) -> BadEntry | Head:
    with database.reading() as session:
        return check_chain(session, known_heads=known)


@pytest.fixture
def chain(database: Database) -> list[Entry]:
    """Return a chain of five entries as it was before anybody touched it."""
    append(database, *"abcde")
    return read_chain(database)


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'other'",
        "at = '2026-11-21T01:00:00.000001+00:00'",
        "before = '{}'",
        'after = \'{"name":"x"}\'',
        'after = \'{"name": "c"}\'',
        "after = 'no JSON'",
        "after = NULL",
    ],
)
def test_an_altered_entry_is_named(database: Database, chain: list[Entry], change: str) -> None:
    tamper(database, f"UPDATE audit_entry SET {change} WHERE seq = 3")
    assert check(database) == BadEntry(3, Fault.ALTERED)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_removed_entry_is_named(database: Database, chain: list[Entry], number: int) -> None:
    tamper(database, f"DELETE FROM audit_entry WHERE seq = {number}")
    assert check(database) == BadEntry(number, Fault.MISSING)


def test_reordered_entries_are_named(database: Database, chain: list[Entry]) -> None:
    tamper(
        database,
        "UPDATE audit_entry SET seq = -3 WHERE seq = 3",
        "UPDATE audit_entry SET seq = 3 WHERE seq = 4",
        "UPDATE audit_entry SET seq = 4 WHERE seq = -3",
    )
    assert check(database) == BadEntry(3, Fault.UNLINKED)


def cut(database: Database, chain: list[Entry], length: int) -> None:
    """Remove the tail as a careful forger does, who also sets the head back."""
    digest = chain[length - 1].digest
    tamper(
        database,
        f"DELETE FROM audit_entry WHERE seq > {length}",
        f"UPDATE audit_head SET seq = {length}, digest = '{digest}'",
    )


def test_a_tail_that_was_cut_is_missed_by_a_known_head(database: Database, chain: list[Entry]) -> None:
    cut(database, chain, 3)
    assert check(database) == chain[2].head, "without a known head nobody can tell"
    assert check(database, chain[1].head, chain[4].head) == BadEntry(4, Fault.MISSING)


def test_a_tail_that_was_cut_carelessly_is_missed_by_the_head(database: Database, chain: list[Entry]) -> None:
    tamper(database, "DELETE FROM audit_entry WHERE seq > 3")
    assert check(database) == BadEntry(4, Fault.MISSING)


def test_a_cut_chain_that_grew_again_is_found_by_a_known_head(database: Database, chain: list[Entry]) -> None:
    cut(database, chain, 3)
    append(database, "other", "others")
    assert isinstance(check(database), Head)
    assert check(database, chain[4].head) == BadEntry(5, Fault.REWRITTEN)


def test_an_entry_behind_the_head_is_named(database: Database, chain: list[Entry]) -> None:
    tamper(database, f"UPDATE audit_head SET seq = 4, digest = '{chain[3].digest}'")
    assert isinstance(check(database), BadEntry)


def test_a_long_chain_is_checked_in_little_memory(sqlite_database: Database) -> None:
    """Twenty thousand entries of a kilobyte each: a chain held as a whole would need forty megabytes."""
    write_long_chain(sqlite_database, 20_000)
    tracemalloc.start()
    try:
        assert isinstance(check(sqlite_database), Head)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES


def write_long_chain(database: Database, length: int) -> None:
    head = Head(0, "0" * 64)
    rows = []
    for _ in range(length):
        entry = follow(head, at=NOW, actor="a", action="b", target="c", after={"facts": "x" * 1_000})
        rows.append(_row(entry))
        head = entry.head
    with database.unit_of_work() as session:
        session.execute(insert(AuditEntry), rows)
        session.execute(update(AuditHead).values(seq=head.seq, digest=head.digest))
