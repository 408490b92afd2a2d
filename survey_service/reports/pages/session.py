"""Signing in and out, and one's own password."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request

from survey_service.core.errors import Invalid, Locked, Unauthorized
from survey_service.core.permissions import public, requires
from survey_service.core.texts import text
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.frame import HOME, Notice
from survey_service.reports.rules import is_staff_page
from survey_service.staff.authenticate import authenticate, delete_session_cookie, set_session_cookie
from survey_service.staff.rules import TokenKind
from survey_service.staff.sign_in import change_own_password, sign_in, sign_out

_DOOR = "strangers sign in here"


@pages.route("", methods=["GET"])
@public(_DOOR)
def show_sign_in() -> Any:
    """Show the form, or lead on whoever is signed in already."""
    wanted = _wanted_page(request.args.get("next", ""))
    return redirect(wanted) if authenticate() else render_template("staff/sign_in.html", next=wanted)


def _wanted_page(given: str) -> str:
    return given if is_staff_page(given) else HOME


@pages.route("", methods=["POST"])
@public(_DOOR)
def sign_in_here() -> Any:
    """Open a session in the browser."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    wanted = _wanted_page(request.form.get("next", ""))
    try:
        grant = sign_in(username=username, password=password, kind=TokenKind.COOKIE)
    except (Unauthorized, Locked) as error:
        page = render_template("staff/sign_in.html", next=wanted, username=username, error=error.detail)
        return page, error.status
    response = make_response(redirect(wanted, 303))
    set_session_cookie(response, grant)
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
