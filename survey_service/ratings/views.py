"""The JSON API of schemes and of rating cycles."""

import json
from typing import Any, cast

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint, accepts_upload, public_url
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.ratings import decisions, objections, process, queries, schemas, service, sheets
from survey_service.ratings import reading as reader
from survey_service.ratings.documents import json_schema
from survey_service.ratings.grade_files import push_grades
from survey_service.ratings.models import RatingCycle, RatingDecision, RatingObjection, RatingSubject
from survey_service.ratings.overview import read_grade_table
from survey_service.ratings.places import path_of_cycle, path_of_rated, path_of_steps
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES
from survey_service.ratings.vocabulary import Level

blp = Blueprint("ratings", __name__, description="Rating schemes, cycles and grades")


@blp.route("/schemes", methods=["GET"])
@requires("schemes.read")
@blp.response(200, schemas.SchemePage())
@blp.problems(401, 403)
def list_schemes() -> dict[str, Any]:
    """List the presets and the newest versions of one's own schemes."""
    with reading() as session:
        used = queries.used_digests(session)
        known = queries.list_schemes(session, staff=current_staff())
        return {"items": [_scheme_row(one, used) for one in known]}


@blp.route("/schemes", methods=["POST"])
@requires("schemes.write")
@accepts_upload(MAX_SCHEME_BYTES * 2)
@blp.arguments(schemas.SchemeIn())
@blp.response(201, schemas.SchemeRow())
@blp.problems(400, 401, 403, 409, 413, 422)
def add_scheme(body: dict[str, str]) -> dict[str, Any]:
    """Store a version of a scheme of one's own; what is wrong is named by its line."""
    with unit_of_work() as session:
        scheme = service.add_scheme(session, staff=current_staff(), now=clock.now(), **body)
        known = queries.get_scheme(session, staff=current_staff(), code=scheme.code, version=scheme.version)
        return _scheme_row(known, queries.used_digests(session))


@blp.route("/schemes/schema", methods=["GET"])
@requires("schemes.read")
@blp.response(200, schemas.JsonSchemaOut())
@blp.problems(401, 403)
def show_json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scheme's file."""
    published = json_schema()
    return {
        "schema": published["$schema"],
        "reference": published["$ref"],
        "definitions": published["$defs"],
    }


@blp.route("/schemes/<code>", methods=["GET"])
@requires("schemes.read")
@blp.arguments(schemas.SchemeVersionIn(), location="query")
@blp.response(200, schemas.SchemeDetail())
@blp.problems(401, 403, 404, 422)
def show_scheme(arguments: dict[str, int], code: str) -> dict[str, Any]:
    """Return a scheme with its assumptions and its text, the newest version by default."""
    with reading() as session:
        known = queries.get_scheme(session, staff=current_staff(), code=code, **arguments)
        shown = {"document": known.document, "source": known.source}
        return _scheme_row(known, queries.used_digests(session)) | shown


def _scheme_row(known: queries.KnownScheme, used: set[str]) -> dict[str, Any]:
    return {
        "code": known.code,
        "version": known.version,
        "title": known.document["title"],
        "locked": known.digest in used,
        "hash": known.digest,
        "is_preset": known.is_preset,
        "assumptions": known.document["assumptions"],
    }


@blp.route("/rating-cycles", methods=["POST"])
@requires("ratings.open")
@blp.arguments(schemas.CycleIn())
@blp.response(201, schemas.CycleOpened())
@blp.problems(400, 401, 403, 404, 422)
def open_cycle(body: dict[str, Any]) -> dict[str, Any]:
    """Open a cycle; its scheme is locked from here on."""
    with unit_of_work() as session:
        opened = service.open_cycle(session, staff=current_staff(), now=clock.now(), **body)
        return _moved(opened.cycle) | {"warnings": opened.warnings}


