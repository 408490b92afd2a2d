"""The form of a clear letter: from its fields to the body of the API, and back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from survey_service.clear_letters.presentation import section_heading
from survey_service.clear_letters.rules import MOST_TABLES, Content, SectionKind
from survey_service.clear_letters.schemas import DraftIn, LetterIn
from survey_service.clear_letters.tables import (
    read_contacts,
    read_lines,
    read_table,
    write_contacts,
    write_table,
)
from survey_service.core.errors import Invalid
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind, place_name
from survey_service.reports.presentation.forms import Body, FormView, load

PLAIN = ("title", "period_from", "period_to", "greeting", "answer_by", "reply_place")
LINES = ("work_done", "promises")
ANSWERS_WITHIN = timedelta(days=15)
_QUARTER = 3


@dataclass(frozen=True)
class TableField:
    """The two fields of one table; empty ones are folded away."""

    name: str
    title: str
    rows: str
    error: str
    is_open: bool


@dataclass(frozen=True)
class SectionField:
    name: str
    heading: str
    hint: str
    tables: list[TableField]


def content_body(values: Mapping[str, str]) -> Body:
    """Return what the fields say as the body of the API; tables move up into empty places before them."""
    body: Body = {name: values[name] for name in PLAIN if values.get(name, "").strip()}
    body |= {name: list(read_lines(values.get(name, ""))) for name in LINES}
    body["contacts"] = [vars(one) for one in read_contacts(values.get("contacts", ""))]
    body["sections"] = {str(kind): _section_body(values, kind) for kind in SectionKind}
    return body


def _section_body(values: Mapping[str, str], kind: SectionKind) -> Body:
    tables = [
        {"title": title, "rows": [list(row) for row in read_table(pasted)]}
        for title, pasted in _filled_tables(values, kind)
    ]
    return {"text": values.get(f"sections.{kind}.text", ""), "tables": tables}


def _filled_tables(values: Mapping[str, str], kind: SectionKind) -> Iterator[tuple[str, str]]:
    for number in range(MOST_TABLES):
        name = f"sections.{kind}.tables.{number}"
        title, pasted = values.get(f"{name}.title", ""), values.get(name, "")
        if title.strip() or pasted.strip():
            yield title, pasted


def letter_asked_for(values: Mapping[str, str]) -> Body:
    """Return the letter that a form asks to begin; raises Invalid with the names of fields."""
    return _loaded(LetterIn(), values, {"organization_code": values.get("organization_code", "")})


def draft_asked_for(values: Mapping[str, str]) -> Body:
    """Return the draft that a form asks to save; raises Invalid with the names of fields."""
    return _loaded(DraftIn(), values, {"revision": values.get("revision", "")})


def previewed(values: Mapping[str, str]) -> Content:
    """Return the letter as far as it has been written; raises Invalid."""
    content: Content = _loaded(LetterIn(), values, {"organization_code": "-"})["content"]
    return content


def _loaded(schema: Any, values: Mapping[str, str], body: Body) -> Body:
    campaign_id = values.get("campaign_id") or None
    try:
        return load(schema, body | {"content": content_body(values), "campaign_id": campaign_id})
    except Invalid as error:
        named = {name.removeprefix("content."): found for name, found in error.errors.items()}
        raise Invalid("invalid_letter", errors=named) from error


def filled_form(values: Mapping[str, str], errors: Mapping[str, Any]) -> FormView:
    """Return a form as it was filled in, its tables in the places to which the errors refer."""
    kept = {name: value for name, value in values.items() if ".tables." not in name}
    for kind in SectionKind:
        for number, (title, pasted) in enumerate(_filled_tables(values, kind)):
            name = f"sections.{kind}.tables.{number}"
            kept |= {f"{name}.title": title, name: pasted}
    return FormView(kept, errors)


def form_values(content: Content) -> dict[str, str]:
    """Return the fields of a letter."""
    values = {name: _plain(getattr(content, name)) for name in PLAIN}
    values |= {name: "\n".join(getattr(content, name)) for name in LINES}
    values["contacts"] = write_contacts(content.contacts)
    for kind, section in content.sections.items():
        values[f"sections.{kind}.text"] = section.text
        for number, table in enumerate(section.tables):
            name = f"sections.{kind}.tables.{number}"
            values |= {f"{name}.title": table.title, name: write_table(table.rows)}
    return values


def _plain(value: date | str | None) -> str:
    return "" if value is None else str(value)


def template_values(organization: Organization, *, today: date, last: Content | None) -> dict[str, str]:
    """Return the beginning of a letter about the last full quarter, with the people of the last letter."""
    first, end = last_quarter(today)
    quarter = (first.month + _QUARTER - 1) // _QUARTER
    place = place_name(organization.name)
    content = Content(
        title=text("clear_letters.template_title", place=place, year=first.year, quarter=quarter),
        period_from=first,
        period_to=end,
        greeting=text("clear_letters.template_greeting"),
        contacts=last.contacts if last else (),
        answer_by=today + ANSWERS_WITHIN,
        reply_place=last.reply_place if last else "",
    )
    return form_values(content)


def last_quarter(today: date) -> tuple[date, date]:
    """Return the first and the last day of the quarter before today's."""
    begins = date(today.year, (today.month - 1) // _QUARTER * _QUARTER + 1, 1)
    end = begins - timedelta(days=1)
    return date(end.year, end.month - _QUARTER + 1, 1), end


def section_fields(form: FormView, kind: OrganizationKind) -> list[SectionField]:
    """Return the fields of the three affairs."""
    return [
        SectionField(
            name=f"sections.{section}",
            heading=section_heading(section, kind),
            hint=text(f"clear_letters.hint_{section}"),
            tables=[
                _table_field(form, f"sections.{section}.tables.{number}") for number in range(MOST_TABLES)
            ],
        )
        for section in SectionKind
    ]


def _table_field(form: FormView, name: str) -> TableField:
    title, rows, error = form.value(f"{name}.title"), form.value(name), form.error(name)
    return TableField(name, title, rows, error, bool(title or rows or error))
