"""The pages on which a rating is run: open a cycle, its steps, decisions, the public notice."""

from typing import Any

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import list_visible_campaigns
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.http import public_url
from survey_service.core.paging import page_begin
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.ratings import deadlines, decisions, objections, process, queries, records, service
from survey_service.ratings import reading as reader
from survey_service.ratings.grade_files import push_grades
from survey_service.ratings.overview import read_grade_page
from survey_service.ratings.places import path_of_cycle, path_of_steps
from survey_service.ratings.rulings import read_decisions
from survey_service.reports.campaigns import read_setup
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.forms import FormView
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.rating_forms import forms_page
from survey_service.reports.presentation.rating_notice import (
    notice_page,
    objection_asked_for,
    outcome_asked_for,
)
from survey_service.reports.presentation.rating_work import (
    cycle_asked_for,
    deadline_asked_for,
    decision_asked_for,
    decisions_page,
    downgrade_asked_for,
    new_cycle_page,
    remark_asked_for,
    send_back_asked_for,
    work_page,
)
from survey_service.reports.service import MOST_CAMPAIGNS
from survey_service.staff.rules import Role

CYCLE = "/ratings/<int:cycle_id>"


@pages.route("/ratings/new", methods=["GET"])
@requires("ratings.open")
def new_cycle() -> str:
    """Show the form of a new cycle."""
    return _cycle_form(FormView({"year": str(clock.now().astimezone(clock.SHANGHAI).year)}))


def _cycle_form(form: FormView) -> str:
    staff = current_staff()
    with reading() as session:
        schemes = queries.list_schemes(session, staff=staff)
        setup = read_setup(session, staff=staff)
        campaigns = list_visible_campaigns(session, staff=staff, limit=MOST_CAMPAIGNS)
        page = new_cycle_page(schemes, setup.areas, campaigns, form)
    return render_template("staff/rating_new.html", page=page)


@pages.route("/ratings/new", methods=["POST"])
@requires("ratings.open")
def open_cycle() -> Any:
    """Open a cycle; its scheme is locked from here on."""
    try:
        body = cycle_asked_for(request.form)
        with unit_of_work() as session:
            opened = service.open_cycle(session, staff=current_staff(), now=clock.now(), **body)
            cycle_id = opened.cycle.id
    except Invalid as error:
        return _cycle_form(FormView(request.form, error.errors)), error.status
    return to_page("show_work", cycle_id=cycle_id, notice=Notice.RATING_OPENED)


@pages.route(f"{CYCLE}/work", methods=["GET"])
@requires("ratings.read")
def show_work(cycle_id: int) -> str:
    """Show the steps of a cycle, what is due, and whose sheets are filled in."""
    return _work(cycle_id)


def _work(cycle_id: int, form: FormView | None = None) -> str:
    staff, today = current_staff(), clock.local_day(clock.now())
    is_office = Role(staff.role) is not Role.BRANCH_SECRETARY
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        rows = records.read_work(session, staff=staff, cycle_id=cycle_id, after=_after())
        is_asked = is_office and not cycle["is_final"]
        visits = records.read_visits_due(session, staff=staff, cycle_id=cycle_id) if is_asked else []
        place: dict[str, Any] = {"staff": staff, "cycle_id": cycle_id}
        warnings = records.read_cycle_warnings(session, **place) if is_asked else []
        may_act = _may_move(session, cycle)
        page = work_page(
            cycle,
            document,
            rows,
            visits,
            warnings=warnings,
            is_office=is_office,
            may_act=may_act,
            today=today,
            form=form,
        )
    return render_template("staff/rating_work.html", page=page)


def _after() -> int:
    """Return the position behind which the page asked for begins."""
    return page_begin(request.args.get("after", ""), first=-1)


def _may_act(session: Session, cycle_id: int) -> bool:
    """Tell whether the viewer belongs to the office that runs a cycle."""
    return current_staff().covers(path_of_cycle(session, cycle_id=cycle_id))


