"""The audit trail as a page shows it."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey_service.auditing.models import AuditDelivery
from survey_service.auditing.queries import PAGE_SIZE
from survey_service.auditing.rules import Entry, Head
from survey_service.core import clock
from survey_service.core.canonical import canonical_json
from survey_service.core.texts import text


@dataclass(frozen=True)
class EntryRow:
    seq: int
    at: str
    actor: str
    action: str
    target: str
    result: str
    is_refused: bool
    changes: Sequence[str]


@dataclass(frozen=True)
class AuditPage:
    head: Head
    sent: str
    """When the head was last sent out; empty where that has never happened."""
    rows: Sequence[EntryRow]
    next_url: str


def audit_page(entries: Sequence[Entry], *, head: Head, delivery: AuditDelivery) -> AuditPage:
    following = f"/staff/audit?cursor={entries[-1].seq}" if len(entries) == PAGE_SIZE else ""
    return AuditPage(head, _sent(delivery), [_row(entry) for entry in entries], following)


def _sent(delivery: AuditDelivery) -> str:
    if delivery.sent_on is None:
        return ""
    return text("auditing.sent", day=delivery.sent_on.strftime("%Y年%m月%d日"), seq=delivery.sent_seq)


def _row(entry: Entry) -> EntryRow:
    refusal = entry.refusal
    return EntryRow(
        seq=entry.seq,
        at=clock.local_text(datetime.fromisoformat(entry.at)),
        actor=_words(f"actor_{entry.actor}") or entry.actor,
        action=_words(entry.action.replace(".", "_")) or entry.action,
        target=_target(entry.target),
        result=text("auditing.refused", code=refusal) if refusal else text("auditing.done"),
        is_refused=refusal is not None,
        changes=[] if refusal else _changes(entry.before or {}, entry.after or {}),
    )


def _words(name: str, **values: object) -> str:
    """Return the words for a name, or nothing: entries are older than today's catalogue, or newer."""
    with suppress(KeyError):
        return text(f"auditing.{name}", **values)
    return ""


def _target(target: str) -> str:
    kind, _, identity = target.partition(":")
    return _words(f"target_{kind}", id=identity) or target


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    names = list(dict.fromkeys([*before, *after]))
    return [
        text("auditing.changed", name=name, before=_value(before, name), after=_value(after, name))
        for name in names
    ]


def _value(facts: Mapping[str, Any], name: str) -> str:
    if facts.get(name) is None:
        return text("auditing.nothing")
    value = facts[name]
    return value if isinstance(value, str) else canonical_json(value)
