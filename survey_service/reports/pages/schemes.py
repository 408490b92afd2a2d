"""The pages of rating schemes: look, change a copy with a preview of what follows, save a new version."""

from typing import Any

from flask import render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.http import accepts_upload
from survey_service.core.import_files import read_upload
from survey_service.core.permissions import current_staff, requires
from survey_service.core.texts import text
from survey_service.ratings.documents import read_document
from survey_service.ratings.outlook_views import MAX_SHEET_BYTES
from survey_service.ratings.previews import preview_changes
from survey_service.ratings.queries import get_scheme, list_cycles, list_schemes, used_digests
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES
from survey_service.ratings.scheme_sheet import read_scheme_sheet
from survey_service.ratings.scheme_writing import write_scheme
from survey_service.ratings.service import add_scheme
from survey_service.reports.pages.frame import pages, to_page, uploaded_file
from survey_service.reports.presentation.forms import Choice
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.schemes import Fault, scheme_faults, scheme_page
from survey_service.reports.presentation.what_if import what_if_result


@pages.route("/ratings/schemes", methods=["GET"])
@requires("schemes.read")
def show_schemes() -> str:
    """List the presets and the newest versions of one's own schemes."""
    with reading() as session:
        found = list_schemes(session, staff=current_staff())
        used = used_digests(session)
    return render_template("staff/schemes.html", schemes=found, used=used)


@pages.route("/ratings/schemes/<code>", methods=["GET"])
@requires("schemes.read")
def show_scheme(code: str) -> str:
    """Show a scheme with what no published text gives."""
    with reading() as session:
        known = get_scheme(session, staff=current_staff(), code=code)
    return render_template("staff/scheme.html", page=scheme_page(known.document))


@pages.route("/ratings/schemes/<code>/edit", methods=["GET"])
@requires("schemes.write")
def edit_scheme(code: str) -> str:
    """Show the text of a copy for changing."""
    with reading() as session:
        known = get_scheme(session, staff=current_staff(), code=code)
    copy = {**known.document, "version": known.version + (not known.is_preset)}
    return _editor(code, known.source if known.is_preset else write_scheme(copy))


def _editor(code: str, source: str, **shown: Any) -> str:
    with reading() as session:
        cycles = list_cycles(session, staff=current_staff())
    choices = [Choice("", text("schemes.no_cycle")), *(Choice(str(one.id), one.title) for one in cycles)]
    nothing = {"faults": (), "result": None, "is_correct": False, "chosen": ""}
    page = {"code": code, "source": source, "cycles": choices, **nothing, **shown}
    return render_template("staff/scheme_edit.html", **page)


@pages.route("/ratings/schemes/<code>/edit", methods=["POST"])
@requires("schemes.write")
@accepts_upload(MAX_SCHEME_BYTES * 4)
def change_scheme(code: str) -> Any:
    """Say what is wrong with a text by line, what would follow from it, or store it as a new version."""
    source, chosen = request.form.get("source", ""), request.form.get("cycle", "")
    try:
        if request.form.get("act") == "save":
            return _save(source)
        found = _preview(source, chosen)
    except Invalid as error:
        faults = scheme_faults(error.errors, source)
        return _editor(code, source, faults=faults, chosen=chosen), error.status
    return _editor(code, source, result=found, is_correct=True, chosen=chosen)


def _save(source: str) -> Any:
    with unit_of_work() as session:
        scheme = add_scheme(session, staff=current_staff(), source=source, now=clock.now())
        code = scheme.code
    return to_page("show_scheme", notice=Notice.SCHEME_SAVED, code=code)


def _preview(source: str, chosen: str) -> Any:
    if not chosen.isdecimal():
        read_document(source)
        return None
    with reading() as session:
        found = preview_changes(session, staff=current_staff(), cycle_id=int(chosen), source=source)
    return what_if_result(found)


@pages.route("/ratings/schemes/<code>/sheet", methods=["POST"])
@requires("schemes.write")
@accepts_upload(MAX_SHEET_BYTES)
def read_sheet(code: str) -> Any:
    """Show the text of a filled-in workbook for a preview, or what is wrong with it by cell."""
    try:
        source = write_scheme(read_scheme_sheet(read_upload(*uploaded_file())))
    except Invalid as error:
        with reading() as session:
            source = get_scheme(session, staff=current_staff(), code=code).source
        return _editor(
            code, source, faults=scheme_faults(error.errors) or [Fault(error.detail)]
        ), error.status
    return _editor(code, source, is_correct=True)
