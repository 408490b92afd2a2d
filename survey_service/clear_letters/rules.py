"""What a clear letter holds, how much of it, and when it may be sent in (`domain.md` section 6)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from enum import StrEnum

from survey_service.core.events import Event

LETTER_CODE_LENGTH = 8
"""Symbols of a letter's public address; the letter is public, so the code only has to be short."""

MOST_TITLE = 60
MOST_GREETING = 300
MOST_SECTION_TEXT = 1_000
MOST_LINE = 200
MOST_WORK_DONE = 20
MOST_PROMISES = 12
MOST_CONTACTS = 6
MOST_NAME = 30
MOST_PLACE = 100
MOST_REMARK = 1_000
MOST_TABLES = 3
"""Tables of one section."""
MOST_ROWS = 40
MOST_COLUMNS = 8
"""More do not fit on a phone held upright, nor on a sheet of A4 in a size that the old can read."""
MOST_CELL = 80
MOST_TABLE_TITLE = 60
MOST_CHARACTERS = 6_000
"""Of the whole letter: three or four printed pages, and a page of 30 KB on the phone."""
LARGE_CELLS = 600


@dataclass(frozen=True)
class LetterPublished(Event):
    """A version was approved: everybody may read the letter."""

    letter_id: int


@dataclass(frozen=True)
class LetterWithdrawn(Event):
    """A letter was taken down."""

    letter_id: int


class SectionKind(StrEnum):
    """The three affairs that are laid open, in the order of the letter."""

    PARTY_AFFAIRS = "party_affairs"
    VILLAGE_AFFAIRS = "village_affairs"
    FINANCES = "finances"


class LetterState(StrEnum):
    """Where a letter is; it follows from its newest version."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    SENT_BACK = "sent_back"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class Decision(StrEnum):
    """What the town made of a version."""

    APPROVED = "approved"
    SENT_BACK = "sent_back"


class Fault(StrEnum):
    """What can be wrong with a letter; the sentence is `clear_letters.fault_<value>`."""

    MISSING = "missing"
    TOO_LONG = "too_long"
    TOO_MANY = "too_many"
    TOO_MANY_ROWS = "too_many_rows"
    TOO_MANY_COLUMNS = "too_many_columns"
    CELL_TOO_LONG = "cell_too_long"
    TABLE_WITHOUT_ROWS = "table_without_rows"
    TABLE_TOO_MUCH = "table_too_much"
    LETTER_TOO_MUCH = "letter_too_much"
    PERIOD_TURNED = "period_turned"
    DEADLINE_PAST = "deadline_past"
    NO_PHONE = "no_phone"


@dataclass(frozen=True)
class Problem:
    """One fault at one place, such as `sections.finances.tables.0`; `values` fill its sentence."""

    place: str
    fault: Fault
    values: Mapping[str, object] = field(default_factory=dict)


Row = tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table as it was pasted: the first row holds the headings, all rows are equally long."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Section:
    text: str = ""
    tables: tuple[Table, ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.text and not self.tables


@dataclass(frozen=True)
class Contact:
    """Somebody whom a villager may call."""

    name: str
    role: str = ""
    phone: str = ""


def _empty_sections() -> dict[SectionKind, Section]:
    return dict.fromkeys(SectionKind, Section())


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that stands in a letter; a draft may lack any of it."""

    title: str = ""
    period_from: date | None = None
    period_to: date | None = None
    greeting: str = ""
    work_done: tuple[str, ...] = ()
    sections: Mapping[SectionKind, Section] = field(default_factory=_empty_sections)
    promises: tuple[str, ...] = ()
    contacts: tuple[Contact, ...] = ()
    answer_by: date | None = None
    reply_place: str = ""

    @property
    def tables(self) -> Iterator[tuple[str, Table]]:
        """Yield the tables, each with its place."""
        for kind, section in self.sections.items():
            for number, table in enumerate(section.tables):
                yield f"sections.{kind}.tables.{number}", table


def letter_target(letter_id: int) -> str:
    """Return how the audit trail names a letter."""
    return f"clear_letter:{letter_id}"


def state_of(*, is_submitted: bool, decision: Decision | None) -> LetterState:
    """Return the state of a letter from the marks of its newest version, unless it was withdrawn."""
    if decision is not None:
        return LetterState.PUBLISHED if decision is Decision.APPROVED else LetterState.SENT_BACK
    return LetterState.SUBMITTED if is_submitted else LetterState.DRAFT


def excesses(content: Content) -> list[Problem]:
    """Return everything that is too much of a letter; a draft keeps to these limits as well."""
    return [
        *_long_texts(content),
        *_long_lists(content),
        *(problem for place, table in content.tables for problem in _table_excesses(place, table)),
        *_whole_excesses(content),
    ]


