"""The JSON API of signing in and of staff accounts."""

from typing import Any

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, public, requires
from survey_service.staff import queries, service
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import TokenKind
from survey_service.staff.schemas import (
    AccountIn,
    AccountOut,
    AccountPage,
    CredentialsIn,
    GrantOut,
    NewPasswordOut,
    PasswordChangeIn,
)
from survey_service.staff.service import Grant, NewPassword
from survey_service.staff.sign_in import change_own_password, sign_in, sign_out

blp = Blueprint("staff", __name__, description="Signing in, and who works with the system")

ACCOUNT = "/staff/<int:staff_id>"


@blp.route("/auth/token", methods=["POST"])
@public("a stranger signs in here")
@blp.arguments(CredentialsIn())
@blp.response(201, GrantOut())
@blp.problems(400, 401, 413, 422, 423, 429, 503)
def create_token(body: dict[str, str]) -> Grant:
    """Sign in another system; the token is shown this once."""
    return sign_in(kind=TokenKind.BEARER, **body)


@blp.route("/auth/token", methods=["DELETE"])
@requires("session.update")
@blp.response(204)
@blp.problems(401, 403, 503)
def delete_token() -> None:
    """Sign out: the token of this call opens nothing any more."""
    sign_out()


@blp.route("/auth/me", methods=["GET"])
@requires("session.read")
@blp.response(200, AccountOut())
@blp.problems(401, 403, 503)
def show_me() -> StaffAccount:
    """Return one's own account."""
    with reading() as session:
        return queries.get_account(session, staff_id=current_staff().id)


@blp.route("/auth/password", methods=["PUT"])
@requires("session.update")
@blp.arguments(PasswordChangeIn())
@blp.response(204)
@blp.problems(400, 401, 403, 413, 422, 423, 429, 503)
def change_password(body: dict[str, str]) -> None:
    """Change one's own password; every session of the account ends, this one too."""
    change_own_password(**body)


@blp.route("/staff", methods=["GET"])
@requires("staff.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, AccountPage())
@blp.problems(401, 403, 422, 503)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the accounts of one's own sub-tree."""
    with reading() as session:
        accounts = queries.list_accounts(session, within_path=current_staff().path, **arguments)
        cursor = paged([{"id": account.id} for account in accounts], limit=queries.PAGE_SIZE)
        return cursor | {"items": accounts}


@blp.route("/staff", methods=["POST"])
@requires("staff.create")
@blp.arguments(AccountIn())
@blp.response(201, NewPasswordOut())
@blp.problems(400, 401, 403, 409, 413, 422, 503)
def create(body: dict[str, Any]) -> NewPassword:
    """Create an account at or below one's own role and inside one's own sub-tree; returns its password."""
    with unit_of_work() as session:
        return service.create_account(session, now=clock.now(), by=current_staff(), **body)


@blp.route(f"{ACCOUNT}/reset-password", methods=["POST"])
@requires("staff.reset", queries.path_of_account)
@blp.response(200, NewPasswordOut())
@blp.problems(401, 403, 404, 503)
def reset_password(staff_id: int) -> NewPassword:
    """Give an account below one's own role a new random password; its sessions and its lockout end."""
    with unit_of_work() as session:
        return service.reset_password(session, staff_id=staff_id, by=current_staff())


@blp.route(f"{ACCOUNT}/disable", methods=["POST"])
@requires("staff.disable", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 503)
def disable(staff_id: int) -> StaffAccount:
    """Shut an account below one's own role; its sessions end at once."""
    with unit_of_work() as session:
        return service.disable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())
