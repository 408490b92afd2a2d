"""The pages of the tree: one level at a time, and imports."""

from typing import Any

from flask import Response, render_template, request

from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import attachment
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import accepts_upload
from survey_service.core.import_files import checked_filename
from survey_service.core.permissions import current_staff, requires
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.organizations import service
from survey_service.reports.pages.frame import cursor, pages, uploaded_file
from survey_service.reports.presentation.imports import (
    BASE64_BYTES,
    ORGANIZATIONS,
    ImportPage,
    file_sent_back,
    refused_import,
)
from survey_service.reports.presentation.organizations import finished_import, organizations_page
from survey_service.reports.tree import read_level


@pages.route("/organizations", methods=["GET"])
@requires("organizations.read")
def list_organizations() -> str:
    """Show what stands directly under an organization, one's own to begin with."""
    code, after = request.args.get("parent"), cursor()
    with reading() as session:
        level = read_level(session, staff=current_staff(), code=code, after=after)
    return render_template("staff/organizations.html", page=organizations_page(level))


@pages.route("/organizations/import", methods=["GET"])
@requires("organizations.import")
def ask_for_import() -> str:
    """Show the form of an import."""
    return render_template("staff/import.html", page=ImportPage(ORGANIZATIONS))


@pages.route("/organizations/import", methods=["POST"])
@requires("organizations.import")
@accepts_upload(MAX_FILE_BYTES)
def import_organizations() -> Any:
    """Create and update organizations from a sheet, all or nothing."""
    content, name = uploaded_file()
    place = {"within_path": current_staff().path, "filename": name}
    try:
        with unit_of_work() as session:
            result = service.import_organizations(session, content=content, **place)
    except (Invalid, Conflict) as error:
        page = refused_import(ORGANIZATIONS, error.detail, error.errors, filename=name, content=content)
        return render_template("staff/import.html", page=page), error.status
    return render_template("staff/import.html", page=finished_import(result))


@pages.route("/organizations/import/errors", methods=["POST"])
@requires("organizations.import")
@accepts_upload(BASE64_BYTES)
def mark_import_errors() -> Response:
    """Return a copy of a refused sheet in which bad rows are marked."""
    content, name = file_sent_back(request.form.get("content", "")), request.form.get("filename", "")
    with reading() as session:
        copy = service.check_import(session, content=content, filename=name, within_path=current_staff().path)
    return attachment(copy, content_type=XLSX_TYPE, filename=checked_filename(name))
