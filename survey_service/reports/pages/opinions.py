"""The pages of opinions: the queue, one case and what is done to it, paper, and posted boxes."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, make_response, render_template, request
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.errors import Conflict, Invalid, NotFound, ServiceError
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.opinions import boxes, originals, queries, schemas, service
from survey_service.opinions.models import Opinion
from survey_service.opinions.policy import current_policy
from survey_service.opinions.receiving import Draft
from survey_service.opinions.rules import State
from survey_service.opinions.service import Call
from survey_service.opinions.views import draw_box_poster
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_ancestors, select_subtree
from survey_service.reports.pages.frame import cursor, pages, to_page
from survey_service.reports.presentation.forms import FormView, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.opinions import (
    COUNTED_STATES,
    Case,
    boxes_page,
    case_page,
    filter_of,
    paper_page,
    queue_page,
)
from survey_service.staff.rules import is_allowed

CASE = "/opinions/<int:opinion_id>"
_MOST_TARGETS = 500
_PAPER_FIELDS = ("organization_code", "text", "category", "topic", "about")


@pages.route("/opinions", methods=["GET"])
@requires("opinions.read")
def show_opinions() -> str:
    """Show the queue, what is due first standing first."""
    staff, today = current_staff(), clock.local_day(clock.now())
    first = "received" if is_allowed(staff.role, "opinions.triage") else "handling"
    group = request.args.get("group", first)
    with reading() as session:
        found = queries.list_opinions(session, staff=staff, after=cursor(), narrowed=filter_of(group))
        page = queue_page(
            found,
            counts=queries.count_cases(session, staff=staff, states=COUNTED_STATES, today=today),
            group=group,
            staff=staff,
            policy=current_policy(),
            today=today,
            limit=queries.PAGE_SIZE,
        )
    return render_template("staff/opinions.html", page=page)


@pages.route(CASE, methods=["GET"])
@requires("opinions.read")
def show_opinion(opinion_id: int) -> str:
    """Show one case with its history, and the forms for what can be done now."""
    return _case(opinion_id)


def _case(opinion_id: int, **more: Any) -> str:
    staff = current_staff()
    with reading() as session:
        opinion = queries.get_opinion(session, staff=staff, opinion_id=opinion_id)
        page = case_page(
            _read_case(session, opinion),
            staff=staff,
            policy=current_policy(),
            today=clock.local_day(clock.now()),
            **more,
        )
    return render_template("staff/opinion.html", page=page)


def _read_case(session: Session, opinion: Opinion) -> Case:
    staff = current_staff()
    return Case(
        opinion=opinion,
        answers=queries.list_answers(session, opinion.id),
        verdicts=queries.list_verdicts(session, opinion.id),
        steps=queries.list_steps(session, opinion.id),
        photos=queries.list_photos(session, staff=staff, opinion_id=opinion.id),
        joined=queries.list_joined(session, staff=staff, opinion_id=opinion.id),
        targets=_targets(session, opinion),
    )


def _targets(session: Session, opinion: Opinion) -> Sequence[Organization]:
    """Return to whom the case can be handed: the levels above its place, then one's own sub-tree."""
    above = list_ancestors(session, path=opinion.organization.path)
    below = [one for one in _own_places(session) if one.id not in {place.id for place in above}]
    return [one for one in [*above, *below] if one.id != opinion.handler_id]


def _own_places(session: Session) -> Sequence[Organization]:
    """Return the organizations of the caller's sub-tree, as many as a list can hold."""
    tree = select_subtree(current_staff().path).order_by(Organization.path).limit(_MOST_TARGETS)
    return session.scalars(tree).all()


@pages.route(f"{CASE}/photos/<int:number>", methods=["GET"])
@requires("opinions.read")
def show_opinion_photo(opinion_id: int, number: int) -> Response:
    """Return one photo of a case."""
    with reading() as session:
        photos = queries.list_photos(session, staff=current_staff(), opinion_id=opinion_id)
        photo = next((one for one in photos if one.number == number), None)
        if photo is None:
            raise NotFound
        drawn = originals.open_photo(session, keyring=current_keyring(), photo=photo)
    return Response(drawn, content_type="image/jpeg")


@pages.route(f"{CASE}/original", methods=["POST"])
@requires("opinions.read_original")
def show_opinion_original(opinion_id: int) -> str:
    """Show the words before redaction; the reason stands in the audit trail."""
    body = load(schemas.OpinionOriginalIn(), {"reason": request.form.get("reason", "")})
    with unit_of_work() as session:
        words = originals.read_original(
            session, keyring=current_keyring(), staff=current_staff(), opinion_id=opinion_id, **body
        )
    return _case(opinion_id, original=words)


def _act(action: str, schema: schemas.CaseActionIn, step: Callable[..., Opinion], opinion_id: int) -> Any:
    """Do one thing to a case; what is refused leaves the words of the form on the page."""
    given = {name: value for name, value in request.form.items() if value and name in schema.fields}
    try:
        body = load(schema, given)
        call = Call(
            staff=current_staff(), opinion_id=opinion_id, now=clock.now(), version=body.pop("version")
        )
        with unit_of_work() as session:
            opinion = step(session, call=call, policy=current_policy(), **body)
            return _after(session, opinion)
    except (Invalid, Conflict) as error:
        return make_response(_refused(opinion_id, action, error), error.status)


def _refused(opinion_id: int, action: str, error: ServiceError) -> str:
    form = FormView(request.form, error.errors)
    return _case(opinion_id, form=form, failed=action, refusal=error.detail)


