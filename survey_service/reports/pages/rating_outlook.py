"""The pages around a cycle: what if, how sure the ranking is."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.ratings import history, previews, warnings
from survey_service.ratings import reading as reader
from survey_service.ratings.outlook_schemas import AnswerIn, WhatIfIn
from survey_service.ratings.outlook_views import changes_of
from survey_service.ratings.places import path_of_rated
from survey_service.reports.pages.frame import cursor, pages, to_page
from survey_service.reports.presentation.forms import FormView, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.rating_outlook import history_page, ranking_page, warning_views
from survey_service.reports.presentation.what_if import what_if_page

_PARTS = ("points", "bands", "max_percents", "min_percents")


@pages.route("/ratings/<int:cycle_id>/what-if", methods=["GET"])
@requires("ratings.preview")
def show_what_if(cycle_id: int) -> Any:
    """Show the numbers of a scheme for changing, and what would follow from those in the address."""
    staff, form, found, status = current_staff(), FormView(request.args), None, 200
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        if request.args:
            try:
                changes = changes_of(load(WhatIfIn(), asked_for(request.args)))
                found = previews.preview_changes(session, staff=staff, cycle_id=cycle_id, changes=changes)
            except Invalid as error:
                form, status = FormView(request.args, error.errors), error.status
    return render_template("staff/what_if.html", page=what_if_page(cycle, document, form, found)), status


def asked_for(values: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of a what-if from the fields of a form: `points.leader` and the like."""
    body: dict[str, Any] = {part: {} for part in _PARTS}
    for name, value in values.items():
        part, _, key = name.partition(".")
        if part in _PARTS and key:
            body[part][key] = value.strip() or None
    body["points"] = {code: points for code, points in body["points"].items() if points}
    body["bands"] = {grade: least for grade, least in body["bands"].items() if least}
    return body


@pages.route("/ratings/<int:cycle_id>/ranking", methods=["GET"])
@requires("ratings.preview")
def show_ranking(cycle_id: int) -> str:
    """Show the ranking with its intervals, and which neighbours they cannot tell apart."""
    staff = current_staff()
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        found = previews.read_sensitivity(session, staff=staff, cycle_id=cycle_id)
    page = ranking_page(cycle, document, found, is_narrowed="parted" in request.args)
    return render_template("staff/ranking.html", page=page)


@pages.route("/ratings/warnings", methods=["GET"])
@requires("ratings.read")
def show_warnings() -> str:
    """Show the warnings of one's own sub-tree, or with `all` the whole log."""
    is_log = bool(request.args.get("all"))
    with reading() as session:
        found = warnings.read_warnings(session, staff=current_staff(), after=cursor(), is_standing=not is_log)
    following = found[-1]["id"] if len(found) == warnings.PAGE_SIZE else None
    return render_template(
        "staff/warnings.html", rows=warning_views(found), is_log=is_log, following=following
    )


@pages.route("/ratings/warnings/<int:warning_id>", methods=["POST"])
@requires("ratings.answer")
def answer_warning(warning_id: int) -> Any:
    """Say what is being done about a warning."""
    body = load(AnswerIn(), {"answer": request.form.get("answer", "").strip()})
    with unit_of_work() as session:
        warnings.answer_warning(
            session, staff=current_staff(), warning_id=warning_id, words=body["answer"], now=clock.now()
        )
    return to_page("show_warnings", notice=Notice.WARNING_ANSWERED)


@pages.route("/ratings/history/<organization_code>", methods=["GET"])
@requires("ratings.read", path_of_rated)
def show_history(organization_code: str) -> str:
    """Show the final grades of an organization over the years."""
    with reading() as session:
        found = history.read_history(session, staff=current_staff(), organization_code=organization_code)
    return render_template("staff/history.html", page=history_page(found))
