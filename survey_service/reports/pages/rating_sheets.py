"""The pages on which people fill in a rating: self-assessment, assessment, evidence, findings, visits."""

from typing import Any

from flask import Response, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.http import accepts_upload
from survey_service.core.permissions import current_staff, requires
from survey_service.ratings import evidence, records, returns, service, sheets, visits
from survey_service.ratings import reading as reader
from survey_service.ratings.places import path_of_rated
from survey_service.ratings.vocabulary import Level
from survey_service.reports.pages.frame import pages, to_page, uploaded_file
from survey_service.reports.presentation.forms import FormView
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.rating_sheet import (
    file_asked_for,
    findings_asked_for,
    level_asked_for,
    level_in_form,
    link_asked_for,
    return_asked_for,
    sheet_asked_for,
    sheet_page,
    visit_asked_for,
)
from survey_service.staff.rules import Role

SHEET = "/ratings/<int:cycle_id>/sheets/<organization_code>"


@pages.route(SHEET, methods=["GET"])
@requires("ratings.read")
def show_sheet(cycle_id: int, organization_code: str) -> str:
    """Show the sheet that one fills in, beside those of the other levels."""
    role = Role(current_staff().role)
    return _sheet(cycle_id, organization_code, level_asked_for(request.args.get("by", ""), role))


def _sheet(cycle_id: int, organization_code: str, level: Level | None, form: FormView | None = None) -> str:
    staff, place = current_staff(), _subject(cycle_id, organization_code)
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        subject = reader.read_subject(session, **place)
        found = records.read_records(session, **place)
        role = Role(staff.role)
        page = sheet_page(cycle, document, subject, found, level=level, role=role, form=form)
    kind = "self" if level is Level.SELF else "assessment"
    return render_template(f"staff/rating_{kind}.html", page=page)


def _subject(cycle_id: int, organization_code: str) -> dict[str, Any]:
    return {"staff": current_staff(), "cycle_id": cycle_id, "organization_code": organization_code}


def _place(cycle_id: int, organization_code: str) -> dict[str, Any]:
    return _subject(cycle_id, organization_code) | {"now": clock.now()}


def _document(cycle_id: int) -> dict[str, Any]:
    with reading() as session:
        return reader.read_document(session, staff=current_staff(), cycle_id=cycle_id)


def _back(cycle_id: int, organization_code: str, level: Level | None, notice: Notice) -> Response:
    return to_page(
        "show_sheet", cycle_id=cycle_id, organization_code=organization_code, by=level, notice=notice
    )


@pages.route(SHEET, methods=["POST"])
@requires("ratings.score", path_of_rated)
def save_sheet(cycle_id: int, organization_code: str) -> Any:
    """Keep what was filled in, and hand it in where that was asked for."""
    level, place = level_in_form(request.form), _place(cycle_id, organization_code)
    is_final = request.form.get("act") == "submit"
    try:
        entries = sheet_asked_for(request.form, _document(cycle_id), level)
        del entries["by"]
        with unit_of_work() as session:
            sheets.fill_in_sheet(session, level=level, entries=entries, **place)
        if is_final:
            _submit(level, place)
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _sheet(cycle_id, organization_code, level, form), error.status
    notice = Notice.SHEET_SUBMITTED if is_final else Notice.SHEET_SAVED
    return _back(cycle_id, organization_code, level, notice)


def _submit(level: Level, place: dict[str, Any]) -> None:
    """A unit of work of its own: where something is missing, what was filled in stays."""
    with unit_of_work() as session:
        returns.submit_sheet(session, level=level, **place)


@pages.route(f"{SHEET}/evidence", methods=["POST"])
@requires("ratings.score", path_of_rated)
@accepts_upload(evidence.MAX_EVIDENCE_BYTES)
def attach_evidence(cycle_id: int, organization_code: str) -> Any:
    """Add a file or a link to an indicator."""
    level, place = level_in_form(request.form), _place(cycle_id, organization_code)
    content, filename = uploaded_file()
    try:
        with unit_of_work() as session:
            if content:
                given = file_asked_for(request.form)
                evidence.attach_file(session, content=content, filename=filename, **given, **place)
            else:
                evidence.attach_link(session, **link_asked_for(request.form), **place)
    except (Invalid, Conflict) as error:
        form = FormView(request.form, error.errors or {"file": [error.detail]})
        return _sheet(cycle_id, organization_code, level, form), error.status
    return _back(cycle_id, organization_code, level, Notice.RECORD_NOTED)


@pages.route(f"{SHEET}/evidence/<int:evidence_id>", methods=["POST"])
@requires("ratings.score", path_of_rated)
def detach_evidence(cycle_id: int, organization_code: str, evidence_id: int) -> Response:
    """Take a piece of evidence away."""
    level = level_in_form(request.form)
    place = _subject(cycle_id, organization_code)
    with unit_of_work() as session:
        evidence.detach(session, evidence_id=evidence_id, **place)
    return _back(cycle_id, organization_code, level, Notice.RECORD_NOTED)


@pages.route(f"{SHEET}/findings", methods=["POST"])
@requires("ratings.find", path_of_rated, is_above=True)
def note_findings(cycle_id: int, organization_code: str) -> Any:
    """Write what was found about a subject: restrictions, X and Y, its field, why it is excluded."""
    place = _subject(cycle_id, organization_code)
    level = level_asked_for("", Role(current_staff().role))
    try:
        found: Any = findings_asked_for(request.form, _document(cycle_id))
        with unit_of_work() as session:
            service.note_findings(session, found=found, **place)
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _sheet(cycle_id, organization_code, level, form), error.status
    return _back(cycle_id, organization_code, None, Notice.RECORD_NOTED)


@pages.route(f"{SHEET}/visits", methods=["POST"])
@requires("ratings.find", path_of_rated, is_above=True)
def note_visit(cycle_id: int, organization_code: str) -> Any:
    """Note what was found on the spot."""
    level = level_asked_for("", Role(current_staff().role))
    try:
        body = visit_asked_for(request.form)
        with unit_of_work() as session:
            visits.note_visit(session, **body, **_place(cycle_id, organization_code))
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _sheet(cycle_id, organization_code, level, form), error.status
    return _back(cycle_id, organization_code, None, Notice.RECORD_NOTED)


@pages.route(f"{SHEET}/return", methods=["POST"])
@requires("ratings.find", path_of_rated, is_above=True)
def return_sheet(cycle_id: int, organization_code: str) -> Response:
    """Hand a sheet back with a remark."""
    body = return_asked_for(request.form)
    with unit_of_work() as session:
        returns.return_sheet(session, **body, **_place(cycle_id, organization_code))
    return _back(cycle_id, organization_code, None, Notice.SHEET_RETURNED)
