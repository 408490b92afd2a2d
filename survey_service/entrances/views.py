"""The JSON API of entrances: codes, QR images, posters; household codes by group, slots by serial."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from flask import Response
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from survey_service.campaigns.queries import list_subjects, path_of_campaign
from survey_service.campaigns.rules import Mode
from survey_service.core import clock, qr
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import attachment
from survey_service.core.errors import NotFound
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint, accepts_upload, public_url
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.privacy import current_keyring
from survey_service.core.spreadsheet import MAX_FILE_BYTES
from survey_service.core.texts import text
from survey_service.entrances import issuing, posters, printing, service, slots
from survey_service.entrances.codes import normalize
from survey_service.entrances.group_files import read_group_file, write_group_template
from survey_service.entrances.inviting import create_slots
from survey_service.entrances.issuing import Households, IssuedHouseholds
from survey_service.entrances.rules import Layout
from survey_service.entrances.schemas import EntrancesIn, EntrancesOut, IdempotencyKey, PosterIn, PreviewIn
from survey_service.entrances.serial_lists import export_serials
from survey_service.entrances.service import IssuedCode
from survey_service.entrances.slot_schemas import (
    HouseholdCodesIn,
    HouseholdCodesOut,
    RevokeIn,
    SerialsQuery,
    SlotsIn,
    SlotsOut,
)
from survey_service.organizations.schemas import ImportIn, uploaded

blp = Blueprint("entrances", __name__, description="Posted codes, one-time codes, posters")

_PNG_SCALE = 10
_FILE = {"type": "string", "format": "binary"}
CAMPAIGN = "/campaigns/<int:campaign_id>"


def _item(issued: IssuedCode) -> dict[str, Any]:
    return {
        "code": issued.code,
        "serial": issued.serial,
        "url": public_url() + issued.path,
        "mode": issued.mode,
        "organization_code": issued.organization_code,
        "rater_class": issued.rater_class,
        "place": issued.place,
    }


@blp.route("/campaigns/<int:campaign_id>/entrances", methods=["POST"])
@requires("entrances.create")
@blp.arguments(IdempotencyKey(unknown="exclude"), location="headers")
@blp.arguments(EntrancesIn())
@blp.response(201, EntrancesOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def create(headers: dict[str, Any], body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Make posted codes, or slots with one-time codes.

    Panel codes of an organization that is not rated itself rate all subjects below it, one after the other.
    """
    with unit_of_work() as session:
        issued = create_slots(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            campaign_id=campaign_id,
            idempotency_key=headers["key"],
            now=clock.now(),
            **body,
        )
        return {"items": [_item(one) for one in issued]}


