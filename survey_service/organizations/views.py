"""The JSON API of organizations."""

from dataclasses import asdict
from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import attachment
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint, accepts_upload
from survey_service.core.import_files import checked_filename
from survey_service.core.paging import paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.core.texts import text
from survey_service.organizations import import_files, queries, service
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import RosterSize
from survey_service.organizations.schemas import (
    ImportIn,
    ImportOut,
    OrganizationOut,
    OrganizationPage,
    OrganizationQuery,
    RosterIn,
    uploaded,
)

blp = Blueprint("organizations", __name__, description="The tree and its roster sizes")


@blp.route("/organizations", methods=["GET"])
@requires("organizations.read")
@blp.arguments(OrganizationQuery(), location="query")
@blp.response(200, OrganizationPage())
@blp.problems(400, 401, 403, 404, 422)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List what stands directly under an organization, or one's own organization."""
    with reading() as session:
        found = service.list_organizations(session, within_path=current_staff().path, **arguments)
        return paged([_row(one) for one in found], limit=queries.PAGE_SIZE)


@blp.route("/organizations/import", methods=["POST"])
@requires("organizations.import")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(ImportIn(), location="files")
@blp.response(200, ImportOut())
@blp.problems(401, 403, 409, 413, 422)
def import_file(files: dict[str, FileStorage]) -> dict[str, int]:
    """Create and update organizations from a sheet, all or nothing."""
    with unit_of_work() as session:
        result = service.import_organizations(session, **uploaded(files), within_path=current_staff().path)
        return asdict(result)


@blp.route("/organizations/import/errors", methods=["POST"])
@requires("organizations.import")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(ImportIn(), location="files")
@blp.response(200, {"type": "string", "format": "binary"}, content_type=XLSX_TYPE)
@blp.problems(401, 403, 413, 422)
def mark_errors(files: dict[str, FileStorage]) -> Response:
    """Return a copy of the sheet in which bad rows are marked; nothing is written."""
    upload = uploaded(files)
    with reading() as session:
        copy = service.check_import(session, **upload, within_path=current_staff().path)
    return attachment(copy, content_type=XLSX_TYPE, filename=checked_filename(upload["filename"]))


@blp.route("/organizations/import-template.xlsx", methods=["GET"])
@requires("organizations.import")
@blp.response(200, {"type": "string", "format": "binary"}, content_type=XLSX_TYPE)
@blp.problems(401, 403)
def template() -> Response:
    """Return the sheet to fill in, with an explanation."""
    return attachment(
        import_files.write_template(),
        content_type=XLSX_TYPE,
        filename=text("organizations.template_filename"),
    )


@blp.route("/organizations/<code>", methods=["PATCH"])
@requires("organizations.update", queries.path_of_organization)
@blp.arguments(RosterIn())
@blp.response(200, OrganizationOut())
@blp.problems(400, 401, 403, 404, 422)
def update(body: dict[str, int | None], code: str) -> dict[str, Any]:
    """Set roster sizes; running campaigns keep the numbers of their launch."""
    sizes = {RosterSize(name): value for name, value in body.items()}
    with unit_of_work() as session:
        return _row(service.update_roster(session, code=code, sizes=sizes))


def _row(organization: Organization) -> dict[str, Any]:
    names = ("id", "code", "name", "kind", "parent_code", "is_roster_generated", *RosterSize)
    return {name: getattr(organization, name) for name in names}
