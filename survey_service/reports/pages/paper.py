"""The pages of paper: batches, the screens on which they are keyed, and what becomes of them."""

from itertools import count, takewhile
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_formula, list_subjects
from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.paper_entry import closing, keying, service
from survey_service.paper_entry.queries import path_of_batch
from survey_service.paper_entry.rules import MAX_BALLOTS, ListKind
from survey_service.paper_entry.schemas import BatchIn, DiscardIn, SheetsIn
from survey_service.paper_entry.views import key_limited, look_of, place_of, render_sheets
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.pages.results import CAMPAIGN
from survey_service.reports.presentation.forms import body_of, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.paper import (
    batch_page,
    entry_page,
    first_of,
    paper_page,
)
from survey_service.staff.rules import Role

PAPER = f"{CAMPAIGN}/paper"
BATCH = f"{PAPER}/<int:batch_id>"
LIST = f"{BATCH}/<list_kind>"
LOOK = f"{LIST}/<look>"


@pages.route(PAPER, methods=["GET"])
@requires("paper.read")
def show_paper(campaign_id: int) -> str:
    """Show the batches of a campaign, and open another one."""
    staff = current_staff()
    with reading() as session:
        campaign, found = service.read_board(session, staff=staff, campaign_id=campaign_id)
        below = [
            one
            for one in list_subjects(session, campaign_id, within_path=staff.path)
            if staff.is_above(one.path)
        ]
    classes = list(get_formula(campaign).class_weights)
    page = paper_page(campaign, found, below, classes, role=Role(staff.role), now=clock.now())
    return render_template("staff/paper.html", page=page)


@pages.route(PAPER, methods=["POST"])
@requires("paper.open")
def open_paper(campaign_id: int) -> Response:
    """Open a batch, and go to it."""
    body = load(BatchIn(), body_of(request.form, ["organization_code", "rater_class", "mode", "issued"]))
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    with unit_of_work() as session:
        batch = service.open_batch(session, **place, **body | {"mode": Mode(body["mode"])})
    return to_page("show_paper_batch", campaign_id=campaign_id, batch_id=batch.id, notice=Notice.PAPER_OPENED)


@pages.route(f"{CAMPAIGN}/paper-ballots", methods=["POST"])
@requires("paper.print")
def print_ballots(campaign_id: int) -> Response:
    """Print ballots without codes, each with a stub that has one."""
    body = load(SheetsIn(), body_of(request.form, ["organization_code", "rater_class", "mode"]))
    name = text("paper.filename", code=body["organization_code"])
    return attachment(render_sheets(campaign_id, body), content_type=PDF_TYPE, filename=name)


@pages.route(BATCH, methods=["GET"])
@requires("paper.key", path_of_batch, is_above=True)
def show_paper_batch(campaign_id: int, batch_id: int) -> str:
    """Show how far a batch has come, where two people differ, and what is to be done."""
    staff = current_staff()
    with reading() as session:
        view = service.read_batch(session, campaign_id=campaign_id, batch_id=batch_id)
        forms = service.forms_of(session, view.campaign)
    page = batch_page(view, forms, staff_id=staff.id, role=Role(staff.role), now=clock.now())
    return render_template("staff/paper_batch.html", page=page)


@pages.route(LOOK, methods=["GET"])
@requires("paper.key", path_of_batch, is_above=True)
def show_entry(campaign_id: int, batch_id: int, list_kind: str, look: str) -> str:
    """Show one screen of one's own keying; nobody sees that of the other."""
    with reading() as session:
        return _entry(session, place_of(campaign_id, batch_id, list_kind), look, bundle=_bundle())


def _bundle() -> int:
    given = request.values.get("bundle", "1")
    return min(max(int(given), 1), MAX_BALLOTS) if given.isdecimal() and len(given) < 5 else 1


def _entry(session: Session, place: dict[str, Any], look: str, *, bundle: int, **typed: Any) -> str:
    staff, kind = current_staff(), place["kind"]
    own = {"batch_id": place["batch_id"], "kind": kind, "keying": look_of(look)}
    view = service.read_batch(session, campaign_id=place["campaign_id"], batch_id=place["batch_id"])
    page = entry_page(
        view,
        service.forms_of(session, view.campaign),
        kind=kind,
        look=look,
        bundle=bundle,
        keyed=service.read_own_lines(session, staff=staff, **own),
        number=service.read_list(session, view.batch, kind).lines[own["keying"]],
        role=Role(staff.role),
        now=clock.now(),
        **typed,
    )
    return render_template("staff/paper_entry.html", page=page)