def _may_move(session: Session, cycle: dict[str, Any]) -> bool:
    """Tell whether the viewer completes the step that is due."""
    staff, due = current_staff(), reader.due_step(cycle)
    is_above = staff.covers(path_of_steps(session, cycle_id=cycle["id"]))
    return is_above and due is not None and service.speaks_for(staff, due["by"])


def _place(cycle_id: int) -> dict[str, Any]:
    return {"staff": current_staff(), "cycle_id": cycle_id, "now": clock.now()}


def _push(session: Session, cycle_id: int) -> None:
    issuer, keyring = public_url(), current_keyring()
    push_grades(session, cycle_id=cycle_id, issuer=issuer, keyring=keyring, now=clock.now())


@pages.route(f"{CYCLE}/steps/<step>", methods=["POST"])
@requires("ratings.move", path_of_steps)
def complete_step(cycle_id: int, step: str) -> Response:
    """Complete the step that is due."""
    body = remark_asked_for(request.form)
    with unit_of_work() as session:
        process.complete_step(session, step=step, **_place(cycle_id), **body)
        _push(session, cycle_id)
    return to_page("show_work", cycle_id=cycle_id, notice=Notice.STEP_COMPLETED)


@pages.route(f"{CYCLE}/send-back", methods=["POST"])
@requires("ratings.move", path_of_steps)
def send_cycle_back(cycle_id: int) -> Any:
    """Go back to an earlier step with a remark."""
    try:
        body = send_back_asked_for(request.form)
        with unit_of_work() as session:
            process.send_back(session, **_place(cycle_id), **body)
    except Invalid as error:
        return _work(cycle_id, FormView(request.form, error.errors)), error.status
    return to_page("show_work", cycle_id=cycle_id, notice=Notice.STEP_SENT_BACK)


@pages.route(f"{CYCLE}/deadlines", methods=["POST"])
@requires("ratings.move", path_of_steps)
def set_deadline(cycle_id: int) -> Any:
    """Set the last day of a step."""
    try:
        body = deadline_asked_for(request.form)
        step = request.form.get("step", "")
        with unit_of_work() as session:
            deadlines.set_deadline(session, step=step, **_place(cycle_id), **body)
    except Invalid as error:
        return _work(cycle_id, FormView(request.form, error.errors)), error.status
    return to_page("show_work", cycle_id=cycle_id, notice=Notice.RECORD_NOTED)


@pages.route(f"{CYCLE}/decisions", methods=["GET"])
@requires("ratings.read")
def show_decisions(cycle_id: int) -> str:
    """Show the proposals, what asks for a decision, and what was decided."""
    asked, words = (request.args.get(name, "").strip() for name in ("subject", "words"))
    return _decisions(cycle_id, asked=asked, after=_after(), words=words)


def _decisions(cycle_id: int, *, asked: str, after: int = -1, words: str = "", **shown: Any) -> str:
    staff = current_staff()
    wanted: dict[str, Any] = {"asked": asked, "after": after, "words": words}
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        table = read_decisions(session, staff=staff, cycle_id=cycle_id, document=document, **wanted)
        may_act = _may_act(session, cycle_id)
        page = decisions_page(cycle, document, table, may_act=may_act, asked=asked, words=words, **shown)
    return render_template("staff/rating_decisions.html", page=page)


@pages.route(f"{CYCLE}/decisions/<organization_code>", methods=["POST"])
@requires("ratings.decide", path_of_cycle)
def decide_grade(cycle_id: int, organization_code: str) -> Any:
    """Decide a grade; who comes second sees what the first has decided."""
    place = _place(cycle_id) | {"organization_code": organization_code}
    try:
        body = decision_asked_for(request.form)
        with unit_of_work() as session:
            decisions.decide_grade(session, **place, **body)
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _decisions(cycle_id, asked=organization_code, form=form), error.status
    except Conflict as error:
        if error.code != "already_decided":
            raise
        return _decisions(cycle_id, asked=organization_code, is_conflict=True), error.status
    return to_page("show_decisions", cycle_id=cycle_id, notice=Notice.GRADE_DECIDED)


