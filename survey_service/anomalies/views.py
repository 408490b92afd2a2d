"""The JSON API of flags, exclusions and disputes."""

from typing import Any

from survey_service.anomalies import noting, service
from survey_service.anomalies.disputes import rule_on_disputes
from survey_service.anomalies.schemas import (
    DisputeIn,
    ExclusionIn,
    ExclusionOut,
    NotedOut,
    ReasonIn,
    ReviewOut,
    RulingIn,
    RulingOut,
    exclusion_json,
    review_json,
)
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.permissions import current_staff, public, requires

blp = Blueprint("anomalies", __name__, description="What looks unusual, and what people decide about it")

CAMPAIGN = "/campaigns/<int:campaign_id>"


@blp.route("/entrances/<code>/disputes", methods=["POST"])
@public("the ticket decides, not an account")
@blp.arguments(DisputeIn())
@blp.response(201, NotedOut())
@blp.problems(400, 403, 404, 410, 413, 422, 429, 503)
def note_dispute(body: dict[str, str], code: str) -> dict[str, str]:
    """Say that somebody else used this one-time code; said again, it counts once."""
    with unit_of_work() as session:
        noting.note(
            session,
            raw_code=code,
            signed_ticket=body["ticket"],
            now=clock.now(),
            organization_code=body.get("organization_code"),
        )
    return {"state": "noted"}


@blp.route(f"{CAMPAIGN}/anomalies", methods=["GET"])
@requires("anomalies.read")
@blp.response(200, ReviewOut())
@blp.problems(401, 403, 404, 503)
def show_anomalies(campaign_id: int) -> dict[str, Any]:
    """Return counts of flagged groups, exclusions and disputes below one's own level."""
    with reading() as session:
        return review_json(service.read_review(session, staff=current_staff(), campaign_id=campaign_id))


@blp.route(f"{CAMPAIGN}/exclusions", methods=["POST"])
@requires("anomalies.propose")
@blp.arguments(ExclusionIn())
@blp.response(201, ExclusionOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def propose_exclusion(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Propose to leave a group of flagged ballots out of the score."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    with unit_of_work() as session:
        return exclusion_json(service.propose_exclusion(session, **place, **body))


@blp.route(f"{CAMPAIGN}/exclusions/<int:exclusion_id>/confirm", methods=["POST"])
@requires("anomalies.decide")
@blp.arguments(ReasonIn())
@blp.response(200, ExclusionOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def confirm_exclusion(body: dict[str, Any], campaign_id: int, exclusion_id: int) -> dict[str, Any]:
    """Confirm what somebody else has proposed; it is never taken back."""
    return _decide(campaign_id, exclusion_id, body["reason"], is_confirmed=True)


@blp.route(f"{CAMPAIGN}/exclusions/<int:exclusion_id>/decline", methods=["POST"])
@requires("anomalies.decide")
@blp.arguments(ReasonIn())
@blp.response(200, ExclusionOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def decline_exclusion(body: dict[str, Any], campaign_id: int, exclusion_id: int) -> dict[str, Any]:
    """Decline what somebody else has proposed."""
    return _decide(campaign_id, exclusion_id, body["reason"], is_confirmed=False)


def _decide(campaign_id: int, exclusion_id: int, reason: str, *, is_confirmed: bool) -> dict[str, Any]:
    with unit_of_work() as session:
        exclusion = service.decide_exclusion(
            session,
            staff=current_staff(),
            campaign_id=campaign_id,
            exclusion_id=exclusion_id,
            is_confirmed=is_confirmed,
            reason=reason,
            now=clock.now(),
        )
        return exclusion_json(exclusion)


@blp.route(f"{CAMPAIGN}/disputes", methods=["POST"])
@requires("disputes.decide")
@blp.arguments(RulingIn())
@blp.response(201, RulingOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def rule(body: dict[str, Any], campaign_id: int) -> dict[str, Any]:
    """Hold the score of a subject whose codes are disputed, or release it."""
    place: dict[str, Any] = {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}
    with unit_of_work() as session:
        return {"decision": rule_on_disputes(session, **place, **body).decision}
