"""The JSON API of paper batches."""

from typing import Any

from flask import Response

from survey_service.ballots.access import limits
from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE
from survey_service.core.errors import Invalid, NotFound
from survey_service.core.http import Blueprint, public_url
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.paper_entry import closing, keying, service, sheets
from survey_service.paper_entry.queries import get_batch, path_of_batch
from survey_service.paper_entry.rules import Keying, ListKind
from survey_service.paper_entry.schemas import (
    BatchesOut,
    BatchIn,
    BatchMade,
    BatchOut,
    DiscardIn,
    LinesIn,
    LinesOut,
    ListOut,
    SettlementIn,
    SheetsIn,
    batch_json,
    list_json,
    view_json,
)

blp = Blueprint("paper_entry", __name__, description="Paper ballots and meeting totals, keyed by two people")

BATCHES = "/campaigns/<int:campaign_id>/paper-batches"
BATCH = f"{BATCHES}/<int:batch_id>"
LIST = f"{BATCH}/<list_kind>"
LOOK = f"{LIST}/<look>"


@blp.route(BATCHES, methods=["GET"])
@requires("paper.read")
@blp.response(200, BatchesOut())
@blp.problems(401, 403, 404, 503)
def list_batches(campaign_id: int) -> dict[str, Any]:
    """List the batches of the organizations below one's own level; not paged."""
    with reading() as session:
        _, found = service.read_board(session, staff=current_staff(), campaign_id=campaign_id)
        return {"items": [batch_json(batch, subject) for batch, subject in found]}