@pages.route(LOOK, methods=["POST"])
@requires("paper.key", path_of_batch, is_above=True)
def save_entry(campaign_id: int, batch_id: int, list_kind: str, look: str) -> ResponseReturnValue:
    """Store one screen, and lead on to the next one, or to the batch when the list is finished."""
    place, bundle, typed = place_of(campaign_id, batch_id, list_kind), _bundle(), _typed(list_kind)
    first = 0 if place["kind"] is ListKind.TOTALS else first_of(bundle)
    try:
        key_limited(place | {"keying": look_of(look), "lines": typed, "first": first})
    except Invalid as error:
        with reading() as session:
            page = _entry(session, place, look, bundle=bundle, typed=typed, errors=error.errors)
        return make_response(page, int(error.status))
    return _after_entry(place, look, bundle)


def _typed(list_kind: str) -> list[str]:
    """Return the lines of the form; the numbers of a meeting's sheet stand in cells of their own."""
    if list_kind != ListKind.TOTALS:
        return request.form.getlist("line")
    rows = takewhile(bool, (request.form.getlist(f"cell-{n}") for n in count()))
    return [
        ",".join(cell.strip() for cell in row) if any(cell.strip() for cell in row) else "" for row in rows
    ]


def _after_entry(place: dict[str, Any], look: str, bundle: int) -> Response:
    names = {"campaign_id": place["campaign_id"], "batch_id": place["batch_id"]}
    if request.form.get("act") == "finish":
        with unit_of_work() as session:
            keying.finish_keying(session, staff=current_staff(), keying=look_of(look), **place)
        return to_page("show_paper_batch", **names, notice=Notice.PAPER_FINISHED)
    following = bundle if place["kind"] is ListKind.TOTALS else bundle + 1
    values = names | {"list_kind": str(place["kind"]), "look": look, "bundle": following}
    return to_page("show_entry", **values, notice=Notice.PAPER_SAVED)


@pages.route(f"{LIST}/settlement", methods=["POST"])
@requires("paper.key", path_of_batch, is_above=True)
def settle_paper(campaign_id: int, batch_id: int, list_kind: str) -> Response:
    """Store what a third look found, or confirm what one of the two has found."""
    place = place_of(campaign_id, batch_id, list_kind)
    with unit_of_work() as session:
        if request.form.get("act") == "confirm":
            keying.confirm_settlement(session, staff=current_staff(), **place)
        else:
            found = _settlement(place["kind"])
            keying.settle_differences(
                session, staff=current_staff(), keyring=current_keyring(), **place, **found
            )
    return to_page(
        "show_paper_batch", campaign_id=campaign_id, batch_id=batch_id, notice=Notice.PAPER_SETTLED
    )


def _settlement(kind: ListKind) -> dict[str, Any]:
    """Return what the form of a third look says; more lines stand as `number keys`, one a line."""
    more = request.form.get("more", "").split("\n")
    if kind is ListKind.STUBS:
        slots = [int(one) for one in request.form.getlist("slot") if one.isdecimal()]
        return {"slots": slots, "codes": [one.strip() for one in more if one.strip()]}
    lines = {
        int(name.removeprefix("line-")): value.strip()
        for name, value in request.form.items()
        if name.startswith("line-") and name.removeprefix("line-").isdecimal()
    }
    for one in more:
        number, _, line = one.strip().partition(" ")
        if number.isdecimal() and int(number) <= MAX_BALLOTS:
            lines[int(number)] = line.strip()
    return {"lines": lines}


@pages.route(f"{BATCH}/end", methods=["POST"])
@requires("paper.close", path_of_batch, is_above=True)
def end_batch(campaign_id: int, batch_id: int) -> Response:
    """Close a batch, or give it up."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "batch_id": batch_id}
    place |= {"now": clock.now()}
    is_discarded = request.form.get("act") == "discard"
    with unit_of_work() as session:
        if is_discarded:
            service.discard_batch(session, **place, **load(DiscardIn(), body_of(request.form, ["reason"])))
        else:
            closing.close_batch(session, keyring=current_keyring(), **place)
    notice = Notice.PAPER_DISCARDED if is_discarded else Notice.PAPER_CLOSED
    return to_page("show_paper_batch", campaign_id=campaign_id, batch_id=batch_id, notice=notice)
