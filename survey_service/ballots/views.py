"""The JSON API of voters."""

from typing import Any

from flask import Response, json, jsonify, request

from survey_service.ballots import access, queries, service, voting
from survey_service.ballots.panels import Sitting, Turn
from survey_service.ballots.schemas import SUBMISSION_DOC, EntranceOut, ReceiptOut, shown_questionnaire
from survey_service.ballots.submission import MAX_SUBMISSION_BYTES, read_submission
from survey_service.campaigns.queries import path_of_campaign
from survey_service.campaigns.schemas import CampaignState
from survey_service.core import clock
from survey_service.core.db import reading, single_statements, unit_of_work
from survey_service.core.errors import TooLarge
from survey_service.core.http import Blueprint
from survey_service.core.permissions import public, requires
from survey_service.entrances.codes import read_symbols

blp = Blueprint("ballots", __name__, description="What voters' phones call")


@blp.route("/entrances/<code>", methods=["GET"])
@public("a scanned code opens the questionnaire for anybody")
@blp.response(200, EntranceOut())
@blp.problems(401, 404, 429, 503)
def open_entrance(code: str) -> Response:
    """Open an entrance: the questionnaire and a ticket."""
    with reading() as session:
        page = voting.open_page(session, raw_code=code, now=clock.now())
    response = jsonify(_shown(page))
    if page.device is not None and access.known_device() is None:
        access.set_device_cookie(response, page.device)
    return response


def _shown(page: voting.OpenedPage) -> dict[str, Any]:
    entrance = page.entrance
    return {
        "title": entrance.title,
        "organization_name": entrance.organization_name,
        "subject_name": entrance.subject_name,
        "rater_class": entrance.rater_class,
        "mode": access.resolve_mode(entrance),
        "state": entrance.state,
        "closes_at": entrance.closes_at.isoformat(),
        "questionnaire": shown_questionnaire(page.version),
        "ticket": page.ticket,
    } | (_subjects(page.sitting, entrance.campaign_id) if page.sitting else {})


def _subjects(sitting: Sitting, campaign_id: int) -> dict[str, Any]:
    """Return whom a panel's code rates; of a sitting all campaigns, beside the one on top."""
    turns = {turn.entrance.campaign_id: turn for turn in sitting.turns}
    on_top = {"subjects": _rows(sitting, turns[campaign_id])}
    if len(turns) == 1:
        return on_top
    return on_top | {"campaigns": [_turn(sitting, turn) for turn in turns.values()]}


def _turn(sitting: Sitting, turn: Turn) -> dict[str, Any]:
    return {
        "campaign_id": turn.entrance.campaign_id,
        "title": turn.entrance.title,
        "state": turn.entrance.state,
        "closes_at": turn.entrance.closes_at.isoformat(),
        "questionnaire": shown_questionnaire(turn.version),
        "ticket": turn.ticket,
        "subjects": _rows(sitting, turn),
    }


def _rows(sitting: Sitting, turn: Turn) -> list[dict[str, Any]]:
    return [
        {
            "organization_code": one.organization_code,
            "name": one.name,
            "done": sitting.is_done(one),
        }
        for one in turn.subjects
    ]


@blp.route("/entrances/<code>/ballots", methods=["POST"])
@public("the ticket and the credential decide, not an account")
@blp.doc(**SUBMISSION_DOC)
@blp.problems(400, 401, 403, 404, 409, 410, 413, 422, 429, 503)
def cast(code: str) -> Response:
    """Cast a ballot; the same secret and answers again give the same receipt."""
    # The schema layer is left out on this way: it would cost more than all the rest of the view.
    if (request.content_length or 0) > MAX_SUBMISSION_BYTES:
        raise TooLarge
    sent = read_submission(request.get_data(cache=False))
    with single_statements() as session:
        ticket, ballot = voting.submit(
            session,
            raw_code=code,
            signed_ticket=sent.ticket,
            secret=sent.secret,
            check=lambda plan: plan.check(sent.answers),
            organization_code=sent.organization_code,
            now=clock.now(),
        )
    body = json.dumps({"receipt": ballot.receipt})
    response = Response(body, status=201 if ballot.is_new else 200, content_type="application/json")
    access.remember_answered(response, ticket)
    return response


@blp.route("/receipts/<receipt>", methods=["GET"])
@public("a receipt says nothing about its holder")
@blp.response(200, ReceiptOut())
@blp.problems(429, 503)
def look_up_receipt(receipt: str) -> dict[str, str]:
    """Say whether a receipt is counted, accepted or unknown, and nothing else."""
    with reading() as session:
        return {"state": queries.find_receipt(session, read_symbols(receipt, 13))}


@blp.route("/campaigns/<int:campaign_id>/withdraw", methods=["POST"])
@requires("campaigns.withdraw", path_of_campaign)
@blp.response(200, CampaignState())
@blp.problems(401, 403, 404, 409)
def withdraw(campaign_id: int) -> dict[str, Any]:
    """Withdraw a campaign before the first ballot."""
    with unit_of_work() as session:
        campaign = service.withdraw_unused_campaign(session, campaign_id=campaign_id, now=clock.now())
        return {"id": campaign.id, "state": campaign.window.state(clock.now())}
