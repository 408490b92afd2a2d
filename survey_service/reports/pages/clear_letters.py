"""The pages of clear letters: list, compose with a preview, send in, decide, print."""

from typing import Any

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import list_visible_campaigns
from survey_service.clear_letters import queries, service
from survey_service.clear_letters.queries import path_of_letter
from survey_service.clear_letters.rules import MOST_REMARK, LetterState
from survey_service.clear_letters.schemas import LetterPrintIn, LetterQuery
from survey_service.clear_letters.views import render_pdf
from survey_service.core import clock
from survey_service.core.audit import leave_no_entry
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.http import accepts_upload, public_url
from survey_service.core.permissions import current_staff, requires
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.clear_letters import (
    error_lines,
    letter_page,
    letters_page,
    preview_of,
)
from survey_service.reports.presentation.forms import Choice, FormView, body_of, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.letter_forms import (
    draft_asked_for,
    filled_form,
    form_values,
    letter_asked_for,
    section_fields,
    template_values,
)

LETTERS = "/clear-letters"
LETTER = "/clear-letters/<int:letter_id>"
MOST_FORM_BYTES = 2 * 1024 * 1024
"""A whole sheet pasted by mistake is answered with a sentence, and nothing that was written is lost."""


@pages.route(LETTERS, methods=["GET"])
@requires("clear_letters.read")
def list_clear_letters() -> str:
    """List the letters of one's own sub-tree, and the places that have none."""
    names = [name for name in ("state", "cursor") if request.args.get(name)]
    asked = load(LetterQuery(), {name: request.args[name] for name in names})
    path = current_staff().path
    with reading() as session:
        rows = queries.list_letters(session, within_path=path, **asked)
        page = letters_page(
            rows,
            readings=queries.sum_readings(session, [row.letter.id for row in rows]),
            counts=queries.count_states(session, within_path=path),
            state=asked["state"],
            without=queries.list_organizations_without_letter(session, within_path=path),
            page_size=queries.PAGE_SIZE,
        )
    return render_template("staff/clear_letters.html", page=page)


@pages.route(f"{LETTERS}/new", methods=["GET"])
@requires("clear_letters.compose")
def new_clear_letter() -> str:
    """Show the form of a new letter, begun from the template and from the place's last letter."""
    return _new_form(request.args.get("organization", ""), None)


def _new_form(code: str, form: FormView | None) -> str:
    staff = current_staff()
    with reading() as session:
        places = queries.list_writers(session, within_path=staff.path)
        place = next((one for one in places if one.code == code), places[0] if len(places) == 1 else None)
        if place is None:
            return render_template("staff/clear_letter_place.html", places=places)
        last = queries.last_content(session, organization_id=place.id)
        values = template_values(place, today=clock.local_day(clock.now()), last=last)
        return _form_page(session, place, form or FormView(values), promised=last.promises if last else ())


def _form_page(
    session: Session,
    place: Organization,
    form: FormView,
    *,
    letter_id: int | None = None,
    promised: Any = (),
    remark: str = "",
) -> str:
    campaigns = list_visible_campaigns(session, staff=current_staff())
    return render_template(
        "staff/clear_letter_form.html",
        form=form,
        page=preview_of(form.values, place, today=clock.local_day(clock.now())),
        place=place,
        letter_id=letter_id,
        errors=error_lines(form.errors, place.kind),
        sections=section_fields(form, place.kind),
        campaigns=[Choice("", text("clear_letters.no_campaign"))]
        + [Choice(str(one.id), one.title) for one in reversed(campaigns)],
        promised=promised,
        remark=remark,
    )


@pages.route(f"{LETTERS}/new", methods=["POST"])
@requires("clear_letters.compose")
@accepts_upload(MOST_FORM_BYTES)
def create_clear_letter() -> Any:
    """Store the first draft."""
    try:
        body = letter_asked_for(request.form)
        with unit_of_work() as session:
            row = service.create_letter(session, staff=current_staff(), now=clock.now(), **body)
    except Invalid as error:
        form = filled_form(request.form, error.errors)
        return _new_form(request.form.get("organization_code", ""), form), error.status
    return to_page("show_clear_letter", letter_id=row.letter.id, notice=Notice.LETTER_CREATED)


@pages.route(f"{LETTERS}/preview", methods=["POST"])
@requires("clear_letters.compose")
@accepts_upload(MOST_FORM_BYTES)
def preview_clear_letter() -> Any:
    """Return the letter as it would look, for the page on which it is being written."""
    with reading() as session:
        place = get_organization(session, code=request.form.get("organization_code", ""))
    current_staff().require(place.path)
    # It is asked for with every pause in typing, and changes nothing.
    leave_no_entry()
    preview = preview_of(request.form, place, today=clock.local_day(clock.now()))
    return render_template("staff/clear_letter_preview.html", page=preview)


