"""What changed from one version of a letter to the next, for whoever has to read it again (pure)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from survey_service.clear_letters.rules import Content, Row, Section, SectionKind, Table
from survey_service.clear_letters.tables import write_contacts


class Mark(StrEnum):
    """Whether a piece stands in both versions, or only in the newer or the older one."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Piece:
    mark: Mark
    words: str


@dataclass(frozen=True)
class RowChange:
    """A row of a table; a changed row is a removed one and an added one."""

    mark: Mark
    cells: Row


@dataclass(frozen=True)
class Change:
    """What changed at one place: pieces of text, or rows of a table. `title` names a table."""

    place: str
    pieces: Sequence[Piece] = ()
    rows: Sequence[RowChange] = ()
    title: str = ""


def compare(before: Content, after: Content) -> list[Change]:
    """Return the places that differ, in the order of the letter."""
    return [*_text_changes(before, after), *_section_changes(before, after), *_closing_changes(before, after)]


def _text_changes(before: Content, after: Content) -> Iterator[Change]:
    for place in ("title", "period_from", "period_to", "greeting"):
        yield from _text_change(place, _plain(getattr(before, place)), _plain(getattr(after, place)))
    yield from _text_change("work_done", "\n".join(before.work_done), "\n".join(after.work_done))


def _closing_changes(before: Content, after: Content) -> Iterator[Change]:
    yield from _text_change("promises", "\n".join(before.promises), "\n".join(after.promises))
    yield from _text_change("contacts", write_contacts(before.contacts), write_contacts(after.contacts))
    for place in ("answer_by", "reply_place"):
        yield from _text_change(place, _plain(getattr(before, place)), _plain(getattr(after, place)))


def _plain(value: object) -> str:
    return "" if value is None else str(value)


def _text_change(place: str, before: str, after: str) -> Iterator[Change]:
    if before != after:
        yield Change(place, pieces=pieces(before, after))


def pieces(before: str, after: str) -> list[Piece]:
    """Return both texts as one, character by character marked as kept, removed or added."""
    found: list[Piece] = []
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            found.append(Piece(Mark.SAME, before[start:end]))
            continue
        found += [Piece(Mark.REMOVED, before[start:end])] if end > start else []
        found += [Piece(Mark.ADDED, after[new_start:new_end])] if new_end > new_start else []
    return found


def _section_changes(before: Content, after: Content) -> Iterator[Change]:
    for kind in SectionKind:
        old, new = before.sections.get(kind, Section()), after.sections.get(kind, Section())
        yield from _text_change(f"sections.{kind}.text", old.text, new.text)
        yield from _table_changes(kind, old.tables, new.tables)


def _table_changes(kind: SectionKind, before: Sequence[Table], after: Sequence[Table]) -> Iterator[Change]:
    nothing = Table("", ())
    for number in range(max(len(before), len(after))):
        old = before[number] if number < len(before) else nothing
        new = after[number] if number < len(after) else nothing
        place = f"sections.{kind}.tables.{number}"
        if old.rows != new.rows:
            yield Change(place, rows=changed_rows(old.rows, new.rows), title=new.title or old.title)
        elif old.title != new.title:
            yield Change(place, pieces=pieces(old.title, new.title), title=new.title)


def changed_rows(before: Sequence[Row], after: Sequence[Row]) -> list[RowChange]:
    """Return the rows of both tables as one; the rows around a change stay, so that it can be placed."""
    found: list[RowChange] = []
    matcher = SequenceMatcher(None, list(before), list(after), autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            found += [RowChange(Mark.SAME, row) for row in before[start:end]]
            continue
        found += [RowChange(Mark.REMOVED, row) for row in before[start:end]]
        found += [RowChange(Mark.ADDED, row) for row in after[new_start:new_end]]
    return found
