"""The JSON API of reports."""

from typing import Any

from flask import Response, jsonify

from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.downloads import attachment
from survey_service.core.exports import XLSX_TYPE
from survey_service.core.http import Blueprint
from survey_service.core.permissions import current_staff, requires
from survey_service.reports import service
from survey_service.reports.codes import read_codes
from survey_service.reports.schemas import (
    CodesOut,
    ProgressOut,
    ScoreDetail,
    ScoresOut,
    codes_json,
    progress_json,
    score_table_json,
    subject_report_json,
)
from survey_service.reports.workbook import score_workbook, workbook_name

blp = Blueprint("reports", __name__, description="Turnout and scores")

CAMPAIGN = "/campaigns/<int:campaign_id>"


@blp.route(f"{CAMPAIGN}/progress", methods=["GET"])
@requires("progress.read")
@blp.response(200, ProgressOut())
@blp.problems(401, 403, 404, 503)
def show_progress(campaign_id: int) -> Response:
    """Return the live turnout of one's own sub-tree."""
    with reading() as session:
        rows = service.read_progress(session, staff=current_staff(), campaign_id=campaign_id, now=clock.now())
        return jsonify(progress_json(rows))


@blp.route(f"{CAMPAIGN}/codes", methods=["GET"])
@requires("progress.read")
@blp.response(200, CodesOut())
@blp.problems(401, 403, 404, 503)
def show_codes(campaign_id: int) -> dict[str, Any]:
    """Tell how many one-time codes were made, printed, handed out, returned and used."""
    with reading() as session:
        places = read_codes(session, staff=current_staff(), campaign_id=campaign_id, now=clock.now())
        return codes_json(places)


@blp.route(f"{CAMPAIGN}/scores", methods=["GET"])
@requires("scores.read")
@blp.response(200, ScoresOut())
@blp.problems(401, 403, 404, 503)
def list_scores(campaign_id: int) -> Response:
    """Return the score of every subject of one's own sub-tree."""
    with reading() as session:
        table = service.list_scores(session, staff=current_staff(), campaign_id=campaign_id, now=clock.now())
        # The figures are stored in the form of the API: dumping them again would double the time.
        return jsonify(score_table_json(table))


@blp.route(f"{CAMPAIGN}/scores/<organization_code>", methods=["GET"])
@requires("scores.read")
@blp.response(200, ScoreDetail())
@blp.problems(401, 403, 404, 503)
def show_score(campaign_id: int, organization_code: str) -> Response:
    """Return one subject with its items and every number that led to its score."""
    with reading() as session:
        report = service.show_score(
            session,
            staff=current_staff(),
            campaign_id=campaign_id,
            organization_code=organization_code,
            now=clock.now(),
        )
        return jsonify(subject_report_json(report))


@blp.route(f"{CAMPAIGN}/scores.xlsx", methods=["GET"])
@requires("scores.export")
@blp.response(200, {"type": "string", "format": "binary"}, content_type=XLSX_TYPE)
@blp.problems(401, 403, 404, 503)
def export_scores(campaign_id: int) -> Response:
    """Return the summary sheet, one row a subject."""
    now = clock.now()
    with reading() as session:
        table = service.list_scores(session, staff=current_staff(), campaign_id=campaign_id, now=now)
    content = score_workbook(table, now=now)
    return attachment(content, content_type=XLSX_TYPE, filename=workbook_name(table))
