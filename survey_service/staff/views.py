"""The JSON API of signing in and of staff accounts."""

from typing import Any

from flask import Response
from werkzeug.datastructures import FileStorage

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint, accepts_upload
from survey_service.core.import_files import checked_filename
from survey_service.core.paging import paged
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.core.texts import text
from survey_service.organizations.schemas import ImportIn, uploaded
from survey_service.staff import importing, management, queries, service
from survey_service.staff.models import StaffAccount
from survey_service.staff.printing import kept_slips, slips_pdf
from survey_service.staff.rules import TokenKind
from survey_service.staff.schemas import (
    AccountIn,
    AccountOut,
    AccountPage,
    AccountQuery,
    CredentialsIn,
    GrantOut,
    ImportedAccountsOut,
    NewPasswordOut,
    PasswordChangeIn,
    SessionsOut,
    SlipsIn,
    SuccessorIn,
)
from survey_service.staff.service import Grant, NewPassword
from survey_service.staff.sign_in import (
    change_own_password,
    own_sessions,
    sign_in,
    sign_out,
    sign_out_everywhere,
)

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


@blp.route("/auth/sessions", methods=["GET"])
@requires("session.read")
@blp.response(200, SessionsOut())
@blp.problems(401, 403, 503)
def list_sessions() -> dict[str, Any]:
    """Return where one is signed in."""
    with reading() as session:
        return {"items": own_sessions(session)}


@blp.route("/auth/sessions", methods=["DELETE"])
@requires("session.update")
@blp.response(204)
@blp.problems(401, 403, 503)
def delete_sessions() -> None:
    """Sign out everywhere, here too."""
    sign_out_everywhere()


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
@blp.arguments(AccountQuery(), location="query")
@blp.response(200, AccountPage())
@blp.problems(400, 401, 403, 404, 422, 503)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the accounts of one's own sub-tree, or some of them."""
    with reading() as session:
        accounts = service.list_accounts(session, reader=current_staff(), now=clock.now(), **arguments)
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


@blp.route("/staff/import", methods=["POST"])
@requires("staff.import")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(ImportIn(), location="files")
@blp.response(201, ImportedAccountsOut())
@blp.problems(401, 403, 409, 413, 422, 503)
def import_file(files: dict[str, FileStorage]) -> dict[str, Any]:
    """Create the accounts of a sheet with one-time passwords, all or nothing."""
    with unit_of_work() as session:
        made = importing.import_accounts(session, **uploaded(files), by=current_staff(), now=clock.now())
        return {"created": len(made), "items": made, "slips": kept_slips(session, made)}


@blp.route("/staff/import/errors", methods=["POST"])
@requires("staff.import")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(ImportIn(), location="files")
@blp.response(200, {"type": "string", "format": "binary"}, content_type=XLSX_TYPE)
@blp.problems(401, 403, 413, 422, 503)
def mark_errors(files: dict[str, FileStorage]) -> Response:
    """Return a copy of the sheet in which bad rows are marked; nothing is written."""
    upload = uploaded(files)
    with reading() as session:
        copy = importing.check_import(session, **upload, by=current_staff())
    return attachment(copy, content_type=XLSX_TYPE, filename=checked_filename(upload["filename"]))


@blp.route("/staff/import-template.xlsx", methods=["GET"])
@requires("staff.import")
@blp.response(200, {"type": "string", "format": "binary"}, content_type=XLSX_TYPE)
@blp.problems(401, 403)
def template() -> Response:
    """Return the sheet to fill in, with an explanation."""
    filename = text("staff.template_filename")
    return attachment(importing.write_template(), content_type=XLSX_TYPE, filename=filename)


@blp.route("/staff/slips", methods=["POST"])
@requires("staff.print")
@blp.arguments(SlipsIn())
@blp.response(200, {"type": "string", "format": "binary"}, content_type=PDF_TYPE)
@blp.problems(400, 401, 403, 413, 422, 503)
def print_slips(body: dict[str, str]) -> Response:
    """Print the slips that an import gave within the last hour."""
    return slips_pdf(body["slips"])


@blp.route(f"{ACCOUNT}/reset-password", methods=["POST"])
@requires("staff.reset", queries.path_of_account)
@blp.response(200, NewPasswordOut())
@blp.problems(401, 403, 404, 503)
def reset_password(staff_id: int) -> NewPassword:
    """Give an account below one's own role a new random password; its sessions and its lockout end."""
    with unit_of_work() as session:
        return management.reset_password(session, staff_id=staff_id, by=current_staff(), now=clock.now())


@blp.route(f"{ACCOUNT}/disable", methods=["POST"])
@requires("staff.disable", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 503)
def disable(staff_id: int) -> StaffAccount:
    """Shut an account below one's own role; its sessions end at once."""
    with unit_of_work() as session:
        return management.disable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())


@blp.route(f"{ACCOUNT}/enable", methods=["POST"])
@requires("staff.enable", queries.path_of_account)
@blp.response(200, NewPasswordOut())
@blp.problems(401, 403, 404, 409, 503)
def enable(staff_id: int) -> NewPassword:
    """Open a shut account again, with a new one-time password."""
    with unit_of_work() as session:
        return management.enable_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())


@blp.route(f"{ACCOUNT}/hand-over", methods=["POST"])
@requires("staff.hand_over", queries.path_of_account)
@blp.arguments(SuccessorIn())
@blp.response(201, NewPasswordOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def hand_over(body: dict[str, str], staff_id: int) -> NewPassword:
    """Shut the account of somebody who leaves and open one for his successor; returns its password."""
    with unit_of_work() as session:
        return management.hand_over(session, staff_id=staff_id, by=current_staff(), now=clock.now(), **body)


@blp.route(f"{ACCOUNT}/approve", methods=["POST"])
@requires("staff.approve", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 409, 503)
def approve(staff_id: int) -> StaffAccount:
    """Let an account or its new password take effect, where administrators are separated."""
    with unit_of_work() as session:
        return management.approve_account(session, staff_id=staff_id, by=current_staff(), now=clock.now())


@blp.route(f"{ACCOUNT}/unlock", methods=["POST"])
@requires("staff.unlock", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 503)
def unlock(staff_id: int) -> StaffAccount:
    """End a lockout before its time."""
    with unit_of_work() as session:
        return management.unlock_account(session, staff_id=staff_id, by=current_staff())


@blp.route(f"{ACCOUNT}/end-sessions", methods=["POST"])
@requires("staff.end_sessions", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 503)
def end_sessions(staff_id: int) -> StaffAccount:
    """End every session of an account at once."""
    with unit_of_work() as session:
        return management.end_sessions(session, staff_id=staff_id, by=current_staff())


@blp.route(f"{ACCOUNT}/second-factor", methods=["DELETE"])
@requires("staff.remove_second_factor", queries.path_of_account)
@blp.response(200, AccountOut())
@blp.problems(401, 403, 404, 503)
def remove_second_factor(staff_id: int) -> StaffAccount:
    """Take the second factor off an account whose phone was lost."""
    with unit_of_work() as session:
        return management.remove_second_factor(session, staff_id=staff_id, by=current_staff())
