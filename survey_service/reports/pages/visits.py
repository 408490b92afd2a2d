"""The pages of assisted visits: begin one, take the phone back, and say who is stationed where."""

from typing import Any

from flask import Response, current_app, make_response, redirect, render_template, request

from survey_service.ballots import access, voting
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Gone, Invalid, Locked, NotFound, ServiceError, Unauthorized
from survey_service.core.http import error_response
from survey_service.core.permissions import current_staff, requires
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.visits import visits_page
from survey_service.staff.authenticate import presented_token
from survey_service.staff.queries import path_of_account
from survey_service.staff.sign_in import unlock_own_session
from survey_service.visits import queries, service


def _cap() -> int:
    cap: int = current_app.extensions["settings"].assisted_visits_per_day
    return cap


@pages.route("/visits", methods=["GET"])
@requires("visits.assist")
def show_visits() -> str:
    """Ask for the code of a household."""
    return _page("")


def _page(error: str) -> str:
    staff, today = current_staff(), clock.local_day(clock.now())
    with reading() as session:
        count = queries.count_visits(session, staff_id=staff.id, day=today)
        stations = queries.list_stations(session, staff_id=staff.id)
    return render_template(
        "staff/visits.html", page=visits_page(count=count, most=_cap(), stations=stations, error=error)
    )


@pages.route("/visits", methods=["POST"])
@requires("visits.assist")
def begin_visit() -> Any:
    """Lock the session and open the form for the villager."""
    try:
        return _begin()
    except (NotFound, Invalid, Conflict, Gone) as error:
        return _page(_sentence(error)), error.status


def _begin() -> Response:
    now, presented = clock.now(), presented_token()
    assert presented is not None
    with unit_of_work() as session:
        entrance = voting.find_entrance(session, raw_code=request.form.get("code", ""), now=now)
        service.begin_visit(
            session, staff=current_staff(), entrance=entrance, token=presented.token, cap=_cap(), now=now
        )
    response = make_response(redirect(f"/s/{entrance.code}", 303))
    access.let_visit_begin(response, entrance, now)
    return response


def _sentence(error: ServiceError) -> str:
    return "".join(sentence for found in error.errors.values() for sentence in found) or error.detail


@pages.errorhandler(Locked)
def ask_to_unlock(error: Locked) -> Any:
    """Lead to the page that takes the phone back."""
    return to_page("show_unlock") if error.code == "session_locked" else error_response(error)


@pages.route("/unlock", methods=["GET"])
@requires("session.read")
def show_unlock() -> str:
    """Ask for the password; whoever holds the phone meanwhile learns nothing, not even a name."""
    return render_template("staff/unlock.html", viewer=None, error="")


@pages.route("/unlock", methods=["POST"])
@requires("session.update")
def unlock() -> Any:
    """Open the session again for who knows its password."""
    try:
        unlock_own_session(password=request.form.get("password", ""))
    except (Unauthorized, Locked) as error:
        return render_template("staff/unlock.html", viewer=None, error=error.detail), error.status
    return to_page("show_visits")


@pages.route("/accounts/<int:staff_id>/stations", methods=["POST"])
@requires("visits.station", path_of_account)
def set_stations(staff_id: int) -> Response:
    """Say where somebody is stationed."""
    codes = request.form.getlist("organization_codes")
    with unit_of_work() as session:
        service.set_stations(session, by=current_staff(), staff_id=staff_id, organization_codes=codes)
    return to_page("show_account", staff_id=staff_id, notice=Notice.STATIONS_SAVED)