def _after(session: Session, opinion: Opinion) -> Response:
    """Lead to the next opinion that nobody has sorted, after sorting one; else back to the case.

    Whoever has handed a case away may no longer see it.
    """
    staff = current_staff()
    waiting = queries.OpinionFilter(states=frozenset({State.RECEIVED}))
    is_sorted = opinion.state in {State.TRIAGED, State.JOINED}
    found = queries.list_opinions(session, staff=staff, limit=1, narrowed=waiting) if is_sorted else []
    if found:
        return to_page("show_opinion", opinion_id=found[0].id, notice=Notice.OPINION_SORTED)
    if is_sorted or not _is_still_seen(session, opinion.id):
        return to_page("show_opinions", notice=Notice.OPINION_MOVED)
    return to_page("show_opinion", opinion_id=opinion.id, notice=Notice.OPINION_MOVED)


def _is_still_seen(session: Session, opinion_id: int) -> bool:
    try:
        queries.get_opinion(session, staff=current_staff(), opinion_id=opinion_id)
    except NotFound:
        return False
    return True


def _form(action: str, permission: str, schema: schemas.CaseActionIn, step: Callable[..., Opinion]) -> None:
    """Give an action its address: they differ in nothing but these four."""

    def view(opinion_id: int) -> Any:
        return _act(action, schema, step, opinion_id)

    endpoint = f"{action}_opinion"
    pages.add_url_rule(f"{CASE}/{action}", endpoint, requires(permission)(view), methods=["POST"])


_form("triage", "opinions.triage", schemas.CaseTriageIn(), service.triage_opinion)
_form("join", "opinions.triage", schemas.CaseJoinIn(), service.join_opinion)
_form("show_photo", "opinions.triage", schemas.CasePhotoIn(), service.show_photo)
_form("mask", "opinions.triage", schemas.CaseWordsIn(), service.mask_words)
_form("accept", "opinions.handle", schemas.CaseActionIn(), service.accept_opinion)
_form("begin", "opinions.handle", schemas.CaseActionIn(), service.begin_opinion)
_form("transfer", "opinions.handle", schemas.CaseTransferIn(), service.transfer_opinion)
_form("decline", "opinions.handle", schemas.CaseReasonIn(), service.decline_opinion)
_form("extend", "opinions.handle", schemas.CaseReasonIn(), service.extend_opinion)
_form("answer", "opinions.handle", schemas.CaseAnswerIn(), service.answer_opinion)
_form("call_back", "opinions.handle", schemas.CaseRemarkIn(), service.call_back_opinion)
_form("note", "opinions.handle", schemas.CaseRemarkIn(), service.note_opinion)
_form("close", "opinions.close", schemas.CaseActionIn(), service.close_opinion)


@pages.route("/opinions/new", methods=["GET"])
@requires("opinions.key")
def show_paper_form() -> str:
    """Show the form for an opinion that came on paper."""
    return _paper(FormView())


def _paper(form: FormView) -> str:
    with reading() as session:
        page = paper_page(_own_places(session), form)
    return render_template("staff/opinion_paper.html", page=page)


@pages.route("/opinions/new", methods=["POST"])
@requires("opinions.key")
def key_opinion() -> Any:
    """Key in an opinion that came on paper, and show the form for the next one."""
    given = {name: request.form[name] for name in _PAPER_FIELDS if request.form.get(name)}
    may_publish = "may_publish" in request.form
    try:
        body = load(schemas.OpinionPaperIn(), given | {"may_publish": may_publish})
        place = {name: body.pop(name) for name in ("organization_code", "letter_id")}
        with unit_of_work() as session:
            originals.key_opinion(
                session,
                staff=current_staff(),
                keyring=current_keyring(),
                policy=current_policy(),
                draft=Draft(**body),
                now=clock.now(),
                **place,
            )
    except Invalid as error:
        return _paper(FormView(request.form, error.errors)), error.status
    return to_page("show_paper_form", notice=Notice.OPINION_KEYED)


@pages.route("/opinions/boxes", methods=["GET"])
@requires("opinion_boxes.read")
def show_boxes() -> str:
    """Show the posted codes of one's sub-tree with their QR images."""
    staff = current_staff()
    with reading() as session:
        page = boxes_page(queries.list_boxes(session, staff=staff), _own_places(session))
    return render_template("staff/opinion_boxes.html", page=page)


@pages.route("/opinions/boxes", methods=["POST"])
@requires("opinion_boxes.open")
def open_box() -> Response:
    """Make a posted code."""
    given = {name: request.form.get(name, "") for name in ("organization_code", "place")}
    body = load(schemas.OpinionBoxIn(), given)
    with unit_of_work() as session:
        boxes.open_box(session, staff=current_staff(), now=clock.now(), **body)
    return to_page("show_boxes", notice=Notice.BOX_OPENED)


@pages.route("/opinions/boxes/<int:box_id>/poster", methods=["POST"])
@requires("posters.print", queries.path_of_box)
def print_box_poster(box_id: int) -> Response:
    """Print the poster of a box."""
    filename = text("opinions.box_filename", number=box_id)
    return attachment(draw_box_poster(box_id), content_type=PDF_TYPE, filename=filename)


@pages.route("/opinions/boxes/<int:box_id>/revoke", methods=["POST"])
@requires("opinion_boxes.open")
def revoke_box(box_id: int) -> Response:
    """Close a posted code at once."""
    with unit_of_work() as session:
        boxes.revoke_box(session, staff=current_staff(), box_id=box_id, now=clock.now())
    return to_page("show_boxes", notice=Notice.BOX_REVOKED)
