"""The forms of a rating cycle as a page lists them for downloading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from survey_service.ratings.forms import OF_FINAL_GRADES, OF_ONE_SUBJECT, form_title, list_forms
from survey_service.reports.presentation.forms import Choice
from survey_service.reports.presentation.frame import Link
from survey_service.reports.presentation.rating_work import tabs
from survey_service.reports.presentation.ratings import CycleView, cycle_view

Json = Mapping[str, Any]


@dataclass(frozen=True)
class FormLine:
    """A form with the addresses of its files; none where something is missing, which `waits_for` says."""

    title: str
    xlsx: str
    pdf: str
    waits_for: str


@dataclass(frozen=True)
class FormsPage:
    cycle: CycleView
    tabs: Sequence[Link]
    forms: Sequence[FormLine]
    subjects: Sequence[Choice]
    subject: str
    due_on: str


def forms_page(
    cycle: Json,
    document: Json,
    subjects: Sequence[tuple[str, str]],
    *,
    is_office: bool,
    subject: str = "",
    due_on: str = "",
) -> FormsPage:
    """Return the list; `subjects` are codes and names of those that forms can be made for."""
    address = f"/api/v1/rating-cycles/{cycle['id']}/forms"
    query = urlencode({"organization_code": subject} | ({"due_on": due_on} if due_on else {}))
    lines = []
    for kind in list_forms(document):
        needs_subject = kind in OF_ONE_SUBJECT
        waits = "not_yet" if kind in OF_FINAL_GRADES and not cycle["is_final"] else ""
        waits = waits or ("of_subject" if needs_subject and not subject else "")
        suffix = f"?{query}" if needs_subject else ""
        xlsx, pdf = (f"{address}/{kind}.{ending}{suffix}" for ending in ("xlsx", "pdf"))
        lines.append(FormLine(form_title(document, kind), xlsx, pdf, waits))
    return FormsPage(
        cycle=cycle_view(cycle),
        tabs=tabs(cycle["id"], "forms", is_office=is_office),
        forms=lines,
        subjects=[Choice(*one) for one in subjects],
        subject=subject,
        due_on=due_on,
    )