@pages.route(f"{CYCLE}/downgrades/<organization_code>", methods=["POST"])
@requires("ratings.decide", path_of_cycle)
def downgrade(cycle_id: int, organization_code: str) -> Any:
    """Lower a final grade for one of the triggers of the scheme."""
    place = _place(cycle_id) | {"organization_code": organization_code}
    try:
        body = downgrade_asked_for(request.form)
        with unit_of_work() as session:
            decisions.downgrade(session, **place, **body)
            _push(session, cycle_id)
    except Invalid as error:
        form = FormView(request.form, error.errors)
        return _decisions(cycle_id, asked=organization_code, form=form), error.status
    return to_page("show_decisions", cycle_id=cycle_id, notice=Notice.GRADE_DECIDED)


@pages.route(f"{CYCLE}/notice", methods=["GET"])
@requires("ratings.read")
def show_notice(cycle_id: int) -> str:
    """Show what is publicly announced, and the objections."""
    return _notice(cycle_id)


def _notice(cycle_id: int, form: FormView | None = None) -> str:
    staff, today = current_staff(), clock.local_day(clock.now())
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        wanted: dict[str, Any] = {"document": document, "after": _after()}
        table = read_grade_page(session, staff=staff, cycle_id=cycle_id, **wanted)
        objected = [one.subject_id for one in cycle["objections"]]
        subjects = queries.list_subjects(session, cycle_id, within_path=staff.path, only=objected)
        names = {one.row.subject_id: one.name for one in subjects}
        may_act = _may_act(session, cycle_id)
        page = notice_page(cycle, document, table, names, today=today, may_act=may_act, form=form)
    return render_template("staff/rating_notice.html", page=page)


@pages.route(f"{CYCLE}/objections", methods=["POST"])
@requires("ratings.move", path_of_cycle)
def raise_objection(cycle_id: int) -> Any:
    """Note an objection during the public notice."""
    try:
        body = objection_asked_for(request.form)
        with unit_of_work() as session:
            objections.raise_objection(session, **_place(cycle_id), **body)
    except Invalid as error:
        return _notice(cycle_id, FormView(request.form, error.errors)), error.status
    return to_page("show_notice", cycle_id=cycle_id, notice=Notice.RECORD_NOTED)


@pages.route(f"{CYCLE}/objections/<int:objection_id>", methods=["POST"])
@requires("ratings.decide", path_of_cycle)
def settle_objection(cycle_id: int, objection_id: int) -> Any:
    """Say what came of an objection."""
    try:
        body = outcome_asked_for(request.form)
        with unit_of_work() as session:
            objections.settle_objection(session, objection_id=objection_id, **_place(cycle_id), **body)
    except Invalid as error:
        return _notice(cycle_id, FormView(request.form, error.errors)), error.status
    return to_page("show_notice", cycle_id=cycle_id, notice=Notice.RECORD_NOTED)


@pages.route(f"{CYCLE}/forms", methods=["GET"])
@requires("ratings.export")
def show_forms(cycle_id: int) -> str:
    """List the forms of a cycle for downloading."""
    staff = current_staff()
    chosen = {name: request.args.get(name, "") for name in ("subject", "due_on")}
    with reading() as session:
        cycle = reader.read_cycle(session, staff=staff, cycle_id=cycle_id)
        document = reader.read_document(session, staff=staff, cycle_id=cycle_id)
        subjects = [
            (one.organization_code, one.name)
            for one in queries.list_subjects(session, cycle_id, within_path=staff.path)
        ]
    is_office = Role(staff.role) is not Role.BRANCH_SECRETARY
    page = forms_page(cycle, document, subjects, is_office=is_office, **chosen)
    return render_template("staff/rating_forms.html", page=page)
