"""The pages of one-time codes at scale: make, print, hand out, revoke and reissue."""

from typing import Any

from flask import Response, make_response, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid, ServiceError
from survey_service.core.http import accepts_upload
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.entrances import slots
from survey_service.entrances.issuing import households_by_roster
from survey_service.entrances.slot_schemas import RevokeIn, SlotsIn
from survey_service.entrances.views import issue, read_groups
from survey_service.print_runs import downloads, queries, service
from survey_service.print_runs.queries import path_of_run
from survey_service.print_runs.schemas import HandOutIn, PrintRunIn
from survey_service.reports.codes import read_code_board
from survey_service.reports.pages.frame import pages, to_page, uploaded_file
from survey_service.reports.pages.results import CAMPAIGN
from survey_service.reports.presentation.codes import (
    codes_board_page,
    hand_out_body,
    print_run_body,
    run_page,
    slots_body,
)
from survey_service.reports.presentation.forms import load
from survey_service.reports.presentation.frame import Notice
from survey_service.staff.rules import Role

RUN = f"{CAMPAIGN}/print-runs/<int:run_id>"
_REFRESH_SECONDS = "3"


@pages.route(f"{CAMPAIGN}/codes", methods=["GET"])
@requires("entrances.read")
def show_codes(campaign_id: int) -> str:
    """Show what became of one-time codes, and what can be done next."""
    return _board(campaign_id)


def _board(campaign_id: int, refused: ServiceError | None = None) -> str:
    staff, now = current_staff(), clock.now()
    with reading() as session:
        board = read_code_board(session, staff=staff, campaign_id=campaign_id, now=now)
    page = codes_board_page(
        board,
        role=Role(staff.role),
        now=now,
        refusal=refused.detail if refused else "",
        errors=refused.errors if refused else None,
    )
    return render_template("staff/codes_board.html", page=page)


def _refused(campaign_id: int, error: ServiceError) -> Any:
    return _board(campaign_id, error), error.status


@pages.route(f"{CAMPAIGN}/household-codes", methods=["POST"])
@requires("entrances.create")
@accepts_upload(MAX_FILE_BYTES)
def make_household_codes(campaign_id: int) -> Any:
    """Make a code for every household: by a sheet of villagers' groups, or by the roster without one."""
    content, name = uploaded_file()
    try:
        from_sheet = read_groups(campaign_id, content, name) if name else None
        with unit_of_work() as session:
            households = from_sheet or households_by_roster(
                session, staff=current_staff(), campaign_id=campaign_id, organization_codes=None
            )
            issue(session, campaign_id, households, key=request.form.get("key") or None)
    except (Invalid, Conflict) as error:
        return _refused(campaign_id, error)
    return to_page("show_codes", campaign_id=campaign_id, notice=Notice.CODES_MADE)


@pages.route(f"{CAMPAIGN}/print-runs", methods=["POST"])
@requires("code_sheets.print")
def start_print_run(campaign_id: int) -> Any:
    """Have codes printed, and lead to the page that tells how far that has come."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    try:
        order: Any = load(PrintRunIn(), print_run_body(request.form))
        with unit_of_work() as session:
            run = service.start_print_run(session, order=order, **place)
    except (Invalid, Conflict) as error:
        return _refused(campaign_id, error)
    return to_page("show_print_run", campaign_id=campaign_id, run_id=run.id)


@pages.route(RUN, methods=["GET"])
@requires("entrances.read", path_of_run)
def show_print_run(campaign_id: int, run_id: int) -> Response:
    """Show how far a run has come; the page loads itself anew until it is finished."""
    with reading() as session:
        found, parts = queries.read_progress(session, run_id), queries.list_parts(session, run_id)
    page = render_template("staff/print_run.html", page=run_page(found, parts), campaign_id=campaign_id)
    response = make_response(page)
    if not found.is_finished:
        response.headers["Refresh"] = _REFRESH_SECONDS
    return response


@pages.route(f"{RUN}/retry", methods=["POST"])
@requires("code_sheets.print", path_of_run)
def retry_print_run(campaign_id: int, run_id: int) -> Response:
    """Have failed parts printed again."""
    with unit_of_work() as session:
        service.retry_failed_parts(session, run_id=run_id)
    return to_page("show_print_run", campaign_id=campaign_id, run_id=run_id)


@pages.route(f"{RUN}/parts/<int:number>.pdf", methods=["GET"])
@requires("code_sheets.print", path_of_run)
def download_part(run_id: int, number: int, **_: object) -> Response:
    """Return the PDF of one part."""
    return downloads.send_part(run_id, number)


@pages.route(f"{RUN}/parts.zip", methods=["GET"])
@requires("code_sheets.print", path_of_run)
def download_parts(run_id: int, **_: object) -> Response:
    """Return all printed PDFs of a run."""
    return downloads.send_parts(run_id)


@pages.route(f"{CAMPAIGN}/hand-outs", methods=["POST"])
@requires("code_sheets.print")
def hand_out_codes(campaign_id: int) -> Any:
    """Mark paper as handed out."""
    try:
        body = load(HandOutIn(), hand_out_body(request.form))
        body.setdefault("organization_codes", None)
        with unit_of_work() as session:
            service.hand_out_codes(
                session, staff=current_staff(), campaign_id=campaign_id, now=clock.now(), **body
            )
    except (Invalid, Conflict) as error:
        return _refused(campaign_id, error)
    return to_page("show_codes", campaign_id=campaign_id, notice=Notice.CODES_HANDED_OUT)


@pages.route(f"{CAMPAIGN}/slots/revoke", methods=["POST"])
@requires("entrances.revoke")
def revoke_slots(campaign_id: int) -> Any:
    """Close codes by their serials."""
    try:
        body = load(RevokeIn(), slots_body(request.form))
        with unit_of_work() as session:
            slots.revoke_slots(
                session, staff=current_staff(), campaign_id=campaign_id, now=clock.now(), **body
            )
    except (Invalid, Conflict) as error:
        return _refused(campaign_id, error)
    return to_page("show_codes", campaign_id=campaign_id, notice=Notice.CODES_REVOKED)


@pages.route(f"{CAMPAIGN}/slots/reissue", methods=["POST"])
@requires("entrances.revoke")
def reissue_slots(campaign_id: int) -> Any:
    """Give slots new codes, to be printed."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    try:
        body = load(SlotsIn(), slots_body(request.form))
        with unit_of_work() as session:
            slots.reissue_slots(session, keyring=current_keyring(), **place, **body)
    except (Invalid, Conflict) as error:
        return _refused(campaign_id, error)
    return to_page("show_codes", campaign_id=campaign_id, notice=Notice.CODES_REISSUED)
