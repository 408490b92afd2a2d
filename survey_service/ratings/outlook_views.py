"""The JSON API around a cycle: what if, how sure the ranking is, warnings, files of grades, the history."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import attachment
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint, accepts_upload, public_url
from survey_service.core.import_files import read_upload
from survey_service.core.paging import paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.ratings import grade_files, history, previews, warnings
from survey_service.ratings import outlook_schemas as schemas
from survey_service.ratings.models import RatingWarning
from survey_service.ratings.places import path_of_cycle, path_of_rated, path_of_steps
from survey_service.ratings.queries import get_scheme
from survey_service.ratings.schemas import SchemeVersionIn
from survey_service.ratings.scheme_changes import Changes
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES
from survey_service.ratings.scheme_sheet import read_scheme_sheet, write_scheme_sheet
from survey_service.ratings.scheme_writing import write_scheme

MAX_FILE_BYTES = 10 * 1024 * 1024
MAX_SHEET_BYTES = 1024 * 1024

blp = Blueprint("rating_outlook", __name__, description="Around a rating: what if, warnings, history")


@blp.route("/rating-cycles/<int:cycle_id>/what-if", methods=["POST"])
@requires("ratings.preview")
@accepts_upload(MAX_SCHEME_BYTES * 2)
@blp.arguments(schemas.WhatIfIn())
@blp.response(200, schemas.WhatIfOut())
@blp.problems(400, 401, 403, 404, 413, 422)
def show_what_if(body: dict[str, Any], cycle_id: int) -> dict[str, Any]:
    """Grade everybody by a changed scheme and say who moves; nothing is stored."""
    source = body.pop("source", None)
    with reading() as session:
        return previews.preview_changes(
            session, staff=current_staff(), cycle_id=cycle_id, changes=changes_of(body), source=source
        )


def changes_of(body: Mapping[str, Mapping[str, Decimal | None]]) -> Changes:
    """Return the single changes that a checked body names."""
    return Changes(**{part: _written(numbers) for part, numbers in body.items()})


def _written(numbers: Mapping[str, Decimal | None]) -> dict[str, str]:
    """Write numbers as a scheme's document holds them; nothing is an empty text."""
    return {name: "" if one is None else format(one, "f") for name, one in numbers.items()}


@blp.route("/rating-cycles/<int:cycle_id>/sensitivity", methods=["GET"])
@requires("ratings.preview")
@blp.response(200, schemas.SensitivityOut())
@blp.problems(401, 403, 404)
def show_sensitivity(cycle_id: int) -> dict[str, Any]:
    """Return the ranking with its intervals, and which neighbours they cannot tell apart."""
    with reading() as session:
        return previews.read_sensitivity(session, staff=current_staff(), cycle_id=cycle_id)


@blp.route("/schemes/<code>/sheet", methods=["GET"])
@requires("schemes.read")
@blp.arguments(SchemeVersionIn(), location="query")
@blp.response(200, content_type=XLSX_TYPE)
@blp.problems(401, 403, 404, 422)
def download_sheet(arguments: dict[str, int], code: str) -> Response:
    """Return a scheme as a workbook, which can be changed and sent back."""
    with reading() as session:
        document = get_scheme(session, staff=current_staff(), code=code, **arguments).document
    filename = text("scheme_sheet.filename", title=document["title"], version=document["version"])
    return attachment(write_scheme_sheet(document), content_type=XLSX_TYPE, filename=filename)


@blp.route("/schemes/sheet", methods=["POST"])
@requires("schemes.write")
@accepts_upload(MAX_SHEET_BYTES)
@blp.arguments(schemas.SchemeFileIn(), location="files")
@blp.response(200, schemas.SchemeText())
@blp.problems(400, 401, 403, 413, 422)
def read_sheet(files: dict[str, FileStorage]) -> dict[str, str]:
    """Return the text of a filled-in workbook; what is wrong is named by its cell. Nothing is stored."""
    cells = read_upload(files["file"].read(), files["file"].filename or "")
    return {"source": write_scheme(read_scheme_sheet(cells))}


@blp.route("/rating-warnings", methods=["GET"])
@requires("ratings.read")
@blp.arguments(schemas.WARNING_QUERY, location="query")
@blp.response(200, schemas.WarningPage())
@blp.problems(401, 403, 422)
def list_warnings(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the warnings of one's own sub-tree: those that stand, or with `all` the whole log."""
    with reading() as session:
        found = warnings.read_warnings(
            session,
            staff=current_staff(),
            after=arguments["after"],
            is_standing=not arguments["all_"],
        )
        return paged(found, limit=warnings.PAGE_SIZE)


@blp.route("/rating-warnings/<int:warning_id>/answer", methods=["PUT"])
@requires("ratings.answer")
@blp.arguments(schemas.AnswerIn())
@blp.response(200, schemas.AnswerOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def answer_warning(body: dict[str, str], warning_id: int) -> RatingWarning:
    """Say what is being done about a warning."""
    with unit_of_work() as session:
        return warnings.answer_warning(
            session, staff=current_staff(), warning_id=warning_id, words=body["answer"], now=clock.now()
        )


@blp.route("/rating-cycles/<int:cycle_id>/warnings/check", methods=["POST"])
@requires("ratings.move", path_of_steps)
@blp.response(200, schemas.WarningsChecked())
@blp.problems(401, 403, 404)
def check_warnings(cycle_id: int) -> dict[str, int]:
    """Look through a cycle at once, which else happens once a day."""
    with unit_of_work() as session:
        return {"standing": warnings.watch_cycle(session, cycle_id=cycle_id, now=clock.now())}


@blp.route("/rating-cycles/<int:cycle_id>/grades/file", methods=["GET"])
@requires("ratings.sign", path_of_cycle)
@blp.response(200, schemas.GradeFile())
@blp.problems(401, 403, 404, 409)
def export_grades(cycle_id: int) -> dict[str, Any]:
    """Return the final grades of a cycle, signed."""
    with unit_of_work() as session:
        return grade_files.export_grades(
            session, cycle_id=cycle_id, issuer=public_url(), keyring=current_keyring()
        )


@blp.route("/rating-key", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.PublicKeyOut())
@blp.problems(401, 403)
def show_public_key() -> dict[str, str]:
    """Return the public key that our files are checked with."""
    return {"key": grade_files.public_key(current_keyring()), "algorithm": "Ed25519"}


@blp.route("/rating-history", methods=["POST"])
@requires("ratings.import")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(schemas.GradeFileIn())
@blp.response(200, schemas.GradesImported())
@blp.problems(400, 401, 403, 409, 413, 422)
def import_grades(body: dict[str, Any]) -> dict[str, int]:
    """Take the grades of a signed file into the history, all of them or none."""
    envelope = schemas.GradeFile().dump(body["file"])
    with unit_of_work() as session:
        count = history.import_grades(
            session, staff=current_staff(), envelope=envelope, key=body["key"], now=clock.now()
        )
        return {"imported": count}


@blp.route("/rating-history/<organization_code>", methods=["GET"])
@requires("ratings.read", path_of_rated)
@blp.response(200, schemas.HistoryOut())
@blp.problems(401, 403, 404)
def show_history(organization_code: str) -> dict[str, Any]:
    """Return the final grades of an organization over the years."""
    with reading() as session:
        return history.read_history(session, staff=current_staff(), organization_code=organization_code)
