"""Signing in without a password: by WeChat or 企业微信, and at a desktop by the phone."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request

from survey_service.core import clock, qr
from survey_service.core.db import unit_of_work
from survey_service.core.errors import Conflict, Forbidden, Locked, NotFound, Unauthorized
from survey_service.core.http import public_url, set_cookie
from survey_service.core.permissions import current_staff, public, requires
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.pages.session import sign_in_page, signed_in
from survey_service.reports.presentation.account import client_words
from survey_service.reports.presentation.frame import Notice, home_of
from survey_service.reports.rules import is_staff_page
from survey_service.staff import bindings, desktops, phone_sign_in
from survey_service.staff.authenticate import authenticate
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Grant
from survey_service.staff.sign_in import SecondFactorRequired
from survey_service.wechat import sign_in as wechat
from survey_service.wechat.rules import Provider

_DOOR = "strangers sign in here"
_PATH = "/staff/wechat"
_BIND_PATH = "/staff/wechat/bind"
_NEXT_COOKIE = "staff_next"
_NEXT_SECONDS = 300


@pages.route("/wechat", methods=["GET"])
@public(_DOOR)
def sign_in_by_phone() -> Any:
    """Ask the provider who holds the phone; open his session, or let him bind the phone.

    A phone that was handed to a villager stays locked: its holder is not the one who is bound.
    """
    staff = authenticate()
    if staff is not None:
        return redirect(_wanted_page() or home_of(staff.role))
    provider, phone = wechat.provider_here(), phone_sign_in.phone_here()
    if provider is None:
        return to_page("show_sign_in")
    if phone is None:
        response = wechat.begin(_PATH, by=provider)
        wanted = request.args.get("next", "")
        if is_staff_page(wanted):
            set_cookie(response, _NEXT_COOKIE, wanted, max_age=_NEXT_SECONDS, path="/staff")
        return response
    try:
        grant = phone_sign_in.sign_in_by_phone(phone)
    except SecondFactorRequired as error:
        return sign_in_page(ticket=error.ticket, next=_wanted_page())
    except Unauthorized:
        return _binding_page()
    return _entered(grant)


def _wanted_page() -> str:
    wanted = request.cookies.get(_NEXT_COOKIE, "")
    return wanted if is_staff_page(wanted) else ""


def _entered(grant: Grant) -> Response:
    provider = wechat.provider_here()
    if provider is not None:
        wechat.end_visit(provider)
    response = signed_in(grant, _wanted_page())
    response.delete_cookie(_NEXT_COOKIE, path="/staff", httponly=True, samesite="Lax")
    return response


def _binding_page(
    *, username: str = "", error: str = "", needs_code: bool = False, is_own: bool = False
) -> str:
    return render_template(
        "staff/bind_phone.html", username=username, error=error, needs_code=needs_code, is_own=is_own
    )


@pages.route("/wechat", methods=["POST"])
@public(_DOOR)
def bind_and_sign_in() -> Any:
    """Bind the phone by name and password, those of the printed slip for instance."""
    authenticate()
    form = request.form
    username, one_time_code = form.get("username", ""), form.get("one_time_code", "")
    try:
        grant = phone_sign_in.bind_and_sign_in(
            username=username, password=form.get("password", ""), one_time_code=one_time_code
        )
    except (Unauthorized, Locked, Forbidden, Conflict) as error:
        needs_code = isinstance(error, SecondFactorRequired) or error.code == "bad_one_time_code"
        page = _binding_page(username=username, error=error.detail, needs_code=needs_code)
        return page, error.status
    return _entered(grant)


@pages.route("/wechat/bind", methods=["GET"])
@requires("session.update")
def show_binding() -> Any:
    """Ask for the password before this phone is bound to one's own account."""
    provider = wechat.provider_here()
    if provider is None:
        return to_page("show_own_account")
    if phone_sign_in.phone_here() is None:
        return wechat.begin(_BIND_PATH, by=provider)
    return _binding_page(is_own=True)


@pages.route("/wechat/bind", methods=["POST"])
@requires("session.update")
def bind_own_phone() -> Any:
    """Bind this phone to one's own account."""
    try:
        phone_sign_in.bind_own_phone(password=request.form.get("password", ""))
    except (Unauthorized, Locked, Conflict) as error:
        return _binding_page(error=error.detail, is_own=True), error.status
    return to_page("show_own_account", notice=Notice.PHONE_BOUND)


@pages.route("/wechat/unbind", methods=["POST"])
@requires("session.update")
def unbind_phone() -> Any:
    """Take back what opens one's own account."""
    given = request.form.get("provider", "")
    if given not in set(Provider):
        raise NotFound
    with unit_of_work() as session:
        bindings.unbind(session, staff_id=current_staff().id, provider=Provider(given))
    return to_page("show_own_account", notice=Notice.PHONE_UNBOUND)


@pages.route("/desktop", methods=["POST"])
@public(_DOOR)
def wait_for_phone() -> Response:
    """Let this desktop wait for a phone."""
    return phone_sign_in.wait_for_phone()


@pages.route("/desktop", methods=["GET"])
@public(_DOOR)
def show_desktop_code() -> Any:
    """Show the code and the number until a phone lets this desktop in; the page asks again by itself."""
    try:
        desktop = phone_sign_in.waiting_desktop()
        grant = phone_sign_in.enter_from_desktop(desktop)
    except Forbidden:
        return to_page("show_sign_in", notice=Notice.DESKTOP_EXPIRED)
    if grant is not None:
        return signed_in(grant, "")
    address = f"{public_url()}/staff/desktop/{desktop.code}"
    image = qr.data_url(address)
    page = make_response(render_template("staff/desktop.html", image=image, number=desktop.number))
    page.headers["Refresh"] = "3"
    return page


@pages.route("/desktop/<code>", methods=["GET"])
@requires("session.update")
def ask_about_desktop(code: str) -> Any:
    """Ask on the phone which number the desktop shows."""
    try:
        with unit_of_work() as session:
            question = desktops.ask(session, code=code, now=clock.now())
    except Forbidden:
        return render_template("staff/desktop_answer.html", outcome="expired"), 403
    client = client_words(TokenKind.COOKIE, question.client)
    return render_template("staff/let_in.html", code=code, numbers=question.numbers, client=client)


@pages.route("/desktop/<code>", methods=["POST"])
@requires("session.update")
def let_desktop_in(code: str) -> Any:
    """Let the desktop in, or end its waiting where the number is another one."""
    number = request.form.get("number", default=0, type=int)
    try:
        with unit_of_work() as session:
            is_right = desktops.let_in(
                session, code=code, number=number, staff_id=current_staff().id, now=clock.now()
            )
    except Forbidden:
        return render_template("staff/desktop_answer.html", outcome="expired"), 403
    return render_template("staff/desktop_answer.html", outcome="let_in" if is_right else "refused")
