"""The frame of the staff pages: who is looking, where he may go, and what happens to strangers."""

from typing import Any

from flask import Blueprint, Response, g, make_response, redirect, request, url_for
from sqlalchemy.orm import Session

from survey_service.core.db import reading
from survey_service.core.errors import Unauthorized
from survey_service.core.paging import CURSOR
from survey_service.core.permissions import current_staff
from survey_service.insights.queries import count_unseen
from survey_service.ratings.warnings import count_unanswered
from survey_service.reports.presentation.forms import load
from survey_service.reports.presentation.frame import Notice, notice_sentence, viewer_of
from survey_service.staff.authenticate import csrf_token
from survey_service.staff.queries import get_account
from survey_service.staff.rules import is_allowed

pages = Blueprint("staff_pages", __name__, url_prefix="/staff")

OPEN_BEFORE_OWN_PASSWORD = frozenset(
    f"staff_pages.{view}" for view in ("show_password", "change_password", "sign_out_here")
)
OPEN_BEFORE_SECOND_FACTOR = OPEN_BEFORE_OWN_PASSWORD | {
    f"staff_pages.{view}" for view in ("show_second_factor", "begin_enrolment", "confirm_enrolment")
}


@pages.before_request
def meet_viewer() -> Response | None:
    """Look up who is signed in; a password made by somebody else has to be changed first.

    After that comes the second factor, where the role needs one.
    """
    if g.get("staff") is None:
        return None
    with reading() as session:
        account = get_account(session, staff_id=current_staff().id)
        badges = _count_warnings(session)
    g.viewer = viewer_of(account, path=request.path, badges=badges)
    if account.must_change_password and request.endpoint not in OPEN_BEFORE_OWN_PASSWORD:
        return to_page("show_password")
    if g.get("must_enrol") and request.endpoint not in OPEN_BEFORE_SECOND_FACTOR:
        return to_page("show_second_factor")
    return None


def _count_warnings(session: Session) -> dict[str, int]:
    """Return how many warnings wait for who is looking, by section."""
    staff = current_staff()
    counted = {"opinions": ("insights.read", count_unseen), "ratings": ("ratings.answer", count_unanswered)}
    return {
        section: count(session, staff=staff)
        for section, (permission, count) in counted.items()
        if is_allowed(staff.role, permission, staff.withheld)
    }


@pages.context_processor
def frame() -> dict[str, Any]:
    """Give templates the viewer, the proof against forged forms, and `can(permission)`."""
    return {
        "viewer": g.get("viewer"),
        "csrf_token": csrf_token,
        "can": lambda permission: is_allowed(current_staff().role, permission, current_staff().withheld),
        "notice": notice_sentence(request.args.get("notice", "")),
    }


@pages.errorhandler(Unauthorized)
def ask_to_sign_in(_error: Unauthorized) -> Response:
    """Lead a stranger to the door, and remember the page that he wanted."""
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    return to_page("show_sign_in", next=wanted or None)


def cursor() -> int:
    """Return where the asked page of a list begins; raises Invalid."""
    after: int = load(CURSOR, {"cursor": request.args.get("cursor", "")})["after"]
    return after


def to_page(view: str, *, notice: Notice | None = None, **values: Any) -> Response:
    """Lead on to a page after a form, so that loading it again repeats nothing."""
    return make_response(redirect(url_for(f"staff_pages.{view}", notice=notice, **values), 303))


def uploaded_file() -> tuple[bytes, str]:
    """Return content and name of the file that a form carries; nothing where none was chosen."""
    upload = request.files.get("file")
    return (upload.read(), upload.filename or "") if upload else (b"", "")
