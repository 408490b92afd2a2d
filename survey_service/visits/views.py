"""The JSON API of stations."""

from typing import Any

from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.permissions import current_staff, requires
from survey_service.staff.queries import path_of_account
from survey_service.visits import queries, service
from survey_service.visits.schemas import StationsIn, StationsOut

blp = Blueprint("visits", __name__, description="Who is stationed where, and so helps nobody to vote there")

STATIONS = "/staff/<int:staff_id>/stations"


@blp.route(STATIONS, methods=["GET"])
@requires("staff.read", path_of_account)
@blp.response(200, StationsOut())
@blp.problems(401, 403, 404, 503)
def show_stations(staff_id: int) -> dict[str, Any]:
    """Return where a staff member is stationed."""
    with reading() as session:
        return {"items": queries.list_stations(session, staff_id=staff_id)}


@blp.route(STATIONS, methods=["PUT"])
@requires("visits.station", path_of_account)
@blp.arguments(StationsIn())
@blp.response(200, StationsOut())
@blp.problems(400, 401, 403, 404, 413, 422, 503)
def set_stations(body: dict[str, Any], staff_id: int) -> dict[str, Any]:
    """Say where a staff member below one's own role is stationed: there he assists no visit."""
    with unit_of_work() as session:
        return {"items": service.set_stations(session, by=current_staff(), staff_id=staff_id, **body)}