@pages.route(f"{LETTER}/edit", methods=["GET"])
@requires("clear_letters.compose", path_of_letter)
def edit_clear_letter(letter_id: int) -> str:
    """Show the form of a letter's newest version."""
    with reading() as session:
        row = queries.get_letter(session, letter_id)
        values = form_values(queries.read_content(row.version))
        values |= {"revision": str(row.letter.revision), "campaign_id": str(row.letter.campaign_id or "")}
        return _edit_form(session, row, FormView(values))


def _edit_form(session: Session, row: queries.LetterRow, form: FormView) -> str:
    place = get_organization(session, code=row.organization_code)
    remark = row.version.remark if row.state is LetterState.SENT_BACK else ""
    return _form_page(session, place, form, letter_id=row.letter.id, remark=remark)


@pages.route(f"{LETTER}/edit", methods=["POST"])
@requires("clear_letters.compose", path_of_letter)
@accepts_upload(MOST_FORM_BYTES)
def save_clear_letter(letter_id: int) -> Any:
    """Save the draft, or begin the next version."""
    try:
        body = draft_asked_for(request.form)
        with unit_of_work() as session:
            service.save_draft(session, staff=current_staff(), letter_id=letter_id, now=clock.now(), **body)
    except (Invalid, Conflict) as error:
        return _shown_again(letter_id, error), error.status
    return to_page("show_clear_letter", letter_id=letter_id, notice=Notice.LETTER_SAVED)


def _shown_again(letter_id: int, error: Invalid | Conflict) -> str:
    """Show the form with what was written in it; after a conflict saving again is a decision."""
    errors = error.errors or {"title": [error.detail]}
    given = dict(request.form)
    with reading() as session:
        row = queries.get_letter(session, letter_id)
        if error.code == "letter_changed":
            given["revision"] = str(row.letter.revision)
        return _edit_form(session, row, filled_form(given, errors))


@pages.route(LETTER, methods=["GET"])
@requires("clear_letters.read", path_of_letter)
def show_clear_letter(letter_id: int) -> str:
    """Show a letter, its history, what changed, and what can be done."""
    number = request.args.get("version", "")
    with reading() as session:
        row = queries.get_letter(session, letter_id)
        page = letter_page(
            row,
            queries.list_versions(session, letter_id),
            reader=current_staff(),
            days=queries.list_readings(session, letter_id),
            number=int(number) if number.isascii() and number.isdigit() else None,
            public_url=f"{public_url()}/l/{row.letter.code}",
            today=clock.local_day(clock.now()),
        )
    return render_template("staff/clear_letter.html", page=page)


@pages.route(f"{LETTER}/submit", methods=["POST"])
@requires("clear_letters.compose", path_of_letter)
def submit_clear_letter(letter_id: int) -> Response:
    """Send the draft to the town."""
    return _act(letter_id, service.submit_letter, Notice.LETTER_SUBMITTED)


def _act(letter_id: int, act: Any, notice: Notice, **values: str) -> Response:
    with unit_of_work() as session:
        act(session, staff=current_staff(), letter_id=letter_id, now=clock.now(), **values)
    return to_page("show_clear_letter", letter_id=letter_id, notice=notice)


@pages.route(f"{LETTER}/approve", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
def approve_clear_letter(letter_id: int) -> Response:
    """Approve and publish the version that was sent in."""
    return _act(letter_id, service.approve_letter, Notice.LETTER_PUBLISHED, **_remark())


def _remark() -> dict[str, str]:
    return {"remark": request.form.get("remark", "")[:MOST_REMARK]}


@pages.route(f"{LETTER}/send-back", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
def send_back_clear_letter(letter_id: int) -> Response:
    """Give the version back to the branch with a remark."""
    return _act(letter_id, service.send_back_letter, Notice.LETTER_SENT_BACK, **_remark())


@pages.route(f"{LETTER}/withdraw", methods=["POST"])
@requires("clear_letters.decide", path_of_letter, is_above=True)
def withdraw_clear_letter(letter_id: int) -> Response:
    """Take a published letter down."""
    reason = request.form.get("reason", "")[:MOST_REMARK]
    return _act(letter_id, service.withdraw_letter, Notice.LETTER_WITHDRAWN, reason=reason)


@pages.route(f"{LETTER}/print", methods=["POST"])
@requires("clear_letters.print", path_of_letter)
def print_clear_letter(letter_id: int) -> Response:
    """Print a letter."""
    body = load(LetterPrintIn(), body_of(request.form, ["size", "codes", "first", "count"]))
    pdf = render_pdf(letter_id, body)
    name = text(f"clear_letters.filename_{body['codes']}", id=letter_id, first=body["first"])
    return attachment(pdf, content_type=PDF_TYPE, filename=name)
