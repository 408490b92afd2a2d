"""The pages of accounts: list, create, reset, disable."""

from typing import Any

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import current_staff, requires
from survey_service.organizations.queries import list_children, select_subtree
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.presentation.account import AccountFacts, account_page, session_row
from survey_service.reports.presentation.accounts import (
    FIELDS,
    AccountSearch,
    PasswordPage,
    account_form_page,
    accounts_page,
    password_page,
)
from survey_service.reports.presentation.forms import FormView, body_of, load
from survey_service.reports.presentation.frame import Notice
from survey_service.reports.presentation.visits import station_choices
from survey_service.staff import management, queries, service
from survey_service.staff.printing import kept_slips
from survey_service.staff.rules import is_alive
from survey_service.staff.schemas import AccountIn, AccountQuery, SuccessorIn
from survey_service.staff.service import NewPassword
from survey_service.visits.queries import list_stations

SEARCH = ("words", "organization", "cursor")
ACCOUNT = "/accounts/<int:staff_id>"
MOST_SUGGESTED = 500
"""More organizations than this are not suggested in the form; their codes are typed."""


@pages.route("/accounts", methods=["GET"])
@requires("staff.read")
def list_accounts() -> str:
    """List the accounts of one's own sub-tree, or those among them that somebody looks for."""
    reader, now = current_staff(), clock.now()
    asked = load(AccountQuery(), {name: request.args.get(name, "") for name in SEARCH} | _asked_state())
    with reading() as session:
        accounts = service.list_accounts(session, reader=reader, now=now, **asked)
        counts = queries.count_accounts(session, within_path=reader.path)
        places = list_children(session, parent_id=reader.organization_id)
    search = AccountSearch(asked["words"], asked["organization"], asked["state"] or "")
    page = accounts_page(accounts, search=search, counts=counts, places=places, now=now)
    return render_template("staff/accounts.html", page=page)


def _asked_state() -> dict[str, str]:
    return {"state": request.args["state"]} if request.args.get("state") else {}


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
            page = _shown_once(session, made)
    except (Invalid, Conflict) as error:
        errors = error.errors or {"username": [error.detail]}
        return _account_form(FormView(request.form, errors)), error.status
    return render_template("staff/new_password.html", page=page)


@pages.route(ACCOUNT, methods=["GET"])
@requires("staff.read", queries.path_of_account)
def show_account(staff_id: int) -> str:
    """Show one account, and what the reader may do to it."""
    return _account(staff_id, FormView())


def _account(staff_id: int, form: FormView) -> str:
    now = clock.now()
    with reading() as session:
        account = queries.get_account(session, staff_id=staff_id)
        tokens = queries.list_sessions(session, staff_id=staff_id, now=now)
        has_factor = queries.is_second_factor_on(session, staff_id=staff_id)
        places = list_children(session, parent_id=account.organization_id)
        stations = station_choices(places, list_stations(session, staff_id=staff_id))
    rows = [
        session_row(one.kind, one.client, since=one.created_at, last_used=one.last_used_at)
        for one in tokens
        if is_alive(one.kind, last_used_at=one.last_used_at, expires_at=one.expires_at, now=now)
    ]
    facts = AccountFacts(account, account.lockout.minutes_left(now) > 0, bool(rows), has_factor)
    page = account_page(facts, reader=current_staff(), sessions=rows)
    return render_template("staff/account.html", page=page, form=form, stations=stations)


def _shown_once(session: Session, made: NewPassword) -> PasswordPage:
    return password_page(made, slips=kept_slips(session, [made]))


@pages.route(f"{ACCOUNT}/reset", methods=["POST"])
@requires("staff.reset", queries.path_of_account)
def reset_password(staff_id: int) -> str:
    """Give an account a new password and show it this once."""
    with unit_of_work() as session:
        made = management.reset_password(session, staff_id=staff_id, by=current_staff(), now=clock.now())
        page = _shown_once(session, made)
    return render_template("staff/new_password.html", page=page)


@pages.route(f"{ACCOUNT}/enable", methods=["POST"])
@requires("staff.enable", queries.path_of_account)
def enable_account(staff_id: int) -> str:
    """Open a shut account again and show its new password this once."""
    with unit_of_work() as session:
        made = management.enable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())
        page = _shown_once(session, made)
    return render_template("staff/new_password.html", page=page)


@pages.route(f"{ACCOUNT}/hand-over", methods=["POST"])
@requires("staff.hand_over", queries.path_of_account)
def hand_over(staff_id: int) -> Any:
    """Shut the account of somebody who leaves, open his successor's, and show its password this once."""
    try:
        body = load(SuccessorIn(), body_of(request.form, ("display_name", "username")))
        with unit_of_work() as session:
            made = management.hand_over(
                session, staff_id=staff_id, by=current_staff(), now=clock.now(), **body
            )
            page = _shown_once(session, made)
    except (Invalid, Conflict) as error:
        errors = error.errors or {"username": [error.detail]}
        return _account(staff_id, FormView(request.form, errors)), error.status
    return render_template("staff/new_password.html", page=page)


@pages.route(f"{ACCOUNT}/approve", methods=["POST"])
@requires("staff.approve", queries.path_of_account)
def approve_account(staff_id: int) -> Response:
    """Let an account or its new password take effect."""
    with unit_of_work() as session:
        management.approve_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())
    return to_page("show_account", notice=Notice.ACCOUNT_APPROVED, staff_id=staff_id)


@pages.route(f"{ACCOUNT}/unlock", methods=["POST"])
@requires("staff.unlock", queries.path_of_account)
def unlock_account(staff_id: int) -> Response:
    """End a lockout before its time."""
    with unit_of_work() as session:
        management.unlock_account(session, staff_id=staff_id, by=current_staff())
    return to_page("show_account", notice=Notice.ACCOUNT_UNLOCKED, staff_id=staff_id)


@pages.route(f"{ACCOUNT}/end-sessions", methods=["POST"])
@requires("staff.end_sessions", queries.path_of_account)
def end_sessions(staff_id: int) -> Response:
    """End every session of an account."""
    with unit_of_work() as session:
        management.end_sessions(session, staff_id=staff_id, by=current_staff())
    return to_page("show_account", notice=Notice.SESSIONS_ENDED, staff_id=staff_id)


@pages.route(f"{ACCOUNT}/remove-second-factor", methods=["POST"])
@requires("staff.remove_second_factor", queries.path_of_account)
def remove_second_factor(staff_id: int) -> Response:
    """Take the second factor off an account whose phone was lost."""
    with unit_of_work() as session:
        management.remove_second_factor(session, staff_id=staff_id, by=current_staff())
    return to_page("show_account", notice=Notice.SECOND_FACTOR_OFF, staff_id=staff_id)


@pages.route(f"{ACCOUNT}/disable", methods=["POST"])
@requires("staff.disable", queries.path_of_account)
def disable_account(staff_id: int) -> Response:
    """Shut an account."""
    with unit_of_work() as session:
        management.disable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())
    return to_page("show_account", notice=Notice.ACCOUNT_DISABLED, staff_id=staff_id)