@blp.route(BATCHES, methods=["POST"])
@requires("paper.open")
@blp.arguments(BatchIn())
@blp.response(201, BatchMade())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def open_batch(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Open a batch for the paper of one organization and class."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    with unit_of_work() as session:
        batch = service.open_batch(session, **place, **body | {"mode": Mode(body["mode"])})
        return {"id": batch.id, "state": batch.state}


@blp.route("/campaigns/<int:campaign_id>/paper-ballots", methods=["POST"])
@requires("paper.print")
@blp.arguments(SheetsIn())
@blp.response(200, content_type=PDF_TYPE)
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def print_ballots(body: dict[str, Any], campaign_id: int) -> Response:
    """Print ballots without codes, each with a stub that has one; or those of a meeting."""
    return Response(render_sheets(campaign_id, body), content_type=PDF_TYPE)


def render_sheets(campaign_id: int, body: dict[str, Any]) -> bytes:
    """Return what `SheetsIn` asks for; the database is let go before the typesetting begins."""
    with unit_of_work() as session:
        prepared = sheets.prepare_sheets(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            public_url=public_url(),
            campaign_id=campaign_id,
            now=clock.now(),
            **body | {"mode": Mode(body["mode"])},
        )
    return sheets.render_sheets(prepared)


@blp.route(BATCH, methods=["GET"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.response(200, BatchOut())
@blp.problems(401, 403, 404, 503)
def show_batch(campaign_id: int, batch_id: int) -> dict[str, Any]:
    """Show how far the lists of a batch have come; differences when both people have finished."""
    with reading() as session:
        return view_json(service.read_batch(session, campaign_id=campaign_id, batch_id=batch_id))


@blp.route(LOOK, methods=["PUT"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.arguments(LinesIn())
@blp.response(200, LinesOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 429, 503)
def key_lines(
    body: dict[str, Any], campaign_id: int, batch_id: int, list_kind: str, look: str
) -> dict[str, Any]:
    """Store lines of the `first` or `second` keying; the two are different people."""
    place = place_of(campaign_id, batch_id, list_kind) | {"keying": look_of(look)}
    return {"lines": key_limited(place | body)}


def key_limited(arguments: dict[str, Any]) -> int:
    """Store lines in a unit of work; codes that fit nowhere count against guessing."""
    limit, staff = limits().failed_codes, current_staff()
    key = ("staff", staff.id)
    if limit.is_exhausted(key):
        limit.hit(key)
    try:
        with unit_of_work() as session:
            return keying.key_lines(session, staff=staff, keyring=current_keyring(), **arguments)
    except Invalid:
        if arguments["kind"] is ListKind.STUBS:
            limit.hit(key)
        raise


@blp.route(f"{LOOK}/finish", methods=["POST"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.response(200, ListOut())
@blp.problems(401, 403, 404, 409, 503)
def finish(campaign_id: int, batch_id: int, list_kind: str, look: str) -> dict[str, Any]:
    """Say that one's own keying of a list is complete."""
    place = place_of(campaign_id, batch_id, list_kind)
    with unit_of_work() as session:
        keying.finish_keying(session, staff=current_staff(), keying=look_of(look), **place)
        return _state(session, place)


@blp.route(f"{LOOK}/restart", methods=["POST"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.response(200, ListOut())
@blp.problems(401, 403, 404, 409, 503)
def restart(campaign_id: int, batch_id: int, list_kind: str, look: str) -> dict[str, Any]:
    """Throw one's own unfinished keying of a list away."""
    place = place_of(campaign_id, batch_id, list_kind)
    with unit_of_work() as session:
        keying.restart_keying(session, staff=current_staff(), keying=look_of(look), **place)
        return _state(session, place)


@blp.route(f"{LIST}/settlement", methods=["PUT"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.arguments(SettlementIn())
@blp.response(200, ListOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def settle(body: dict[str, Any], campaign_id: int, batch_id: int, list_kind: str) -> dict[str, Any]:
    """Store what a third look at the paper found."""
    place = place_of(campaign_id, batch_id, list_kind)
    with unit_of_work() as session:
        keying.settle_differences(session, staff=current_staff(), keyring=current_keyring(), **place, **body)
        return _state(session, place)


@blp.route(f"{LIST}/settlement/confirm", methods=["POST"])
@requires("paper.key", path_of_batch, is_above=True)
@blp.response(200, ListOut())
@blp.problems(401, 403, 404, 409, 503)
def confirm(campaign_id: int, batch_id: int, list_kind: str) -> dict[str, Any]:
    """Confirm what one of the two keyers has settled."""
    place = place_of(campaign_id, batch_id, list_kind)
    with unit_of_work() as session:
        keying.confirm_settlement(session, staff=current_staff(), **place)
        return _state(session, place)


@blp.route(f"{BATCH}/close", methods=["POST"])
@requires("paper.close", path_of_batch, is_above=True)
@blp.response(200, BatchMade())
@blp.problems(401, 403, 404, 409, 503)
def close(campaign_id: int, batch_id: int) -> dict[str, Any]:
    """Count a batch: spend its slots, store its ballots, delete its drafts."""
    with unit_of_work() as session:
        batch = closing.close_batch(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            campaign_id=campaign_id,
            batch_id=batch_id,
            now=clock.now(),
        )
        return {"id": batch.id, "state": batch.state}


@blp.route(f"{BATCH}/discard", methods=["POST"])
@requires("paper.close", path_of_batch, is_above=True)
@blp.arguments(DiscardIn())
@blp.response(200, BatchMade())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def discard(body: dict[str, str], campaign_id: int, batch_id: int) -> dict[str, Any]:
    """Give a batch up; nothing of it counts."""
    place = {"campaign_id": campaign_id, "batch_id": batch_id}
    with unit_of_work() as session:
        batch = service.discard_batch(
            session, staff=current_staff(), now=clock.now(), reason=body["reason"], **place
        )
        return {"id": batch.id, "state": batch.state}


def place_of(campaign_id: int, batch_id: int, list_kind: str) -> dict[str, Any]:
    """Return which list of which batch an address names; raises NotFound."""
    if list_kind not in set(ListKind):
        raise NotFound
    return {"campaign_id": campaign_id, "batch_id": batch_id, "kind": ListKind(list_kind)}


def look_of(name: str) -> Keying:
    """Return the first or second keying by its name in an address; raises NotFound."""
    found = {"first": Keying.FIRST, "second": Keying.SECOND}.get(name)
    if found is None:
        raise NotFound
    return found


def _state(session: Any, place: dict[str, Any]) -> dict[str, Any]:
    batch = get_batch(session, place["campaign_id"], place["batch_id"])
    return list_json(service.read_list(session, batch, place["kind"]))
