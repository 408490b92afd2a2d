"""The author's pages: write, look up, judge; every one works without a script."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request

from survey_service.ballots import access
from survey_service.ballots.presentation import code_entry, new_secret, ways_without_wechat
from survey_service.ballots.rules import is_secret
from survey_service.clear_letters.rules import LETTER_CODE_LENGTH
from survey_service.core import clock, qr
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid, NotFound
from survey_service.core.http import accepts_upload, network_key, public_url, set_cookie
from survey_service.core.paging import page_begin
from survey_service.core.permissions import public
from survey_service.entrances.codes import normalize, read_symbols
from survey_service.opinions import authors, letters, photos, presentation, writing
from survey_service.opinions.limits import guarded
from survey_service.opinions.policy import current_policy
from survey_service.opinions.public_answers import list_public_answers
from survey_service.opinions.receiving import Draft, Received
from survey_service.opinions.rules import Category, Level, Topic, Verdict
from survey_service.wechat import sign_in

pages = Blueprint("opinion_pages", __name__)

_AUTHOR = "authors have no accounts"
_SECRET_COOKIE = "opinion_secret"  # noqa: S105  The name of a cookie, not a secret.
_DAY = 24 * 3600


@pages.route("/o", methods=["GET", "POST"])
@public(_AUTHOR)
def enter_box_code() -> Any:
    """Ask for the code of a poster by hand, and lead on to its page."""
    typed = request.form.get("code", "")
    code = normalize(typed)
    if code is not None:
        return redirect(f"/o/{code}", 303)
    return render_template("voter/box_code.html", entry=code_entry(typed, action="/o"))


@pages.route("/o/<code>", methods=["GET"])
@public(_AUTHOR)
def show_form(code: str) -> Response:
    """Show the page on which an opinion is written."""
    try:
        with reading() as session:
            form = writing.open_form(session, raw_code=code, now=clock.now())
    except access.SignInRequired as required:
        return _led_to_sign_in(required)
    response = make_response(render_template("voter/opinion.html", page=presentation.form_page(form)))
    if form.device is not None and access.known_device() is None:
        access.set_device_cookie(response, form.device)
    set_cookie(response, _SECRET_COOKIE, _secret(), max_age=_DAY, path=f"/o/{form.code}")
    return response


@pages.route("/l/<code>/opinion", methods=["GET"])
@public(_AUTHOR)
def answer_letter(code: str) -> Any:
    """Lead from a clear letter to the page on which it is answered."""
    with reading() as session:
        box = letters.box_of_letter(session, letter_code=read_symbols(code, LETTER_CODE_LENGTH))
    return redirect(f"/o/{box}", 303)


def _led_to_sign_in(required: access.SignInRequired) -> Response:
    if sign_in.is_possible_here():
        return sign_in.begin(f"/o/{required.entrance.code}")
    ways = ways_without_wechat(required.entrance)
    return make_response(render_template("voter/open_in_wechat.html", page=ways), required.status)


def _secret() -> str:
    """Return the retry key that the browser keeps, or a fresh one."""
    kept = request.cookies.get(_SECRET_COOKIE, "")
    return kept if is_secret(kept) else new_secret()


@pages.route("/o/<code>/answers", methods=["GET"])
@public(_AUTHOR)
def lead_to_answers(code: str) -> Any:
    """Lead from the code of a box or a campaign to what its place has answered in public."""
    with reading() as session:
        place = writing.place_behind(session, raw_code=code, now=clock.now())
    return redirect(f"/a/{place}", 303)


@pages.route("/a/<organization_code>", methods=["GET"])
@public("authors and offices have given these words to everybody")
def show_public_answers(organization_code: str) -> str:
    """Show what a place has answered in public, the newest first."""
    after = page_begin(request.args.get("cursor", ""))
    with reading() as session:
        found = list_public_answers(session, organization_code=organization_code, after=after)
    page = presentation.answers_page(found, after=after, is_large=request.args.get("type") == "large")
    return render_template("voter/public_answers.html", page=page)


@pages.route("/o/<code>.svg", methods=["GET"])
@public("it only draws the address that the caller knows already")
def show_box_qr(code: str) -> Response:
    """Draw the QR code of a form."""
    canonical = normalize(code)
    if canonical is None:
        raise NotFound("unknown_entrance")
    return Response(qr.svg(f"{public_url()}/o/{canonical}"), content_type="image/svg+xml")


@pages.route("/o/<code>", methods=["POST"])
@public("the ticket and the credential decide, not an account")
@accepts_upload(photos.MAX_UPLOAD_BYTES)
def write(code: str) -> Any:
    """Take an opinion, and lead to the page with its query code."""
    try:
        received = _received(code)
    except Invalid as error:
        return _shown_again(code, error), error.status
    response = redirect(f"/q/{received.query_code}", 303)
    response.delete_cookie(_SECRET_COOKIE, path=f"/o/{code}")
    return response


def _received(code: str) -> Received:
    draft = _draft()
    with unit_of_work() as session:
        return writing.submit_opinion(
            session,
            raw_code=code,
            signed_ticket=request.form.get("ticket"),
            secret=_secret(),
            draft=draft,
            now=clock.now(),
        )


def _draft() -> Draft:
    form = request.form
    return Draft(
        text=form.get("text", ""),
        category=_chosen(Category, form.get("category")),
        topic=_chosen(Topic, form.get("topic")),
        may_publish=form.get("may_publish") == "1",
        about=_chosen(Level, form.get("about")),
        photos=photos.redraw(file.read() for file in request.files.getlist("photos")),
    )


def _chosen(words: Any, value: str | None) -> Any:
    """Return a choice of the form; what is none counts as not chosen."""
    return words(value) if value in [*words] else None


def _shown_again(code: str, error: Invalid) -> str:
    with reading() as session:
        form = writing.open_form(session, raw_code=code, now=clock.now())
    page = presentation.form_page(
        form, ticket=request.form.get("ticket", ""), values=request.form, errors=error.errors
    )
    return render_template("voter/opinion.html", page=page)


@pages.route("/q", methods=["GET", "POST"])
@public(_AUTHOR)
def enter_query_code() -> Any:
    """Ask for a query code by hand, and lead on to its page."""
    typed = request.form.get("query_code", "")
    try:
        return redirect(f"/q/{authors.read_query_code(typed)}", 303)
    except NotFound:
        page = presentation.lookup_page(typed, is_unknown=bool(typed))
        return render_template("voter/opinion_lookup.html", page=page), 404 if typed else 200


@pages.route("/q/<query_code>", methods=["GET"])
@public(_AUTHOR)
def show_case(query_code: str) -> Any:
    """Say what became of an opinion."""
    try:
        with reading() as session, guarded(network_key()):
            view = authors.look_up(session, typed=query_code, policy=current_policy())
    except NotFound:
        page = presentation.lookup_page(query_code, is_unknown=True)
        return render_template("voter/opinion_lookup.html", page=page), 404
    return render_template("voter/opinion_case.html", page=presentation.case_page(view))


@pages.route("/q/<query_code>.svg", methods=["GET"])
@public("it only draws the address that the caller knows already")
def show_query_qr(query_code: str) -> Response:
    """Draw the QR code of an author's way back."""
    address = f"{public_url()}/q/{authors.read_query_code(query_code)}"
    return Response(qr.svg(address), content_type="image/svg+xml")


@pages.route("/q/<query_code>/verdict", methods=["POST"])
@public(_AUTHOR)
def rate(query_code: str) -> Any:
    """Take the verdict, one tap, and lead back."""
    verdict = _chosen(Verdict, request.form.get("verdict"))
    if verdict is None:
        raise Invalid
    remark = request.form.get("remark", "").strip()[:500]
    with unit_of_work() as session, guarded(network_key()):
        view = authors.rate_answer(
            session,
            typed=query_code,
            verdict=verdict,
            remark=remark,
            policy=current_policy(),
            today=clock.local_day(clock.now()),
        )
    return redirect(f"/q/{view.query_code}", 303)
