"""The JSON API of opinions: the author's calls, and one call for each thing that staff do to a case."""

from collections.abc import Callable
from typing import Any

from flask import Response, json, jsonify
from sqlalchemy.orm import Session

from survey_service.ballots import access
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE
from survey_service.core.http import Blueprint, network_key, public_url
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.privacy import current_keyring
from survey_service.entrances.posters import render_poster
from survey_service.opinions import authors, boxes, originals, queries, schemas, service, writing
from survey_service.opinions.limits import guarded
from survey_service.opinions.models import Opinion, OpinionBox
from survey_service.opinions.policy import current_policy
from survey_service.opinions.public_answers import list_public_answers
from survey_service.opinions.receiving import Draft
from survey_service.opinions.rules import State
from survey_service.opinions.service import Call
from survey_service.organizations.queries import path_of_organization

blp = Blueprint("opinions", __name__, description="Opinions, their cases and their answers")

_CASE = "/opinions/<int:opinion_id>"
_AUTHOR = "authors have no accounts"
_PDF = {"type": "string", "format": "binary"}


@blp.route("/entrances/<code>/opinions", methods=["GET"])
@public(_AUTHOR)
@blp.response(200, schemas.OpinionFormOut())
@blp.problems(401, 404, 429, 503)
def open_form(code: str) -> Response:
    """Open the form behind the code of a box, a letter or a campaign, and give a ticket."""
    with reading() as session:
        form = writing.open_form(session, raw_code=code, now=clock.now())
    response = jsonify(schemas.form_json(form))
    if form.device is not None and access.known_device() is None:
        access.set_device_cookie(response, form.device)
    return response


@blp.route("/entrances/<code>/opinions", methods=["POST"])
@public("the ticket and the credential decide, not an account")
@blp.arguments(schemas.OpinionIn())
@blp.response(201, schemas.QueryCodeOut())
@blp.alt_response(200, schema=schemas.QueryCodeOut(), description="Stored before, with the same words")
@blp.problems(400, 401, 403, 404, 409, 410, 413, 422, 429, 503)
def write(body: dict[str, Any], code: str) -> Response:
    """Write an opinion; the same secret and words again give the same query code."""
    ticket, secret = body.pop("ticket"), body.pop("secret")
    with unit_of_work() as session:
        received = writing.submit_opinion(
            session, raw_code=code, signed_ticket=ticket, secret=secret, draft=Draft(**body), now=clock.now()
        )
    written = json.dumps({"query_code": received.query_code})
    return Response(written, status=201 if received.is_new else 200, content_type="application/json")


@blp.route("/opinions/<query_code>", methods=["GET"])
@public(_AUTHOR)
@blp.response(200, schemas.OpinionAuthorOut())
@blp.problems(404, 429, 503)
def look_up(query_code: str) -> dict[str, Any]:
    """Say what became of an opinion, to whoever has its query code."""
    with reading() as session, guarded(network_key()):
        return schemas.author_json(authors.look_up(session, typed=query_code, policy=current_policy()))


@blp.route("/opinions/<query_code>/verdict", methods=["POST"])
@public(_AUTHOR)
@blp.arguments(schemas.OpinionVerdictIn())
@blp.response(200, schemas.OpinionAuthorOut())
@blp.problems(400, 404, 409, 413, 422, 429, 503)
def rate(body: dict[str, Any], query_code: str) -> dict[str, Any]:
    """Judge the answer; "not satisfied" reopens the case once."""
    with unit_of_work() as session, guarded(network_key()):
        view = authors.rate_answer(
            session, typed=query_code, policy=current_policy(), today=clock.local_day(clock.now()), **body
        )
        return schemas.author_json(view)


@blp.route("/answers/<organization_code>", methods=["GET"])
@public("authors and offices have given these words to everybody")
@blp.arguments(CURSOR, location="query")
@blp.response(200, schemas.PublicAnswersOut())
@blp.problems(404, 422, 503)
def list_answers(arguments: dict[str, Any], organization_code: str) -> dict[str, Any]:
    """List what a place has answered in public, the newest first."""
    with reading() as session:
        return schemas.answers_json(
            list_public_answers(session, organization_code=organization_code, **arguments)
        )


@blp.route("/opinions", methods=["GET"])
@requires("opinions.read")
@blp.arguments(schemas.CaseFilterIn(), location="query")
@blp.response(200, schemas.OpinionsOut())
@blp.problems(401, 403, 404, 422)
def index(query: dict[str, Any]) -> dict[str, Any]:
    """List the cases that the caller may know of, what is due first standing first."""
    with reading() as session:
        narrowed = queries.OpinionFilter(
            states=_states(query["state"]), path=_path(session, query["organization"])
        )
        found = queries.list_opinions(session, staff=current_staff(), after=query["after"], narrowed=narrowed)
        rows = [schemas.opinion_json(one) for one in found]
        return paged(rows, limit=queries.PAGE_SIZE, key="position")


def _states(state: State | None) -> frozenset[State]:
    return frozenset({state}) if state else frozenset()


def _path(session: Session, code: str) -> str:
    return path_of_organization(session, code=code) if code else ""


@blp.route("/opinions", methods=["POST"])
@requires("opinions.key")
@blp.arguments(schemas.OpinionPaperIn())
@blp.response(201, schemas.OpinionIdOut())
@blp.problems(400, 401, 403, 404, 413, 422, 503)
def key_in(body: dict[str, Any]) -> dict[str, int]:
    """Key in an opinion that came on paper."""
    place = {name: body.pop(name) for name in ("organization_code", "letter_id")}
    with unit_of_work() as session:
        opinion = originals.key_opinion(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            policy=current_policy(),
            draft=Draft(**body),
            now=clock.now(),
            **place,
        )
        return {"id": opinion.id}


