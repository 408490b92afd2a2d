"""The JSON API of entrances: codes, QR images, posters."""

from typing import Any

from flask import Response

from survey_service.campaigns.queries import path_of_campaign
from survey_service.core import clock, qr
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import NotFound
from survey_service.core.http import Blueprint, public_url
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.privacy import current_keyring
from survey_service.entrances import posters, printing, service
from survey_service.entrances.codes import normalize
from survey_service.entrances.inviting import create_slots
from survey_service.entrances.rules import Layout
from survey_service.entrances.schemas import EntrancesIn, EntrancesOut, IdempotencyKey, PosterIn, PreviewIn
from survey_service.entrances.service import IssuedCode

blp = Blueprint("entrances", __name__, description="Posted codes, one-time codes, posters")

_PNG_SCALE = 10


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
@requires("entrances.create", path_of_campaign)
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
