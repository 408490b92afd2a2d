"""The pages on which accounts are imported and slips are printed."""

from typing import Any

from flask import Response, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import attachment
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import accepts_upload
from survey_service.core.import_files import checked_filename
from survey_service.core.permissions import current_staff, requires
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.reports.pages.frame import pages, uploaded_file
from survey_service.reports.presentation.accounts import slips_page
from survey_service.reports.presentation.imports import (
    ACCOUNTS,
    BASE64_BYTES,
    ImportPage,
    file_sent_back,
    refused_import,
)
from survey_service.staff import importing
from survey_service.staff.printing import kept_slips, slips_pdf


@pages.route("/accounts/import", methods=["GET"])
@requires("staff.import")
def ask_for_accounts() -> str:
    """Show the form of an import."""
    return render_template("staff/import.html", page=ImportPage(ACCOUNTS))


@pages.route("/accounts/import", methods=["POST"])
@requires("staff.import")
@accepts_upload(MAX_FILE_BYTES)
def import_accounts() -> Any:
    """Create the accounts of a sheet, all or nothing, and offer their slips."""
    content, name = uploaded_file()
    given: dict[str, Any] = {"content": content, "filename": name, "by": current_staff()}
    try:
        with unit_of_work() as session:
            made = importing.import_accounts(session, **given, now=clock.now())
            page = slips_page(made, slips=kept_slips(session, made))
    except (Invalid, Conflict) as error:
        refused = refused_import(ACCOUNTS, error.detail, error.errors, filename=name, content=content)
        return render_template("staff/import.html", page=refused), error.status
    return render_template("staff/slips.html", page=page)


@pages.route("/accounts/import/errors", methods=["POST"])
@requires("staff.import")
@accepts_upload(BASE64_BYTES)
def mark_account_errors() -> Response:
    """Return a copy of a refused sheet in which bad rows are marked."""
    content, name = file_sent_back(request.form.get("content", "")), request.form.get("filename", "")
    with reading() as session:
        copy = importing.check_import(session, content=content, filename=name, by=current_staff())
    return attachment(copy, content_type=XLSX_TYPE, filename=checked_filename(name))


@pages.route("/accounts/slips", methods=["POST"])
@requires("staff.print")
def print_slips() -> Response:
    """Print the slips that an earlier page gave within the last hour."""
    return slips_pdf(request.form.get("slips", ""))
