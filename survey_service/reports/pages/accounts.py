"""The pages of accounts: list, create, reset, disable."""

from typing import Any

from flask import Response, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.organizations.queries import select_subtree
from survey_service.reports.pages.frame import cursor, pages, to_page
from survey_service.reports.presentation.accounts import (
    FIELDS,
    account_form_page,
    accounts_page,
    password_page,
)
from survey_service.reports.presentation.forms import FormView, body_of, load
from survey_service.reports.presentation.frame import Notice
from survey_service.staff import management, service
from survey_service.staff.printing import kept_slips
from survey_service.staff.queries import list_accounts as list_them
from survey_service.staff.queries import path_of_account
from survey_service.staff.schemas import AccountIn

ACCOUNT = "/accounts/<int:staff_id>"
MOST_SUGGESTED = 500
"""More organizations than this are not suggested in the form; their codes are typed."""


@pages.route("/accounts", methods=["GET"])
@requires("staff.read")
def list_accounts() -> str:
    """List the accounts of one's own sub-tree."""
    staff, after = current_staff(), cursor()
    with reading() as session:
        accounts = list_them(session, within_path=staff.path, after=after)
    page = accounts_page(accounts, reader=staff, now=clock.now())
    return render_template("staff/accounts.html", page=page)


@pages.route("/accounts/new", methods=["GET"])
@requires("staff.create")
def new_account() -> str:
    """Show the form of a new account."""
    return _account_form(FormView(request.args))


def _account_form(form: FormView) -> str:
    staff = current_staff()
    with reading() as session:
        places = session.scalars(select_subtree(staff.path).limit(MOST_SUGGESTED)).all()
    page = account_form_page(form, places, reader=staff)
    return render_template("staff/account_form.html", page=page)


@pages.route("/accounts/new", methods=["POST"])
@requires("staff.create")
def create_account() -> Any:
    """Create an account and show its password this once."""
    try:
        body = load(AccountIn(), body_of(request.form, FIELDS))
        with unit_of_work() as session:
            made = service.create_account(session, by=current_staff(), now=clock.now(), **body)
            page = password_page(made, slips=kept_slips(session, [made]))
    except (Invalid, Conflict) as error:
        errors = error.errors or {"username": [error.detail]}
        return _account_form(FormView(request.form, errors)), error.status
    return render_template("staff/new_password.html", page=page)


@pages.route(f"{ACCOUNT}/reset", methods=["POST"])
@requires("staff.reset", path_of_account)
def reset_password(staff_id: int) -> str:
    """Give an account a new password and show it this once."""
    with unit_of_work() as session:
        made = management.reset_password(session, staff_id=staff_id, by=current_staff(), now=clock.now())
        page = password_page(made, slips=kept_slips(session, [made]))
    return render_template("staff/new_password.html", page=page)


@pages.route(f"{ACCOUNT}/disable", methods=["POST"])
@requires("staff.disable", path_of_account)
def disable_account(staff_id: int) -> Response:
    """Shut an account."""
    with unit_of_work() as session:
        management.disable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())
    return to_page("list_accounts", notice=Notice.ACCOUNT_DISABLED)
