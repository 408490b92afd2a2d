"""Signing in and out, and one's own password."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request

from survey_service.core.db import reading
from survey_service.core.errors import Forbidden, Invalid, Locked, Unauthorized
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.texts import text
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.account import session_row
from survey_service.reports.presentation.frame import Notice, home_of
from survey_service.reports.rules import is_staff_page
from survey_service.staff.authenticate import authenticate, delete_session_cookie, set_session_cookie
from survey_service.staff.bindings import list_bindings
from survey_service.staff.queries import is_second_factor_on
from survey_service.staff.rules import TokenKind
from survey_service.staff.service import Grant
from survey_service.staff.sign_in import (
    SecondFactorRequired,
    change_own_password,
    own_sessions,
    sign_in,
    sign_in_with_code,
    sign_out,
    sign_out_everywhere,
)
from survey_service.wechat.sign_in import is_installed, provider_here

_DOOR = "strangers sign in here"


@pages.route("", methods=["GET"])
@public(_DOOR)
def show_sign_in() -> Any:
    """Show the form, or lead on whoever is signed in already."""
    wanted = _wanted_page(request.args.get("next", ""))
    staff = authenticate()
    return redirect(wanted or home_of(staff.role)) if staff else sign_in_page(next=wanted)


def _wanted_page(given: str) -> str:
    return given if is_staff_page(given) else ""


def sign_in_page(**values: str) -> str:
    """Show the form of the first step, or with a `ticket` that of the second."""
    given = {"ticket": "", "error": "", "username": "", "next": ""} | values
    ways = {"by_phone": provider_here(), "has_phone_sign_in": is_installed()}
    return render_template("staff/sign_in.html", **given, **ways)


@pages.route("", methods=["POST"])
@public(_DOOR)
def sign_in_here() -> Any:
    """Open a session in the browser: by name and password, and where there is a second factor by a code."""
    form = request.form
    wanted, ticket = _wanted_page(form.get("next", "")), form.get("ticket", "")
    try:
        grant = _take_step(ticket)
    except SecondFactorRequired as error:
        # Only an empty code brings a second ticket, and then a word about it.
        return sign_in_page(ticket=error.ticket, next=wanted, error=error.detail if ticket else "")
    except (Unauthorized, Locked, Forbidden) as error:
        kept = ticket if error.code == "bad_one_time_code" else ""
        name = form.get("username", "")
        return sign_in_page(ticket=kept, next=wanted, username=name, error=error.detail), error.status
    return signed_in(grant, wanted)


def signed_in(grant: Grant, wanted: str) -> Response:
    """Hand the session to the browser, and lead to the page that was wanted."""
    response = make_response(redirect(wanted or home_of(grant.account.role), 303))
    set_session_cookie(response, grant)
    return response


def _take_step(ticket: str) -> Grant:
    form = request.form
    if ticket:
        return sign_in_with_code(ticket=ticket, one_time_code=form.get("one_time_code", ""))
    username, password = form.get("username", ""), form.get("password", "")
    return sign_in(username=username, password=password, kind=TokenKind.COOKIE)


@pages.route("/account", methods=["GET"])
@requires("session.read")
def show_own_account() -> str:
    """Show one's own account, and where one is signed in."""
    staff = current_staff()
    with reading() as session:
        found = own_sessions(session)
        has_factor = is_second_factor_on(session, staff_id=staff.id)
        bound = [one.provider for one in list_bindings(session, staff_id=staff.id)]
    rows = [
        session_row(
            one.kind, one.client, since=one.created_at, last_used=one.last_used_at, is_current=one.is_current
        )
        for one in found
    ]
    return render_template(
        "staff/own_account.html", places=rows, has_second_factor=has_factor, bound=bound, here=provider_here()
    )


@pages.route("/sign-out-everywhere", methods=["POST"])
@requires("session.update")
def sign_out_everywhere_here() -> Response:
    """End all of one's own sessions, this one too."""
    sign_out_everywhere()
    response = to_page("show_sign_in", notice=Notice.SIGNED_OUT_EVERYWHERE)
    delete_session_cookie(response)
    return response


@pages.route("/sign-out", methods=["POST"])
@requires("session.update")
def sign_out_here() -> Response:
    """End the session."""
    sign_out()
    response = to_page("show_sign_in", notice=Notice.SIGNED_OUT)
    delete_session_cookie(response)
    return response


@pages.route("/password", methods=["GET"])
@requires("session.read")
def show_password() -> str:
    """Ask for a new password."""
    return render_template("staff/password.html", errors={})


@pages.route("/password", methods=["POST"])
@requires("session.update")
def change_password() -> Any:
    """Change one's own password; one signs in again with it."""
    given, wanted = request.form.get("password", ""), request.form.get("new_password", "")
    try:
        if wanted != request.form.get("repeated", ""):
            raise Invalid(errors={"repeated": [text("staff_pages.passwords_differ")]})
        change_own_password(password=given, new_password=wanted)
    except (Unauthorized, Locked, Invalid) as error:
        errors = error.errors or {"password": [error.detail]}
        return render_template("staff/password.html", errors=errors), error.status
    return to_page("show_sign_in", notice=Notice.PASSWORD_CHANGED)
