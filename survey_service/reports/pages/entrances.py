"""The pages of paper: entrances, posters, sheets and lists of codes."""

from typing import Any

from flask import Response, render_template, request
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.errors import Invalid, ServiceError
from survey_service.core.http import public_url
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.texts import text
from survey_service.entrances.inviting import create_slots as create
from survey_service.entrances.schemas import PosterIn
from survey_service.entrances.views import render_pdf
from survey_service.organizations.queries import path_of_organization
from survey_service.reports import entrances
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.pages.results import CAMPAIGN
from survey_service.reports.presentation.entrances import codes_page, entrances_asked_for, entrances_page
from survey_service.reports.presentation.forms import body_of, load
from survey_service.reports.presentation.frame import Notice
from survey_service.staff.rules import Role


@pages.route(f"{CAMPAIGN}/entrances", methods=["GET"])
@requires("entrances.read")
def show_entrances(campaign_id: int) -> str:
    """Show where codes are posted, how many one-time codes there are, and what can be printed."""
    return _board(campaign_id)


def _board(campaign_id: int, refused: ServiceError | None = None) -> str:
    staff, now = current_staff(), clock.now()
    with reading() as session:
        board = entrances.read_entrances(session, staff=staff, campaign_id=campaign_id, now=now)
    page = entrances_page(board, role=Role(staff.role), now=now, refusal=_said(refused))
    return render_template("staff/entrances.html", page=page)


def _said(refused: ServiceError | None) -> list[str]:
    if refused is None:
        return []
    return [sentence for said in refused.errors.values() for sentence in said] or [refused.detail]


@pages.route(f"{CAMPAIGN}/entrances", methods=["POST"])
@requires("entrances.create")
def create_entrances(campaign_id: int) -> Any:
    """Make posted codes or one-time codes for one organization or for all."""
    staff, now = current_staff(), clock.now()
    place: dict[str, Any] = {"staff": staff, "campaign_id": campaign_id, "now": now}
    try:
        with unit_of_work() as session:
            board = entrances.read_entrances(session, **place)
            body = entrances_asked_for(board, request.form)
            create(session, keyring=current_keyring(), are_shown=False, **place | body)
    except Invalid as error:
        return _board(campaign_id, error), error.status
    return to_page("show_entrances", campaign_id=campaign_id, notice=Notice.ENTRANCES_CREATED)


@pages.route(f"{CAMPAIGN}/posters", methods=["POST"])
@requires("posters.print")
def print_paper(campaign_id: int) -> Response:
    """Print a poster, or a sheet of household codes for those who stand above the organization."""
    body = load(PosterIn(), body_of(request.form, ["organization_code", "layout"]))
    pdf = render_pdf(campaign_id, body)
    name = text(f"staff_pages.{body['layout']}_filename", code=body["organization_code"])
    return attachment(pdf, content_type=PDF_TYPE, filename=name)


def path_of_rated(session: Session, *, organization_code: str, **_: object) -> str:
    """Return the path of the organization whose codes are asked for; raises NotFound."""
    return path_of_organization(session, code=organization_code)


@pages.route(f"{CAMPAIGN}/panel-codes/<organization_code>", methods=["GET"])
@requires("code_sheets.print", path_of_rated)
def show_panel_codes(campaign_id: int, organization_code: str) -> str:
    """Show the codes of a panel, to be printed and cut out."""
    with unit_of_work() as session:
        panel = entrances.list_panel_codes(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            campaign_id=campaign_id,
            organization_code=organization_code,
            now=clock.now(),
        )
    return render_template("staff/codes.html", page=codes_page(panel, public_url=public_url()))