_LONGEST = {"title": MOST_TITLE, "greeting": MOST_GREETING, "reply_place": MOST_PLACE}
_MOST_LINES = {"work_done": MOST_WORK_DONE, "promises": MOST_PROMISES, "contacts": MOST_CONTACTS}


def _long_texts(content: Content) -> Iterator[Problem]:
    yield from (
        _too_long(name, words, most)
        for name, most in _LONGEST.items()
        if len(words := getattr(content, name)) > most
    )
    for kind, section in content.sections.items():
        if len(section.text) > MOST_SECTION_TEXT:
            yield _too_long(f"sections.{kind}.text", section.text, MOST_SECTION_TEXT)


def _too_long(place: str, words: str, most: int) -> Problem:
    return Problem(place, Fault.TOO_LONG, {"length": len(words), "most": most})


def _long_lists(content: Content) -> Iterator[Problem]:
    for name, most in _MOST_LINES.items():
        if len(getattr(content, name)) > most:
            yield Problem(name, Fault.TOO_MANY, {"count": len(getattr(content, name)), "most": most})
    for name in ("work_done", "promises"):
        yield from (
            _too_long(name, line, MOST_LINE) for line in getattr(content, name) if len(line) > MOST_LINE
        )
    for contact in content.contacts:
        yield from (
            _too_long("contacts", words, MOST_NAME)
            for words in (contact.name, contact.role, contact.phone)
            if len(words) > MOST_NAME
        )


def _table_excesses(place: str, table: Table) -> Iterator[Problem]:
    if not table.rows:
        yield Problem(place, Fault.TABLE_WITHOUT_ROWS)
        return
    if len(table.title) > MOST_TABLE_TITLE:
        yield _too_long(place, table.title, MOST_TABLE_TITLE)
    if len(table.rows) > MOST_ROWS:
        yield Problem(place, Fault.TOO_MANY_ROWS, {"count": len(table.rows), "most": MOST_ROWS})
    if len(table.rows[0]) > MOST_COLUMNS:
        yield Problem(place, Fault.TOO_MANY_COLUMNS, {"count": len(table.rows[0]), "most": MOST_COLUMNS})
    for number, row in enumerate(table.rows, start=1):
        if longest := next((cell for cell in row if len(cell) > MOST_CELL), None):
            values = {"row": number, "length": len(longest), "most": MOST_CELL}
            yield Problem(place, Fault.CELL_TOO_LONG, values)


def _whole_excesses(content: Content) -> Iterator[Problem]:
    for kind, section in content.sections.items():
        if len(section.tables) > MOST_TABLES:
            values = {"count": len(section.tables), "most": MOST_TABLES}
            yield Problem(f"sections.{kind}.tables", Fault.TOO_MANY, values)
    cells = sum(len(row) for _, table in content.tables for row in table.rows)
    if cells > LARGE_CELLS:
        yield Problem("sections", Fault.TABLE_TOO_MUCH, {"count": cells, "most": LARGE_CELLS})
    if (length := count_characters(content)) > MOST_CHARACTERS:
        yield Problem("sections", Fault.LETTER_TOO_MUCH, {"count": length, "most": MOST_CHARACTERS})


def count_characters(content: Content) -> int:
    """Return how many characters people read in a letter."""
    return sum(len(words) for words in _words(content))


def _words(content: Content) -> Iterator[str]:
    yield from (content.title, content.greeting, content.reply_place, *content.work_done, *content.promises)
    for contact in content.contacts:
        yield from (getattr(contact, one.name) for one in fields(contact))
    for section in content.sections.values():
        yield section.text
    for _, table in content.tables:
        yield table.title
        yield from (cell for row in table.rows for cell in row)


_NEEDED = ("title", "period_from", "period_to", "work_done", "contacts", "answer_by")


def faults_before_submission(content: Content, *, today: date) -> list[Problem]:
    """Return what keeps a letter from being sent in: a household must learn what, whom to call, until when.

    Each of the three affairs has to say something, were it only that nothing happened.
    """
    found = [Problem(name, Fault.MISSING) for name in _NEEDED if not getattr(content, name)]
    found += [
        Problem(f"sections.{kind}.text", Fault.MISSING)
        for kind in SectionKind
        if content.sections.get(kind, Section()).is_empty
    ]
    if content.contacts and not any(contact.phone for contact in content.contacts):
        found.append(Problem("contacts", Fault.NO_PHONE))
    if content.period_from and content.period_to and content.period_from > content.period_to:
        found.append(Problem("period_to", Fault.PERIOD_TURNED))
    if content.answer_by and content.answer_by < today:
        found.append(Problem("answer_by", Fault.DEADLINE_PAST))
    return [*found, *excesses(content)]


class PaperSize(StrEnum):
    """How large the type is on paper."""

    NORMAL = "normal"
    LARGE = "large"


class Codes(StrEnum):
    """Whose codes stand on the paper: the one that hangs out in public, or one for each household."""

    POSTED = "posted"
    HOUSEHOLD = "household"
