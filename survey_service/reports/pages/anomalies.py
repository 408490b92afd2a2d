"""The page of anomalies: what looks unusual, what is proposed and decided, what is disputed."""

from typing import Any

from flask import Response, render_template, request

from survey_service.anomalies import service
from survey_service.anomalies.disputes import rule_on_disputes
from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.permissions import current_staff, requires
from survey_service.reports.pages.frame import pages, to_page
from survey_service.reports.pages.results import CAMPAIGN
from survey_service.reports.presentation.anomalies import (
    anomaly_page,
    decision_asked_for,
    exclusion_asked_for,
    ruling_asked_for,
)
from survey_service.reports.presentation.frame import Notice
from survey_service.staff.rules import Role


@pages.route(f"{CAMPAIGN}/anomalies", methods=["GET"])
@requires("anomalies.read")
def show_anomalies(campaign_id: int) -> str:
    """Show counts of flagged ballots by subject, and what people have decided about them."""
    staff = current_staff()
    with reading() as session:
        review = service.read_review(session, staff=staff, campaign_id=campaign_id)
    page = anomaly_page(review, role=Role(staff.role), now=clock.now())
    return render_template("staff/anomalies.html", page=page)


@pages.route(f"{CAMPAIGN}/anomalies", methods=["POST"])
@requires("anomalies.propose")
def propose_exclusion(campaign_id: int) -> Response:
    """Propose to leave one group out of the score."""
    body = exclusion_asked_for(request.form)
    with unit_of_work() as session:
        service.propose_exclusion(session, **_place(campaign_id), **body)
    return to_page("show_anomalies", campaign_id=campaign_id, notice=Notice.EXCLUSION_PROPOSED)


def _place(campaign_id: int) -> dict[str, Any]:
    return {"staff": current_staff(), "campaign_id": campaign_id, "now": clock.now()}


@pages.route(f"{CAMPAIGN}/anomalies/<int:exclusion_id>", methods=["POST"])
@requires("anomalies.decide")
def decide_exclusion(campaign_id: int, exclusion_id: int) -> Response:
    """Confirm or decline what somebody else has proposed."""
    body = decision_asked_for(request.form)
    with unit_of_work() as session:
        service.decide_exclusion(session, exclusion_id=exclusion_id, **_place(campaign_id), **body)
    notice = Notice.EXCLUSION_CONFIRMED if body["is_confirmed"] else Notice.EXCLUSION_DECLINED
    return to_page("show_anomalies", campaign_id=campaign_id, notice=notice)


@pages.route(f"{CAMPAIGN}/disputes", methods=["POST"])
@requires("disputes.decide")
def rule_disputes(campaign_id: int) -> Response:
    """Hold or release the score of a subject whose codes are disputed."""
    body = ruling_asked_for(request.form)
    with unit_of_work() as session:
        rule_on_disputes(session, **_place(campaign_id), **body)
    return to_page("show_anomalies", campaign_id=campaign_id, notice=Notice.DISPUTES_DECIDED)
