"""The pages that a voter's phone shows; every one works without a script."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from survey_service.ballots import access, panel_presentation, presentation, queries, voting
from survey_service.ballots.rules import RECEIPT_LENGTH, is_secret
from survey_service.campaigns.rules import Mode, State
from survey_service.core import clock
from survey_service.core.db import reading, single_statements
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.http import set_cookie
from survey_service.core.permissions import public
from survey_service.entrances.codes import normalize, read_symbols
from survey_service.entrances.panels import RatedSubject
from survey_service.entrances.queries import OpenedEntrance, list_posted_elsewhere
from survey_service.entrances.rules import Ticket
from survey_service.wechat import sign_in

pages = Blueprint("voter", __name__)

_VOTER = "voters have no accounts"


@pages.route("/", methods=["GET", "POST"])
@public(_VOTER)
def enter_code() -> Any:
    """Ask for a code by hand, and lead on to its page."""
    typed = request.form.get("code", "")
    code = normalize(typed)
    if code is not None:
        return redirect(f"/s/{code}", 303)
    page = render_template("voter/enter_code.html", entry=presentation.code_entry(typed))
    return sign_in.let_form_lead_on(make_response(page))


@pages.route("/s/<code>", methods=["GET"])
@public(_VOTER)
def show_ballot(code: str) -> Response:
    """Show the questionnaire, or why it cannot be answered now."""
    try:
        with reading() as session:
            page = voting.open_page(session, raw_code=code, now=clock.now())
            response = _opened(page)
    except access.SignInRequired as required:
        return _led_to_sign_in(required.entrance)
    if page.device is not None and access.known_device() is None:
        access.set_device_cookie(response, page.device)
    return response


def _opened(page: voting.OpenedPage) -> Response:
    entrance = page.entrance
    if access.should_sign_in_again(entrance):
        return sign_in.begin(f"/s/{entrance.code}")
    if not entrance.is_preview and (entrance.state is not State.OPEN or page.is_answered):
        return _state_message(page)
    if page.sitting is not None:
        sitting = panel_presentation.sitting_page(entrance, page.sitting)
        return make_response(render_template("voter/subjects.html", page=sitting))
    response = make_response(presentation.render_ballot(page))
    _keep_secret(response, entrance.code)
    return response


def _state_message(page: voting.OpenedPage) -> Response:
    if page.sitting is not None and page.is_answered and page.entrance.state is State.OPEN:
        return _message(panel_presentation.all_rated_message(page.entrance, page.sitting))
    if access.asks_for_wechat(page.entrance):
        # Whoever scans next may be somebody else.
        sign_in.end_visit()
    return _message(
        presentation.state_message(page.entrance, ticket=page.ticket, is_answered=page.is_answered)
    )


def _led_to_sign_in(entrance: OpenedEntrance) -> Response:
    """Lead to WeChat where that is possible, else show the other ways; a closed campaign asks for nobody."""
    if entrance.state is not State.OPEN:
        return _message(presentation.state_message(entrance, ticket="", is_answered=False))
    if sign_in.is_possible_here():
        return sign_in.begin(f"/s/{entrance.code}")
    ways = presentation.ways_without_wechat(entrance)
    return make_response(render_template("voter/open_in_wechat.html", page=ways), HTTPStatus.UNAUTHORIZED)


@pages.route("/s/<code>/of/<organization_code>", methods=["GET"])
@pages.route("/s/<code>/in/<int:campaign_id>/of/<organization_code>", methods=["GET"])
@public(_VOTER)
def show_step(code: str, organization_code: str, campaign_id: int | None = None) -> Response:
    """Show the questionnaire of one subject, where a code rates several, perhaps of several campaigns."""
    page, subject = _step(code, organization_code, campaign_id)
    sitting = page.sitting
    if sitting is None or subject is None or sitting.is_done(subject):
        return make_response(redirect(f"/s/{page.entrance.code}", 303))
    own = panel_presentation.page_of(page, sitting, subject)
    if own.entrance.state is not State.OPEN:
        return _state_message(own)
    step = panel_presentation.step_of(page.entrance, sitting, subject)
    response = make_response(presentation.render_step(own, step))
    _keep_secret(response, f"{page.entrance.code}/{panel_presentation.path_of(sitting, subject)}")
    return response


def _step(
    code: str, organization_code: str, campaign_id: int | None
) -> tuple[voting.OpenedPage, RatedSubject | None]:
    with reading() as session:
        page = voting.open_page(session, raw_code=code, now=clock.now())
    return page, page.sitting.find(organization_code, campaign_id) if page.sitting else None


def _keep_secret(response: Response, path: str) -> None:
    """Give a browser without scripts the retry key of its ballot; it is kept while the page is tried."""
    secret = request.cookies.get("secret", "")
    secret = secret if is_secret(secret) else presentation.new_secret()
    set_cookie(response, "secret", secret, max_age=24 * 3600, path=f"/s/{path}")


@pages.route("/s/<code>", methods=["POST"])
@public(_VOTER)
def cast_ballot(code: str) -> Any:
    """Take the form of a browser without scripts, and lead to the receipt."""
    try:
        return _cast(code)
    except Invalid as error:
        return _shown_again(code, error), error.status
    except Conflict as error:
        return _refused(code, error)


def _refused(code: str, error: Conflict) -> Response:
    signed = request.form.get("ticket", "")
    ticket, credential = access.check_ticket(signed, code)
    of_a_slot = "" if ticket.place_id else signed
    return _message(presentation.conflict_message(code, error, credential, ticket=of_a_slot))


def _cast(code: str) -> Response:
    ticket, receipt = _submit(code)
    is_visit = ticket.mode is Mode.ASSISTED
    response = make_response(redirect(f"/visits/{receipt}" if is_visit else f"/r/{receipt}", 303))
    access.remember_answered(response, ticket)
    if is_visit:
        access.end_visit(response)
    response.delete_cookie("secret", path=f"/s/{code}")
    return response


def _submit(code: str, organization_code: str | None = None) -> tuple[Ticket, str]:
    """Cast what the form holds; returns the ticket and the receipt."""
    secret = request.cookies.get("secret", "")
    with single_statements() as session:
        ticket, ballot = voting.submit(
            session,
            raw_code=code,
            signed_ticket=request.form.get("ticket"),
            secret=secret if is_secret(secret) else presentation.new_secret(),
            check=lambda plan: plan.check_form(request.form),
            now=clock.now(),
            organization_code=organization_code,
        )
    return ticket, ballot.receipt


def _shown_again(code: str, error: Invalid) -> str:
    """Show the form again with what was filled in and what is missing."""
    with reading() as session:
        page = voting.open_page(session, raw_code=code, now=clock.now())
    if page.sitting is not None:
        sitting = panel_presentation.sitting_page(page.entrance, page.sitting)
        return render_template("voter/subjects.html", page=sitting)
    ticket = request.form.get("ticket", "")
    return presentation.render_filled_ballot(page, ticket=ticket, form=request.form, errors=error.errors)


@pages.route("/s/<code>/of/<organization_code>", methods=["POST"])
@pages.route("/s/<code>/in/<int:campaign_id>/of/<organization_code>", methods=["POST"])
@public(_VOTER)
def cast_step(code: str, organization_code: str, campaign_id: int | None = None) -> Any:
    """Take the form of one subject, and lead on to the next; its ticket says which campaign it is of."""
    try:
        _ticket, receipt = _submit(code, organization_code)
    except Invalid as error:
        return _step_again(code, organization_code, campaign_id, error)
    except Conflict as error:
        ticket = request.form.get("ticket", "")
        return _message(panel_presentation.conflict_message(code, organization_code, error, ticket=ticket))
    response = make_response(redirect(f"/s/{code}/sent/{receipt}", 303))
    response.delete_cookie("secret", path=request.path)
    return response


def _step_again(code: str, organization_code: str, campaign_id: int | None, error: Invalid) -> Any:
    page, subject = _step(code, organization_code, campaign_id)
    sitting = page.sitting
    if sitting is None or subject is None or subject not in sitting.subjects:
        return make_response(redirect(f"/s/{page.entrance.code}", 303))
    again = presentation.render_filled_ballot(
        panel_presentation.page_of(page, sitting, subject),
        ticket=request.form.get("ticket", ""),
        form=request.form,
        errors=error.errors,
        step=panel_presentation.step_of(page.entrance, sitting, subject),
    )
    return again, error.status


@pages.route("/s/<code>/sent/<receipt>", methods=["GET"])
@public(_VOTER)
def show_progress(code: str, receipt: str) -> Response:
    """Show the receipt of one subject, and lead on to the next."""
    number = read_symbols(receipt, RECEIPT_LENGTH)
    with reading() as session:
        page = voting.open_page(session, raw_code=code, now=clock.now())
        state = queries.find_receipt(session, number)
    if page.sitting is None or number is None or state is queries.ReceiptState.UNKNOWN:
        return make_response(redirect(f"/s/{page.entrance.code}", 303))
    sitting = panel_presentation.sitting_page(page.entrance, page.sitting, receipt=number)
    return make_response(render_template("voter/subjects.html", page=sitting))


@pages.route("/s/<code>/others", methods=["GET"])
@public(_VOTER)
def show_others(code: str) -> str:
    """List the other villages of the campaign."""
    with reading() as session:
        entrance = voting.find_entrance(session, raw_code=code, now=clock.now())
        rows = list_posted_elsewhere(
            session, campaign_id=entrance.campaign_id, rater_class=entrance.rater_class
        )
    return render_template("voter/others.html", others=presentation.other_villages(entrance, rows))


@pages.route("/r/<receipt>", methods=["GET"])
@public(_VOTER)
def show_receipt(receipt: str) -> Any:
    """Show a receipt."""
    number = read_symbols(receipt, RECEIPT_LENGTH)
    if number == voting.PREVIEW_RECEIPT:
        return _message(presentation.preview_message())
    with reading() as session:
        state = queries.find_receipt(session, number)
    if state is queries.ReceiptState.UNKNOWN:
        return render_template("voter/receipt_lookup.html", lookup=presentation.lookup(receipt, state)), 404
    return render_template(
        "voter/receipt.html", receipt=number, state=state, organization_name="", lookup_url="/receipts"
    )


@pages.route("/visits/<receipt>", methods=["GET"])
@public(_VOTER)
def show_end_of_visit(receipt: str) -> Any:
    """Thank who voted on the phone of somebody else, and ask to hand it back."""
    number = read_symbols(receipt, RECEIPT_LENGTH)
    with reading() as session:
        state = queries.find_receipt(session, number)
    if state is queries.ReceiptState.UNKNOWN:
        return render_template("voter/receipt_lookup.html", lookup=presentation.lookup(receipt, state)), 404
    return render_template("voter/visit.html", receipt=number)


@pages.route("/receipts", methods=["GET", "POST"])
@public(_VOTER)
def look_up_receipt() -> str:
    """Say whether a typed receipt is known."""
    typed = request.form.get("receipt", "")
    with reading() as session:
        state = queries.find_receipt(session, read_symbols(typed, RECEIPT_LENGTH)) if typed else None
    return render_template("voter/receipt_lookup.html", lookup=presentation.lookup(typed, state))


def _message(message: presentation.Message) -> Response:
    return make_response(render_template("voter/message.html", message=message), message.status)
