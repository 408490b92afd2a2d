"""The JSON API around the sheets of a rating: evidence, visits, handing in and back, deadlines."""

from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.errors import NotFound
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint, accepts_upload
from survey_service.core.permissions import current_staff, requires
from survey_service.ratings import deadlines, evidence, form_files, forms, records, returns, visits
from survey_service.ratings import record_schemas as schemas
from survey_service.ratings.models import RatingEvidence, RatingReturn, RatingVisit
from survey_service.ratings.places import path_of_rated, path_of_steps
from survey_service.ratings.reading import read_document

blp = Blueprint(
    "rating_records", __name__, description="Evidence, visits, hand-backs and deadlines of ratings"
)

SUBJECT = "/rating-cycles/<int:cycle_id>/subjects/<organization_code>"


def _place(cycle_id: int, organization_code: str) -> dict[str, Any]:
    return {"staff": current_staff(), "cycle_id": cycle_id, "organization_code": organization_code}


@blp.route(f"{SUBJECT}/records", methods=["GET"])
@requires("ratings.read", path_of_rated)
@blp.response(200, schemas.SubjectRecords())
@blp.problems(401, 403, 404)
def show_records(cycle_id: int, organization_code: str) -> records.Records:
    """Return the evidence, the visits and the hand-backs of one subject."""
    with reading() as session:
        return records.read_records(session, **_place(cycle_id, organization_code))


