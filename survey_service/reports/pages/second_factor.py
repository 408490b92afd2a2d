"""The pages of one's own second factor: set up, confirm, turn off."""

from typing import Any

from flask import Response, render_template, request

from survey_service.core import clock, qr
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid, Locked, Unauthorized
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.frame import Notice
from survey_service.staff import second_factor
from survey_service.staff.one_time_codes import enrolment_uri, manual_key
from survey_service.staff.queries import is_second_factor_on
from survey_service.staff.sign_in import begin_second_factor, turn_off_second_factor


@pages.route("/second-factor", methods=["GET"])
@requires("session.read")
def show_second_factor() -> str:
    """Say what a second factor is, and offer to set it up or to turn it off."""
    return _page()


def _page(**errors: str) -> str:
    with reading() as session:
        is_on = is_second_factor_on(session, staff_id=current_staff().id)
    return render_template("staff/second_factor.html", is_on=is_on, errors=errors)


@pages.route("/second-factor", methods=["POST"])
@requires("session.update")
def begin_enrolment() -> Any:
    """Make a secret for the phone and show it."""
    try:
        secret = begin_second_factor(password=request.form.get("password", ""))
    except (Unauthorized, Locked) as error:
        return _page(password=error.detail), error.status
    return _enrolment(secret)


def _enrolment(secret: bytes, error: str = "") -> str:
    uri = enrolment_uri(secret, username=current_staff().username, issuer=text("staff_pages.product"))
    image = qr.data_url(uri)
    return render_template("staff/enrolment.html", image=image, key=manual_key(secret), error=error)


@pages.route("/second-factor/confirm", methods=["POST"])
@requires("session.update")
def confirm_enrolment() -> Any:
    """Put the second factor into use, and show the recovery codes this once."""
    staff_id, keyring = current_staff().id, current_keyring()
    code = request.form.get("one_time_code", "")
    try:
        with unit_of_work() as session:
            codes = second_factor.confirm_enrolment(
                session, staff_id=staff_id, code=code, keyring=keyring, now=clock.now()
            )
    except Invalid as error:
        with reading() as session:
            secret = second_factor.pending_secret(session, staff_id=staff_id, keyring=keyring)
        return _enrolment(secret, "".join(error.errors["one_time_code"])), error.status
    return render_template("staff/recovery_codes.html", codes=codes)


@pages.route("/second-factor/off", methods=["POST"])
@requires("session.update")
def turn_off() -> Any:
    """Take one's own second factor out of use."""
    password, code = request.form.get("password", ""), request.form.get("one_time_code", "")
    try:
        turn_off_second_factor(password=password, one_time_code=code)
    except (Unauthorized, Locked) as error:
        field = "password" if error.code in {"bad_credentials", "locked"} else "one_time_code"
        return _page(**{field: error.detail}), error.status
    response: Response = to_page("show_own_account", notice=Notice.SECOND_FACTOR_OFF)
    return response
