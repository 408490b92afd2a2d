"""Use cases of the audit trail: append, check, send the head out."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from survey_service.auditing import queries
from survey_service.auditing.models import AuditDelivery, AuditEntry, AuditHead
from survey_service.auditing.rules import (
    BadEntry,
    ChainCheck,
    Entry,
    Facts,
    Fault,
    Head,
    follow,
    read_entry,
    retry_delay,
)
from survey_service.core import clock
from survey_service.core.audit import Act
from survey_service.core.canonical import canonical_json

_APPEND = insert(AuditEntry)
_ADVANCE = update(AuditHead)
"""The table has one row."""


def append_acts(session: Session, *, acts: Sequence[Act], now: datetime) -> None:
    """Append acts to the chain, as the last step of a unit of work: the head is held until its commit.

    Without acts no statement runs: the way of a ballot comes through here as well.
    """
    if not acts:
        return
    session.flush()
    head = queries.lock_head(session)
    entries: list[Entry] = []
    for act in acts:
        entries.append(follow(entries[-1].head if entries else head, at=now, **vars(act)))
    # Past the ORM, whose bookkeeping would cost more than the statements.
    connection = session.connection()
    connection.execute(_APPEND, [_row(entry) for entry in entries])
    connection.execute(_ADVANCE, vars(entries[-1].head))


def _row(entry: Entry) -> dict[str, object]:
    return asdict(entry) | {"before": _written(entry.before), "after": _written(entry.after)}


def _written(facts: Facts | None) -> str | None:
    return None if facts is None else canonical_json(facts)


def check_chain(session: Session, *, known_heads: Iterable[Head] = ()) -> BadEntry | Head:
    """Check the whole chain and return its head, or the first entry that is not what it was.

    A known head has to be found in the chain as it was. The session must see one snapshot.
    """
    check = ChainCheck(known_heads)
    head = queries.find_head(session)
    with closing(queries.stream_entries(session)) as entries:
        return _first_bad(check, entries) or check.finish(head) or check.last


def check_file(lines: Iterable[str], *, known_heads: Iterable[Head] = ()) -> BadEntry | Head:
    """Check an exported chain in the same way; that its end was cut off, only a known head can tell."""
    check = ChainCheck(known_heads)
    return _first_bad(check, map(read_entry, lines)) or check.finish(check.last) or check.last


def _first_bad(check: ChainCheck, entries: Iterable[Entry | None]) -> BadEntry | None:
    for entry in entries:
        bad = check.take(entry) if entry else BadEntry(check.last.seq + 1, Fault.ALTERED)
        if bad is not None:
            return bad
    return None


def claim_delivery(session: Session, *, now: datetime) -> Head | None:
    """Take the sending of today upon oneself and return the head; None when it is not due.

    Whoever claims it and is never heard of again counts as a failure.
    """
    delivery = queries.lock_delivery(session)
    if delivery is None or not is_due(delivery, now=now):
        return None
    delivery.failures += 1
    delivery.not_before = now + retry_delay(delivery.failures)
    return queries.get_head(session)


def is_due(delivery: AuditDelivery, *, now: datetime) -> bool:
    """Tell whether the head has not been sent out today, and no failure is too fresh."""
    is_waiting = delivery.not_before is not None and now < delivery.not_before
    return delivery.sent_on != clock.local_day(now) and not is_waiting


def confirm_delivery(session: Session, *, head: Head, now: datetime) -> None:
    """Write down that the head has arrived."""
    delivery = queries.get_delivery(session)
    delivery.sent_on, delivery.sent_seq = clock.local_day(now), head.seq
    delivery.failures, delivery.not_before = 0, None
