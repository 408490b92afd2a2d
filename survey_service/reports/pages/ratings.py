"""The pages of ratings: cycles, grades with their reasons, one grade step by step."""

from typing import Any

from flask import render_template

from survey_service.core.db import reading
from survey_service.core.permissions import current_staff, requires
from survey_service.ratings import reading as reader
from survey_service.ratings.overview import read_grade_page
from survey_service.ratings.queries import find_subject, list_cycles
from survey_service.reports.pages.frame import cursor, pages
from survey_service.reports.presentation.ratings import cycle_view, rating_page, trace_page


@pages.route("/ratings", methods=["GET"])
@requires("ratings.read")
def show_ratings() -> str:
    """Show the cycles that concern one's own sub-tree."""
    with reading() as session:
        found = list_cycles(session, staff=current_staff(), after=cursor())
        cycles = [cycle_view(reader.cycle_row(cycle)) for cycle in found]
    return render_template("staff/ratings.html", cycles=cycles)


@pages.route("/ratings/<int:cycle_id>", methods=["GET"])
@requires("ratings.read")
def show_rating(cycle_id: int) -> str:
    """Show the grades of a cycle with their reasons."""
    staff = current_staff()
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        wanted: dict[str, Any] = {"document": document, "after": cursor() or -1}
        table = read_grade_page(session, staff=staff, cycle_id=cycle_id, **wanted)
    return render_template("staff/rating.html", page=rating_page(cycle, table, document))


@pages.route("/ratings/<int:cycle_id>/<organization_code>", methods=["GET"])
@requires("ratings.read")
def show_grade(cycle_id: int, organization_code: str) -> str:
    """Show how one grade came about."""
    staff = current_staff()
    with reading() as session:
        trace = reader.read_trace(
            session, staff=staff, cycle_id=cycle_id, organization_code=organization_code
        )
        name = find_subject(session, cycle_id, organization_code).name
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
    return render_template("staff/rating_grade.html", page=trace_page(cycle, trace, document, name=name))
