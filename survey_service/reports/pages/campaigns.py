"""The pages of running a campaign: list, create, copy, launch, correct, close."""

from flask import render_template

from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.permissions import current_staff, requires
from survey_service.reports import service
from survey_service.reports.pages.frame import pages
from survey_service.reports.presentation.turnout import campaign_card


@pages.route("/campaigns", methods=["GET"])
@requires("campaigns.read")
def list_campaigns() -> str:
    """List the campaigns that concern one's own sub-tree, the newest first."""
    now = clock.now()
    with reading() as session:
        found = service.list_campaigns(session, staff=current_staff())
    cards = [campaign_card(summary, now=now) for summary in reversed(found)]
    return render_template("staff/campaigns.html", campaigns=cards)
