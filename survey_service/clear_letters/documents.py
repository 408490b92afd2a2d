"""A letter as plain JSON: how it is stored, and how the API writes it."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from survey_service.clear_letters.rules import Contact, Content, Section, SectionKind, Table

_DATES = ("period_from", "period_to", "answer_by")
_LISTS = ("work_done", "promises")


def document_of(content: Content) -> dict[str, Any]:
    """Return the plain form of a letter; days as `2026-09-30`, what is missing as null or empty."""
    plain = {name: getattr(content, name) for name in ("title", "greeting", "reply_place")}
    plain |= {name: _day_text(getattr(content, name)) for name in _DATES}
    plain |= {name: list(getattr(content, name)) for name in _LISTS}
    plain["contacts"] = [asdict(contact) for contact in content.contacts]
    plain["sections"] = {
        str(kind): _section_document(content.sections.get(kind, Section())) for kind in SectionKind
    }
    return plain


def _day_text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _section_document(section: Section) -> dict[str, Any]:
    tables = [{"title": table.title, "rows": [list(row) for row in table.rows]} for table in section.tables]
    return {"text": section.text, "tables": tables}


def content_of(document: Mapping[str, Any]) -> Content:
    """Return the letter that a plain form describes; what it does not name is empty."""
    given: dict[str, Any] = {
        name: document[name] for name in ("title", "greeting", "reply_place") if name in document
    }
    given |= {name: _day(document[name]) for name in _DATES if name in document}
    given |= {name: tuple(document[name]) for name in _LISTS if name in document}
    given["contacts"] = tuple(Contact(**one) for one in document.get("contacts", ()))
    given["sections"] = {kind: _section(document.get("sections", {}).get(kind, {})) for kind in SectionKind}
    return Content(**given)


def _day(value: str | date | None) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _section(document: Mapping[str, Any]) -> Section:
    tables = tuple(
        Table(one.get("title", ""), _even([tuple(row) for row in one["rows"]]))
        for one in document.get("tables", ())
    )
    return Section(document.get("text", ""), tables)


def _even(rows: list[tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """Return rows that are all as long as the longest."""
    most = max(map(len, rows), default=0)
    return tuple(row + ("",) * (most - len(row)) for row in rows)
