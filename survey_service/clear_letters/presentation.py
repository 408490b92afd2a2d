"""A letter as people read it: one view for the phone, for the preview, and for paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from survey_service.clear_letters.rules import Contact, Content, Section, SectionKind, Table
from survey_service.clear_letters.tables import is_total, number_columns
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.organizations.rules import OrganizationKind, place_name


@dataclass(frozen=True)
class CellView:
    words: str
    is_number: bool


@dataclass(frozen=True)
class RowView:
    cells: Sequence[CellView]
    is_total: bool


@dataclass(frozen=True)
class TableView:
    title: str
    headings: Sequence[CellView]
    rows: Sequence[RowView]


@dataclass(frozen=True)
class SectionView:
    heading: str
    paragraphs: Sequence[str]
    tables: Sequence[TableView]


@dataclass(frozen=True)
class ContactView:
    name: str
    role: str
    phone: str
    address: str
    """What the phone dials."""


@dataclass(frozen=True)
class LetterView:
    """Everything in words; what is missing is empty. `signed_on` is the day of the publication."""

    place: str
    title: str
    period: str
    greeting: Sequence[str]
    work_done: Sequence[str]
    sections: Sequence[SectionView]
    promises: Sequence[str]
    contacts: Sequence[ContactView]
    answer_by: str
    reply_place: str
    author: str
    signed_on: str


def letter_view(
    content: Content, *, organization_name: str, kind: OrganizationKind, signed_at: datetime | None
) -> LetterView:
    """Return a letter of an organization in words."""
    return LetterView(
        place=place_name(organization_name),
        title=content.title or text("clear_letters.untitled"),
        period=period_text(content.period_from, content.period_to),
        greeting=_paragraphs(content.greeting),
        work_done=content.work_done,
        sections=[
            _section_view(section_kind, content.sections.get(section_kind, Section()), kind)
            for section_kind in SectionKind
            if not content.sections.get(section_kind, Section()).is_empty
        ],
        promises=content.promises,
        contacts=[_contact_view(contact) for contact in content.contacts],
        answer_by=day_text(content.answer_by),
        reply_place=content.reply_place,
        author=author_of(organization_name, kind),
        signed_on=day_text(clock.local_day(signed_at)) if signed_at else "",
    )


def author_of(organization_name: str, kind: OrganizationKind) -> str:
    """Return who signs: the branch of a place, or the branch itself."""
    if kind is OrganizationKind.BRANCH:
        return organization_name
    return text("clear_letters.author", place=place_name(organization_name))


def section_heading(section_kind: SectionKind, kind: OrganizationKind) -> str:
    """Return the heading of one of the three affairs; a community has 居务 where a village has 村务."""
    is_urban = kind is OrganizationKind.COMMUNITY and section_kind is SectionKind.VILLAGE_AFFAIRS
    return text(f"clear_letters.section_{'community_affairs' if is_urban else section_kind}")


def day_text(day: date | None) -> str:
    """Write a day as people read it, such as 2026年9月30日."""
    return f"{day.year}年{day.month}月{day.day}日" if day else ""


def period_text(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return ""
    if first.year == last.year:
        return f"{day_text(first)}—{last.month}月{last.day}日"
    return f"{day_text(first)}—{day_text(last)}"


def _paragraphs(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]


def _section_view(section_kind: SectionKind, section: Section, kind: OrganizationKind) -> SectionView:
    tables = [table_view(table) for table in section.tables]
    return SectionView(section_heading(section_kind, kind), _paragraphs(section.text), tables)


def table_view(table: Table) -> TableView:
    numbers = number_columns(table)

    def cells(row: Sequence[str]) -> list[CellView]:
        return [CellView(words, place in numbers) for place, words in enumerate(row)]

    headings, *rows = table.rows
    return TableView(table.title, cells(headings), [RowView(cells(row), is_total(row)) for row in rows])


def _contact_view(contact: Contact) -> ContactView:
    first = contact.phone.split(" ")[0]
    digits = "".join(symbol for symbol in first if symbol.isdigit() or symbol == "+")
    return ContactView(contact.name, contact.role, contact.phone, digits)
