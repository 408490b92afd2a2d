"""The JSON API of campaigns."""

import json
from typing import Any

from flask import current_app
from werkzeug.datastructures import FileStorage

from survey_service.campaigns import queries, recordings, service
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import OpenRequires
from survey_service.campaigns.schemas import (
    CampaignDetail,
    CampaignIn,
    CampaignOut,
    CampaignPage,
    CampaignState,
    CopyIn,
    CorrectionIn,
    LaunchOut,
    RecordingIn,
)
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint, accepts_upload
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires
from survey_service.core.privacy import current_keyring
from survey_service.questionnaires.queries import get_compiled

blp = Blueprint("campaigns", __name__, description="Surveys over many subjects")

_COLUMNS = (
    "title",
    "notice",
    "subject_kind",
    "opens_at",
    "closes_at",
    "closed_at",
    "grace_hours",
    "open_requires",
    "revote",
    "min_cell",
    "dispute_permille",
    "formula_hash",
)


def _default_open_requires() -> OpenRequires:
    has_wechat = current_app.extensions["settings"].wechat_app_id is not None
    return OpenRequires.WECHAT if has_wechat else OpenRequires.DEVICE


def _state(campaign: Campaign) -> dict[str, Any]:
    return {"id": campaign.id, "state": campaign.window.state(clock.now())}


def _shown(campaign: Campaign) -> dict[str, Any]:
    columns = {name: getattr(campaign, name) for name in _COLUMNS}
    return columns | _state(campaign) | {"formula": json.loads(campaign.formula)}


@blp.route("/campaigns", methods=["POST"])
@requires("campaigns.write")
@blp.arguments(CampaignIn())
@blp.response(201, CampaignState())
@blp.problems(400, 401, 403, 422)
def create(body: dict[str, Any]) -> dict[str, Any]:
    """Create a draft."""
    arguments = {"open_requires": _default_open_requires()} | body
    with unit_of_work() as session:
        campaign = service.create_campaign(
            session, staff=current_staff(), keyring=current_keyring(), now=clock.now(), **arguments
        )
        return _state(campaign)


@blp.route("/campaigns", methods=["GET"])
@requires("campaigns.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, CampaignPage())
@blp.problems(401, 403, 422)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the campaigns that concern one's own sub-tree."""
    with reading() as session:
        found = queries.list_visible_campaigns(session, staff=current_staff(), **arguments)
        return paged([_shown(campaign) for campaign in found], limit=queries.PAGE_SIZE)


@blp.route("/campaigns/<int:campaign_id>", methods=["GET"])
@requires("campaigns.read")
@blp.response(200, CampaignDetail())
@blp.problems(401, 403, 404)
def show(campaign_id: int) -> dict[str, Any]:
    """Return one campaign with its formula, its form and its subjects."""
    with reading() as session:
        campaign = queries.get_visible_campaign(session, campaign_id, current_staff())
        version = get_compiled(session, campaign.questionnaire_version_id)
        return _shown(campaign) | {
            "questionnaire": {"id": version.questionnaire_id, "version": version.number},
            "subjects": queries.list_subjects(session, campaign_id, within_path=current_staff().path),
            "corrections": queries.list_corrections(session, campaign_id),
        }


@blp.route("/campaigns/<int:campaign_id>", methods=["PUT"])
@requires("campaigns.write", queries.path_of_campaign)
@blp.arguments(CampaignIn())
@blp.response(200, CampaignState())
@blp.problems(400, 401, 403, 404, 409, 422)
def replace(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Put a whole new draft in the place of one; after launch everything is frozen."""
    arguments = {"open_requires": _default_open_requires()} | body
    with unit_of_work() as session:
        return _state(
            service.replace_draft(session, staff=current_staff(), campaign_id=campaign_id, **arguments)
        )


@blp.route("/campaigns/<int:campaign_id>", methods=["PATCH"])
@requires("campaigns.correct", queries.path_of_campaign)
@blp.arguments(CorrectionIn())
@blp.response(200, CampaignOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def correct(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Correct the title, the notice or the closing time, with a reason."""
    with unit_of_work() as session:
        campaign = service.correct_campaign(
            session, staff=current_staff(), campaign_id=campaign_id, now=clock.now(), **body
        )
        return _shown(campaign)


@blp.route("/campaigns/<int:campaign_id>/copy", methods=["POST"])
@requires("campaigns.write", queries.path_of_campaign)
@blp.arguments(CopyIn())
@blp.response(201, CampaignState())
@blp.problems(400, 401, 403, 404, 422)
def copy(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Make a draft like this campaign, with new times."""
    with unit_of_work() as session:
        campaign = service.copy_campaign(
            session,
            staff=current_staff(),
            keyring=current_keyring(),
            campaign_id=campaign_id,
            now=clock.now(),
            **body,
        )
        return _state(campaign)


@blp.route("/campaigns/<int:campaign_id>/launch", methods=["POST"])
@requires("campaigns.launch", queries.path_of_campaign)
@blp.response(200, LaunchOut())
@blp.problems(401, 403, 404, 409, 422)
def launch(campaign_id: int) -> dict[str, Any]:
    """Freeze the formula, the form and the subjects, and open the campaign."""
    with unit_of_work() as session:
        launched = service.launch_campaign(session, campaign_id=campaign_id, now=clock.now())
        return {
            "state": launched.campaign.window.state(clock.now()),
            "formula_hash": launched.campaign.formula_hash,
            "warnings": launched.warnings,
        }


@blp.route("/campaigns/<int:campaign_id>/close", methods=["POST"])
@requires("campaigns.close", queries.path_of_campaign)
@blp.response(200, CampaignState())
@blp.problems(401, 403, 404, 409)
def close(campaign_id: int) -> dict[str, Any]:
    """End the window."""
    with unit_of_work() as session:
        campaign = service.close_campaign(session, campaign_id=campaign_id, now=clock.now())
        return _state(campaign)


@blp.route("/campaigns/<int:campaign_id>/recording", methods=["PUT"])
@requires("campaigns.correct", queries.path_of_campaign)
@accepts_upload(recordings.MAX_RECORDING_BYTES)
@blp.arguments(RecordingIn(), location="files")
@blp.response(200, CampaignState())
@blp.problems(401, 403, 404, 413, 422)
def record(files: dict[str, FileStorage], campaign_id: int) -> dict[str, Any]:
    """Store the questionnaire read aloud (MP3, M4A or OGG, up to 3 MB)."""
    content = files["file"].read()
    with unit_of_work() as session:
        campaign = recordings.store_recording(session, campaign_id=campaign_id, content=content)
        return _state(campaign)


@blp.route("/campaigns/<int:campaign_id>/recording", methods=["DELETE"])
@requires("campaigns.correct", queries.path_of_campaign)
@blp.response(204)
@blp.problems(401, 403, 404)
def unrecord(campaign_id: int) -> None:
    """Take the recording away."""
    with unit_of_work() as session:
        recordings.delete_recording(session, campaign_id=campaign_id)