@blp.route("/rating-cycles", methods=["GET"])
@requires("ratings.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, schemas.CyclePage())
@blp.problems(401, 403, 422)
def list_cycles(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the cycles that concern one's own sub-tree."""
    with reading() as session:
        found = queries.list_cycles(session, staff=current_staff(), **arguments)
        return paged([reader.cycle_row(cycle) for cycle in found], limit=queries.PAGE_SIZE)


@blp.route("/rating-cycles/<int:cycle_id>", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.CycleDetail())
@blp.problems(401, 403, 404)
def show_cycle(cycle_id: int) -> dict[str, Any]:
    """Return a cycle with its steps, their history and what follows from its grades."""
    with reading() as session:
        return reader.read_cycle(session, staff=current_staff(), cycle_id=cycle_id)


@blp.route("/rating-cycles/<int:cycle_id>/subjects/<organization_code>", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.RatedSubjectOut())
@blp.problems(401, 403, 404)
def show_subject(cycle_id: int, organization_code: str) -> dict[str, Any]:
    """Return the scores of all levels for one subject, side by side."""
    with reading() as session:
        return reader.read_subject(
            session, staff=current_staff(), cycle_id=cycle_id, organization_code=organization_code
        )


@blp.route("/rating-cycles/<int:cycle_id>/subjects/<organization_code>/scores", methods=["PUT"])
@requires("ratings.score", path_of_rated)
@blp.arguments(schemas.SheetIn())
@blp.response(200, schemas.SheetOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def fill_in(body: dict[str, Any], cycle_id: int, organization_code: str) -> dict[str, Any]:
    """Write scores of one level; entries that are not named stay, null takes one away."""
    staff, level = current_staff(), Level(body.pop("by"))
    with unit_of_work() as session:
        sheets.fill_in_sheet(
            session,
            staff=staff,
            cycle_id=cycle_id,
            organization_code=organization_code,
            level=level,
            entries=body,
            now=clock.now(),
        )
        total = reader.sheet_total(session, cycle_id, organization_code, level)
        return {"organization_code": organization_code, "by": level, "total": total}


@blp.route("/rating-cycles/<int:cycle_id>/subjects/<organization_code>/findings", methods=["PUT"])
@requires("ratings.find", path_of_rated, is_above=True)
@blp.arguments(schemas.FindingsIn())
@blp.response(200, schemas.FindingsOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def note_findings(body: dict[str, Any], cycle_id: int, organization_code: str) -> dict[str, Any]:
    """Write vetoes, negative findings, bonus and penalty, the field, or an exclusion with its reason."""
    with unit_of_work() as session:
        row = service.note_findings(
            session,
            staff=current_staff(),
            cycle_id=cycle_id,
            organization_code=organization_code,
            found=cast(service.Findings, body),
        )
        return _findings(row, organization_code)


def _findings(row: RatingSubject, organization_code: str) -> dict[str, Any]:
    return {
        "organization_code": organization_code,
        "excluded": row.exclusion,
        "field": row.field_code,
        "findings": json.loads(row.findings),
    }


@blp.route("/rating-cycles/<int:cycle_id>/grades", methods=["GET"])
@requires("ratings.read")
@blp.arguments(schemas.GradesIn(), location="query")
@blp.response(200, schemas.GradeTable())
@blp.problems(401, 403, 404, 422)
def show_grades(arguments: dict[str, Any], cycle_id: int) -> dict[str, Any]:
    """Return total, proposal and final grade of every subject, each with its reasons; or a page of them."""
    with reading() as session:
        return read_grade_table(session, staff=current_staff(), cycle_id=cycle_id, **arguments)


@blp.route("/rating-cycles/<int:cycle_id>/grades/<organization_code>/trace", methods=["GET"])
@requires("ratings.read")
@blp.response(200, schemas.TraceOut())
@blp.problems(401, 403, 404)
def show_trace(cycle_id: int, organization_code: str) -> dict[str, Any]:
    """Return how one grade came about, down to the ballots."""
    with reading() as session:
        return reader.read_trace(
            session, staff=current_staff(), cycle_id=cycle_id, organization_code=organization_code
        )


@blp.route("/rating-cycles/<int:cycle_id>/decisions/<organization_code>", methods=["PUT"])
@requires("ratings.decide", path_of_cycle)
@blp.arguments(schemas.GradeDecisionIn())
@blp.response(200, schemas.GradeDecisionOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def decide(body: dict[str, Any], cycle_id: int, organization_code: str) -> RatingDecision:
    """Decide a grade; another than the proposed one needs a reason."""
    with unit_of_work() as session:
        return decisions.decide_grade(
            session,
            staff=current_staff(),
            cycle_id=cycle_id,
            organization_code=organization_code,
            now=clock.now(),
            **body,
        )


@blp.route("/rating-cycles/<int:cycle_id>/downgrades/<organization_code>", methods=["POST"])
@requires("ratings.decide", path_of_cycle)
@blp.arguments(schemas.DowngradeIn())
@blp.response(201, schemas.GradeDecisionOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def downgrade(body: dict[str, Any], cycle_id: int, organization_code: str) -> RatingDecision:
    """Lower a final grade for one of the triggers of the scheme, with a reason."""
    place: dict[str, Any] = {"cycle_id": cycle_id, "now": clock.now()}
    with unit_of_work() as session:
        decision = decisions.downgrade(
            session, staff=current_staff(), organization_code=organization_code, **place, **body
        )
        push_grades(session, issuer=public_url(), keyring=current_keyring(), **place)
        return decision


@blp.route("/rating-cycles/<int:cycle_id>/objections", methods=["POST"])
@requires("ratings.move", path_of_cycle)
@blp.arguments(schemas.ObjectionIn())
@blp.response(201, schemas.ObjectionOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def raise_objection(body: dict[str, Any], cycle_id: int) -> RatingObjection:
    """Note an objection during the public notice."""
    words = body.pop("text")
    with unit_of_work() as session:
        return objections.raise_objection(
            session, staff=current_staff(), cycle_id=cycle_id, words=words, now=clock.now(), **body
        )


@blp.route("/rating-cycles/<int:cycle_id>/objections/<int:objection_id>/outcome", methods=["POST"])
@requires("ratings.decide", path_of_cycle)
@blp.arguments(schemas.OutcomeIn())
@blp.response(200, schemas.ObjectionOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def settle_objection(body: dict[str, Any], cycle_id: int, objection_id: int) -> RatingObjection:
    """Say what came of an objection, with the grade that is given instead where it is right."""
    with unit_of_work() as session:
        return objections.settle_objection(
            session,
            staff=current_staff(),
            cycle_id=cycle_id,
            objection_id=objection_id,
            now=clock.now(),
            **body,
        )


@blp.route("/rating-cycles/<int:cycle_id>/send-back", methods=["POST"])
@requires("ratings.move", path_of_steps)
@blp.arguments(schemas.SendBackIn())
@blp.response(200, schemas.StepMoved())
@blp.problems(400, 401, 403, 404, 409, 422)
def send_back(body: dict[str, str], cycle_id: int) -> dict[str, Any]:
    """Go back to an earlier step with a remark."""
    with unit_of_work() as session:
        return _moved(
            process.send_back(session, staff=current_staff(), cycle_id=cycle_id, now=clock.now(), **body)
        )


@blp.route("/rating-cycles/<int:cycle_id>/<step>", methods=["POST"])
@requires("ratings.move", path_of_steps)
@blp.arguments(schemas.StepIn())
@blp.response(200, schemas.StepMoved())
@blp.problems(400, 401, 403, 404, 409, 422)
def complete_step(body: dict[str, Any], cycle_id: int, step: str) -> dict[str, Any]:
    """Complete the step that is due, by its code, and move on to the next."""
    place: dict[str, Any] = {"cycle_id": cycle_id, "now": clock.now()}
    with unit_of_work() as session:
        cycle = process.complete_step(session, staff=current_staff(), step=step, **place, **body)
        push_grades(session, issuer=public_url(), keyring=current_keyring(), **place)
        return _moved(cycle)


def _moved(cycle: RatingCycle) -> dict[str, Any]:
    return {name: reader.cycle_row(cycle)[name] for name in ("id", "step", "is_final")}