@blp.route(f"{_CASE}/original", methods=["POST"])
@requires("opinions.read_original")
@blp.arguments(schemas.OpinionOriginalIn())
@blp.response(200, schemas.OpinionOriginalOut())
@blp.problems(400, 401, 403, 404, 413, 422)
def show_original(body: dict[str, str], opinion_id: int) -> dict[str, str]:
    """Return the words before redaction; the reason stands in the audit trail."""
    with unit_of_work() as session:
        words = originals.read_original(
            session, keyring=current_keyring(), staff=current_staff(), opinion_id=opinion_id, **body
        )
        return {"text": words}


def _done(step: Callable[..., Opinion], opinion_id: int, body: dict[str, Any]) -> dict[str, Any]:
    """Do one thing to a case, and say where it stands."""
    call = Call(staff=current_staff(), opinion_id=opinion_id, now=clock.now(), version=body.pop("version"))
    with unit_of_work() as session:
        return schemas.state_json(step(session, call=call, policy=current_policy(), **body))


def _route(action: str, permission: str, schema: schemas.CaseActionIn, step: Callable[..., Opinion]) -> None:
    """Give an action its call: they differ in nothing but these four."""

    def act(body: dict[str, Any], opinion_id: int) -> dict[str, Any]:
        return _done(step, opinion_id, body)

    act.__name__, act.__doc__ = action.replace("-", "_"), step.__doc__
    documented = blp.problems(400, 401, 403, 404, 409, 413, 422)(act)
    answered = blp.response(200, schemas.CaseStateOut())(documented)
    blp.route(f"{_CASE}/{action}", methods=["POST"])(requires(permission)(blp.arguments(schema)(answered)))


_route("triage", "opinions.triage", schemas.CaseTriageIn(), service.triage_opinion)
_route("join", "opinions.triage", schemas.CaseJoinIn(), service.join_opinion)
_route("mask", "opinions.triage", schemas.CaseMaskIn(), service.mask_opinion)
_route("show-photo", "opinions.triage", schemas.CasePhotoIn(), service.show_photo)
_route("accept", "opinions.handle", schemas.CaseActionIn(), service.accept_opinion)
_route("begin", "opinions.handle", schemas.CaseActionIn(), service.begin_opinion)
_route("transfer", "opinions.handle", schemas.CaseTransferIn(), service.transfer_opinion)
_route("decline", "opinions.handle", schemas.CaseReasonIn(), service.decline_opinion)
_route("extend", "opinions.handle", schemas.CaseReasonIn(), service.extend_opinion)
_route("answer", "opinions.handle", schemas.CaseAnswerIn(), service.answer_opinion)
_route("call-back", "opinions.handle", schemas.CaseRemarkIn(), service.call_back_opinion)
_route("note", "opinions.handle", schemas.CaseRemarkIn(), service.note_opinion)
_route("close", "opinions.close", schemas.CaseActionIn(), service.close_opinion)


@blp.route("/opinion-boxes", methods=["GET"])
@requires("opinion_boxes.read")
@blp.response(200, schemas.OpinionBoxesOut())
@blp.problems(401, 403)
def list_boxes() -> dict[str, Any]:
    """List the posted codes of the caller's sub-tree."""
    with reading() as session:
        return {"items": [_box(one) for one in queries.list_boxes(session, staff=current_staff())]}


@blp.route("/opinion-boxes", methods=["POST"])
@requires("opinion_boxes.open")
@blp.arguments(schemas.OpinionBoxIn())
@blp.response(201, schemas.OpinionBoxOut())
@blp.problems(400, 401, 403, 404, 413, 422)
def open_box(body: dict[str, Any]) -> dict[str, Any]:
    """Make a posted code of an organization."""
    with unit_of_work() as session:
        box = boxes.open_box(session, staff=current_staff(), now=clock.now(), **body)
        return _box(box)


@blp.route("/opinion-boxes/<int:box_id>/poster", methods=["POST"])
@requires("posters.print", queries.path_of_box)
@blp.response(200, _PDF, content_type=PDF_TYPE, description="One A4 page for a wall")
@blp.problems(401, 403, 404, 503)
def print_box(box_id: int) -> Response:
    """Print the poster of a box."""
    return Response(draw_box_poster(box_id), content_type=PDF_TYPE)


def draw_box_poster(box_id: int) -> bytes:
    """Return the PDF for the wall; the typesetter works outside of the transaction."""
    with unit_of_work() as session:
        poster = boxes.prepare_box_poster(session, box_id=box_id, public_url=public_url())
    return render_poster(poster, words="box")


@blp.route("/opinion-boxes/<int:box_id>", methods=["DELETE"])
@requires("opinion_boxes.open")
@blp.response(204)
@blp.problems(401, 403, 404)
def revoke_box(box_id: int) -> None:
    """Close a posted code at once."""
    with unit_of_work() as session:
        boxes.revoke_box(session, staff=current_staff(), box_id=box_id, now=clock.now())


def _box(box: OpinionBox) -> dict[str, Any]:
    return {
        "id": box.id,
        "code": box.code,
        "url": f"{public_url()}/o/{box.code}",
        "organization_code": box.organization.code,
        "place": box.place,
    }