@blp.route(f"{SUBJECT}/evidence/links", methods=["POST"])
@requires("ratings.score", path_of_rated)
@blp.arguments(schemas.EvidenceLinkIn())
@blp.response(201, schemas.EvidenceOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def attach_link(body: dict[str, Any], cycle_id: int, organization_code: str) -> RatingEvidence:
    """Add the address of a page to an indicator of a sheet."""
    level, place = body.pop("by"), _place(cycle_id, organization_code)
    with unit_of_work() as session:
        return evidence.attach_link(session, level=level, now=clock.now(), **place, **body)


@blp.route(f"{SUBJECT}/evidence/files", methods=["POST"])
@requires("ratings.score", path_of_rated)
@accepts_upload(evidence.MAX_EVIDENCE_BYTES)
@blp.arguments(schemas.EvidencePlaceIn(), location="form")
@blp.arguments(schemas.EvidenceFileIn(), location="files")
@blp.response(201, schemas.EvidenceOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422)
def attach_file(
    form: dict[str, Any], files: dict[str, FileStorage], cycle_id: int, organization_code: str
) -> RatingEvidence:
    """Add a photo, PDF, DOCX or XLSX of up to 5 MB to an indicator of a sheet."""
    level, place = form.pop("by"), _place(cycle_id, organization_code)
    given = {"content": files["file"].read(), "filename": files["file"].filename or ""}
    with unit_of_work() as session:
        return evidence.attach_file(session, level=level, now=clock.now(), **place, **form, **given)


@blp.route(f"{SUBJECT}/evidence/<int:evidence_id>", methods=["GET"])
@requires("ratings.read", path_of_rated)
@blp.response(200, content_type="application/octet-stream")
@blp.problems(401, 403, 404)
def download_evidence(cycle_id: int, organization_code: str, evidence_id: int) -> Response:
    """Return a file to be saved."""
    with reading() as session:
        found = evidence.read_evidence_file(
            session, evidence_id=evidence_id, **_place(cycle_id, organization_code)
        )
        content, kind = found.content or b"", found.content_type or ""
        return attachment(content, content_type=kind, filename=found.title)


@blp.route(f"{SUBJECT}/evidence/<int:evidence_id>", methods=["DELETE"])
@requires("ratings.score", path_of_rated)
@blp.response(204)
@blp.problems(401, 403, 404, 409)
def detach_evidence(cycle_id: int, organization_code: str, evidence_id: int) -> None:
    """Take a piece of evidence away while its sheet is open."""
    with unit_of_work() as session:
        evidence.detach(session, evidence_id=evidence_id, **_place(cycle_id, organization_code))


@blp.route(f"{SUBJECT}/visits", methods=["POST"])
@requires("ratings.find", path_of_rated, is_above=True)
@blp.arguments(schemas.VisitIn())
@blp.response(201, schemas.VisitOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def note_visit(body: dict[str, Any], cycle_id: int, organization_code: str) -> RatingVisit:
    """Note what was found on the spot."""
    words, place = body.pop("text"), _place(cycle_id, organization_code)
    with unit_of_work() as session:
        return visits.note_visit(session, words=words, now=clock.now(), **place, **body)


@blp.route("/rating-cycles/<int:cycle_id>/visits-due", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.VisitsDuePage())
@blp.problems(401, 403, 404)
def list_visits_due(cycle_id: int) -> dict[str, Any]:
    """List who is to be visited before grades are final, and who has been."""
    with reading() as session:
        return {"items": records.read_visits_due(session, staff=current_staff(), cycle_id=cycle_id)}


@blp.route(f"{SUBJECT}/submit", methods=["POST"])
@requires("ratings.score", path_of_rated)
@blp.arguments(schemas.LevelIn())
@blp.response(200, schemas.SubmittedOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def submit_sheet(body: dict[str, Any], cycle_id: int, organization_code: str) -> dict[str, Any]:
    """Hand in a sheet; it is closed from then on."""
    with unit_of_work() as session:
        sheet = returns.submit_sheet(
            session, level=body["by"], now=clock.now(), **_place(cycle_id, organization_code)
        )
        return body | {"organization_code": organization_code, "submitted_at": sheet.submitted_at}


@blp.route(f"{SUBJECT}/return", methods=["POST"])
@requires("ratings.find", path_of_rated, is_above=True)
@blp.arguments(schemas.ReturnIn())
@blp.response(201, schemas.ReturnOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def return_sheet(body: dict[str, Any], cycle_id: int, organization_code: str) -> RatingReturn:
    """Hand a sheet back to its level with a remark."""
    level, place = body.pop("by"), _place(cycle_id, organization_code)
    with unit_of_work() as session:
        return returns.return_sheet(session, level=level, now=clock.now(), **place, **body)


@blp.route("/rating-cycles/<int:cycle_id>/deadlines/<step>", methods=["PUT"])
@requires("ratings.move", path_of_steps)
@blp.arguments(schemas.DeadlineIn())
@blp.response(200, schemas.DeadlineOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def set_deadline(body: dict[str, Any], cycle_id: int, step: str) -> dict[str, Any]:
    """Set the last day of a step."""
    now = clock.now()
    with unit_of_work() as session:
        changed = deadlines.set_deadline(
            session, staff=current_staff(), cycle_id=cycle_id, step=step, now=now, **body
        )
        return records.deadline(changed, clock.local_day(now))


@blp.route("/rating-cycles/<int:cycle_id>/forms", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.FormPage())
@blp.problems(401, 403, 404)
def list_forms(cycle_id: int) -> dict[str, Any]:
    """List the forms of a cycle with the titles of its scheme."""
    with reading() as session:
        document = read_document(session, staff=current_staff(), cycle_id=cycle_id)
    items = [
        {"code": kind, "title": forms.form_title(document, kind), "of_subject": kind in forms.OF_ONE_SUBJECT}
        for kind in forms.list_forms(document)
    ]
    return {"items": items}


@blp.route("/rating-cycles/<int:cycle_id>/forms/<form>.xlsx", methods=["GET"])
@requires("ratings.export")
@blp.arguments(schemas.FormIn(), location="query")
@blp.response(200, content_type=XLSX_TYPE)
@blp.problems(401, 403, 404, 409, 422)
def download_workbook(arguments: dict[str, Any], cycle_id: int, form: str) -> Response:
    """Return a form as XLSX."""
    built = _form(cycle_id, form, arguments)
    filename = form_files.form_filename(built, "xlsx")
    return attachment(form_files.form_workbook(built), content_type=XLSX_TYPE, filename=filename)


@blp.route("/rating-cycles/<int:cycle_id>/forms/<form>.pdf", methods=["GET"])
@requires("ratings.export")
@blp.arguments(schemas.FormIn(), location="query")
@blp.response(200, content_type=PDF_TYPE)
@blp.problems(401, 403, 404, 409, 422, 503)
def download_pdf(arguments: dict[str, Any], cycle_id: int, form: str) -> Response:
    """Return a form as PDF."""
    built = _form(cycle_id, form, arguments)
    filename = form_files.form_filename(built, "pdf")
    return attachment(form_files.form_pdf(built), content_type=PDF_TYPE, filename=filename)


def _form(cycle_id: int, code: str, arguments: dict[str, Any]) -> forms.Form:
    if code not in set(forms.FormKind):
        raise NotFound
    with reading() as session:
        kind = forms.FormKind(code)
        return forms.build_form(session, staff=current_staff(), cycle_id=cycle_id, kind=kind, **arguments)
