"""The pages of figures: progress, the score table, one subject."""

from flask import render_template

from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.permissions import current_staff, requires
from survey_service.questionnaires.queries import get_compiled
from survey_service.reports import service
from survey_service.reports.codes import read_subject_paper
from survey_service.reports.pages.frame import pages
from survey_service.reports.presentation.codes import paper_of_subject
from survey_service.reports.presentation.scores import score_page, subject_page
from survey_service.reports.presentation.turnout import progress_page
from survey_service.staff.rules import Role

CAMPAIGN = "/campaigns/<int:campaign_id>"


@pages.route(CAMPAIGN, methods=["GET"])
@requires("progress.read")
def show_campaign(campaign_id: int) -> str:
    """Show who has taken part so far, by organization, mode and day."""
    staff, now = current_staff(), clock.now()
    with reading() as session:
        board = service.read_progress_board(session, staff=staff, campaign_id=campaign_id, now=now)
    page = progress_page(board, role=Role(staff.role), now=now)
    return render_template("staff/progress.html", page=page)


@pages.route(f"{CAMPAIGN}/scores", methods=["GET"])
@requires("scores.read")
def show_scores(campaign_id: int) -> str:
    """Show the score table."""
    staff, now = current_staff(), clock.now()
    with reading() as session:
        table = service.list_scores(session, staff=staff, campaign_id=campaign_id, now=now)
    return render_template("staff/scores.html", page=score_page(table, role=Role(staff.role), now=now))


@pages.route(f"{CAMPAIGN}/scores/<organization_code>", methods=["GET"])
@requires("scores.read")
def show_subject(campaign_id: int, organization_code: str) -> str:
    """Show one subject and how its score came about."""
    staff, now = current_staff(), clock.now()
    with reading() as session:
        report = service.show_score(
            session, staff=staff, campaign_id=campaign_id, organization_code=organization_code, now=now
        )
        items = get_compiled(session, report.campaign.questionnaire_version_id).plan.scored_items
        paper = read_subject_paper(
            session, staff=staff, campaign_id=campaign_id, organization_code=organization_code, now=now
        )
    page = subject_page(report, scored_items=items, role=Role(staff.role), now=now)
    return render_template("staff/score.html", page=page, paper=paper and paper_of_subject(paper))
