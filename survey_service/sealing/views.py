"""The JSON API of sealing."""

from collections.abc import Iterator
from typing import Any

from flask import Response, stream_with_context

from survey_service.campaigns.queries import get_campaign, path_of_campaign
from survey_service.campaigns.schemas import CampaignState
from survey_service.core import clock
from survey_service.core.db import reading, see_one_snapshot, unit_of_work
from survey_service.core.downloads import PDF_TYPE, attachment
from survey_service.core.http import Blueprint, public_url
from survey_service.core.permissions import current_staff, public, requires
from survey_service.core.texts import text
from survey_service.sealing import queries, sheets
from survey_service.sealing.corrections import correct_eligible
from survey_service.sealing.running import seal_campaign
from survey_service.sealing.schemas import (
    BulletinOut,
    EligibleCorrectionIn,
    SnapshotOut,
    VersionIn,
    VersionOut,
    write_bulletin,
)

blp = Blueprint("sealing", __name__, description="Sealed scores and the public list of receipts")

_JSON = "application/json"


@blp.route("/campaigns/<int:campaign_id>/seal", methods=["POST"])
@requires("campaigns.seal", path_of_campaign)
@blp.response(200, CampaignState())
@blp.problems(401, 403, 404, 409, 503)
def seal(campaign_id: int) -> dict[str, Any]:
    """Seal a closed campaign; after an interruption, call it again."""
    seal_campaign(campaign_id, staff=current_staff())
    with reading() as session:
        campaign = get_campaign(session, campaign_id)
        return {"id": campaign.id, "state": campaign.window.state(clock.now())}


@blp.route("/campaigns/<int:campaign_id>/bulletin", methods=["GET"])
@public("whoever holds a receipt may see whether it was counted")
@blp.response(200, BulletinOut())
@blp.problems(404, 409, 503)
def show_bulletin(campaign_id: int) -> Response:
    """Return the receipts of a sealed campaign, sorted, list by list."""
    with reading() as session:
        # What cannot be shown is refused before the first byte.
        queries.get_snapshot(session, campaign_id)
    return Response(stream_with_context(_bulletin(campaign_id)), content_type=_JSON)


def _bulletin(campaign_id: int) -> Iterator[str]:
    with reading() as session:
        see_one_snapshot(session)
        yield from write_bulletin(
            formula_hash=get_campaign(session, campaign_id).formula_hash,
            snapshot_digest=queries.get_snapshot(session, campaign_id).digest,
            lists=queries.list_published(session, campaign_id),
        )


@blp.route("/campaigns/<int:campaign_id>/snapshot", methods=["GET"])
@requires("scores.export", path_of_campaign)
@blp.arguments(VersionIn(), location="query")
@blp.response(200, SnapshotOut())
@blp.problems(401, 403, 404, 409, 422, 503)
def show_snapshot(arguments: dict[str, int], campaign_id: int) -> Response:
    """Return the sealed scores with their inputs, as they were hashed; the newest version by default."""
    with reading() as session:
        version = queries.get_snapshot(session, campaign_id, **arguments).version
    return Response(stream_with_context(_snapshot(campaign_id, version)), content_type=_JSON)


def _snapshot(campaign_id: int, version: int) -> Iterator[str]:
    with reading() as session:
        see_one_snapshot(session)
        yield from queries.read_document(session, queries.get_snapshot(session, campaign_id, version))


@blp.route("/campaigns/<int:campaign_id>/seal.pdf", methods=["GET"])
@requires("scores.export", path_of_campaign)
@blp.response(200, content_type=PDF_TYPE)
@blp.problems(401, 403, 404, 409, 503)
def print_seal(campaign_id: int) -> Response:
    """Print the seal sheet: the digests of what was sealed, to be signed and filed."""
    with reading() as session:
        see_one_snapshot(session)
        sheet = sheets.prepare_sheet(session, campaign_id=campaign_id, public_url=public_url())
    content = sheets.render_sheet(sheet)
    return attachment(
        content, content_type=PDF_TYPE, filename=text("sealing.sheet_file", title=sheet.campaign)
    )


@blp.route("/campaigns/<int:campaign_id>/corrections", methods=["POST"])
@requires("campaigns.correct", path_of_campaign)
@blp.arguments(EligibleCorrectionIn())
@blp.response(201, VersionOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def correct(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Correct numbers of eligible people after sealing: a new version of the scores, with a reason."""
    with unit_of_work() as session:
        snapshot = correct_eligible(
            session, staff=current_staff(), campaign_id=campaign_id, now=clock.now(), **body
        )
        return {"id": campaign_id, "version": snapshot.version, "snapshot_digest": snapshot.digest}