@blp.route("/campaigns/<int:campaign_id>/preview", methods=["POST"])
@requires("entrances.create", path_of_campaign)
@blp.arguments(PreviewIn())
@blp.response(201, EntrancesOut())
@blp.problems(400, 401, 403, 404, 422)
def preview(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Make an entrance whose ballots are checked and thrown away."""
    with unit_of_work() as session:
        issued = service.create_preview(
            session, staff=current_staff(), keyring=current_keyring(), campaign_id=campaign_id, **body
        )
        return {"items": [_item(issued)]}


@blp.route("/entrances/<code>", methods=["DELETE"])
@requires("entrances.revoke")
@blp.response(204)
@blp.problems(401, 403, 404)
def revoke(code: str) -> None:
    """Close an entrance at once."""
    with unit_of_work() as session:
        service.revoke_entrance(
            session, staff=current_staff(), keyring=current_keyring(), raw_code=code, now=clock.now()
        )


def _url_of(code: str) -> str:
    canonical = normalize(code)
    if canonical is None:
        raise NotFound("unknown_entrance")
    return f"{public_url()}/s/{canonical}"


@blp.route("/entrances/<code>.svg", methods=["GET"])
@public("it only draws the address that the caller knows already")
@blp.response(200, content_type="image/svg+xml")
@blp.problems(404)
def show_svg(code: str) -> Response:
    """Draw the QR code of an entrance as SVG."""
    return Response(qr.svg(_url_of(code)), content_type="image/svg+xml")


@blp.route("/entrances/<code>.png", methods=["GET"])
@public("it only draws the address that the caller knows already")
@blp.response(200, content_type="image/png")
@blp.problems(404)
def show_png(code: str) -> Response:
    """Draw the QR code of an entrance as PNG."""
    return Response(qr.png(_url_of(code), scale=_PNG_SCALE), content_type="image/png")


@blp.route("/campaigns/<int:campaign_id>/posters", methods=["POST"])
@requires("posters.print")
@blp.arguments(PosterIn())
@blp.response(200, content_type="application/pdf")
@blp.problems(400, 401, 403, 404, 409, 422, 503)
def print_poster(body: dict[str, Any], campaign_id: int) -> Response:
    """Print a poster for a wall, or a sheet of household codes to cut out."""
    return Response(render_pdf(campaign_id, body), content_type="application/pdf")


def render_pdf(campaign_id: int, body: dict[str, Any]) -> bytes:
    """Return what `PosterIn` asks for; the database is let go before the typesetting begins."""
    place = printing.Place(current_staff(), public_url(), campaign_id, body["organization_code"])
    if body["layout"] is Layout.POSTER:
        with reading() as session:
            poster = printing.prepare_poster(session, place=place, posted_at=body.get("place"))
        return posters.render_poster(poster)
    with unit_of_work() as session:
        sheet = printing.prepare_sheet(
            session, place=place, keyring=current_keyring(), count=body.get("count"), now=clock.now()
        )
    return posters.render_sheet(sheet)


@blp.route(f"{CAMPAIGN}/household-codes", methods=["POST"])
@requires("entrances.create")
@blp.arguments(IdempotencyKey(unknown="exclude"), location="headers")
@blp.arguments(HouseholdCodesIn())
@blp.response(201, HouseholdCodesOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def issue_household_codes(headers: dict[str, Any], body: dict[str, Any], campaign_id: int) -> dict[str, int]:
    """Make a code for every household, by villagers' group, and show none of them."""
    with unit_of_work() as session:
        households = body.get("items") or issuing.households_by_roster(
            session, staff=current_staff(), campaign_id=campaign_id, **body
        )
        return asdict(issue(session, campaign_id, households, key=headers["key"]))


def issue(
    session: Session, campaign_id: int, households: Sequence[Households], *, key: str | None
) -> IssuedHouseholds:
    """Issue codes for the staff member who calls."""
    return issuing.issue_household_codes(
        session,
        staff=current_staff(),
        keyring=current_keyring(),
        campaign_id=campaign_id,
        households=households,
        now=clock.now(),
        idempotency_key=key,
    )


@blp.route(f"{CAMPAIGN}/household-codes/import", methods=["POST"])
@requires("entrances.create")
@accepts_upload(MAX_FILE_BYTES)
@blp.arguments(IdempotencyKey(unknown="exclude"), location="headers")
@blp.arguments(ImportIn(), location="files")
@blp.response(201, HouseholdCodesOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422)
def import_household_codes(
    headers: dict[str, Any], files: dict[str, FileStorage], campaign_id: int
) -> dict[str, int]:
    """Make household codes from a sheet of villagers' groups, all or nothing."""
    households = read_groups(campaign_id, **uploaded(files))
    with unit_of_work() as session:
        return asdict(issue(session, campaign_id, households, key=headers["key"]))


def read_groups(campaign_id: int, content: bytes, filename: str) -> list[Households]:
    """Return what a sheet says about the organizations below the staff member who calls."""
    staff = current_staff()
    with reading() as session:
        subjects = list_subjects(session, campaign_id, within_path=staff.path)
    codes = {one.organization_code for one in subjects if staff.is_above(one.path)}
    return read_group_file(content, filename, codes=codes)


@blp.route(f"{CAMPAIGN}/household-codes/template.xlsx", methods=["GET"])
@requires("entrances.create")
@blp.response(200, _FILE, content_type=XLSX_TYPE)
@blp.problems(401, 403, 404)
def download_group_template(**_: object) -> Response:
    """Return the sheet of villagers' groups to fill in."""
    name = text("household_groups.template_filename")
    return attachment(write_group_template(), content_type=XLSX_TYPE, filename=name)


@blp.route(f"{CAMPAIGN}/slots/revoke", methods=["POST"])
@requires("entrances.revoke")
@blp.arguments(RevokeIn())
@blp.response(200, SlotsOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def revoke_slots(body: dict[str, Any], campaign_id: int) -> dict[str, int]:
    """Close one-time codes by their serials, whether they were used or not."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id}
    with unit_of_work() as session:
        return {"count": slots.revoke_slots(session, **place, **body, now=clock.now())}


@blp.route(f"{CAMPAIGN}/slots/reissue", methods=["POST"])
@requires("entrances.revoke")
@blp.arguments(SlotsIn())
@blp.response(200, SlotsOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def reissue_slots(body: dict[str, Any], campaign_id: int) -> dict[str, int]:
    """Give slots new codes, to be printed; a spent slot stays spent."""
    place: dict[str, Any] = {
        "staff": current_staff(),
        "keyring": current_keyring(),
        "campaign_id": campaign_id,
    }
    with unit_of_work() as session:
        return {"count": slots.reissue_slots(session, **place, **body, now=clock.now())}


@blp.route(f"{CAMPAIGN}/serials.xlsx", methods=["GET"])
@requires("code_sheets.print")
@blp.arguments(SerialsQuery(), location="query")
@blp.response(200, _FILE, content_type=XLSX_TYPE)
@blp.problems(401, 403, 404, 422)
def download_serials(query: dict[str, Any], campaign_id: int) -> Response:
    """Return the list of serials that goes with the letters; it holds no code."""
    with unit_of_work() as session:
        content = export_serials(
            session,
            staff=current_staff(),
            campaign_id=campaign_id,
            mode=Mode(query["mode"]),
            organization_code=query["organization_code"],
        )
    return attachment(content, content_type=XLSX_TYPE, filename=text("entrances.serials_filename"))
