"""The JSON API of printing at scale: runs, their progress, their files, and the hand-out."""

from dataclasses import asdict
from typing import Any

from flask import Response

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.downloads import PDF_TYPE, ZIP_TYPE
from survey_service.core.http import Blueprint
from survey_service.core.permissions import current_staff, requires
from survey_service.print_runs import downloads, queries, service
from survey_service.print_runs.queries import path_of_run
from survey_service.print_runs.schemas import (
    HandOutIn,
    HandOutOut,
    PrintRunDetail,
    PrintRunIn,
    PrintRunOut,
    PrintRunsOut,
    RetryOut,
    run_detail_json,
    run_json,
)
from survey_service.print_runs.service import PrintOrder

blp = Blueprint("print_runs", __name__, description="Letters and slips on paper: runs, files, hand-out")

CAMPAIGN = "/campaigns/<int:campaign_id>"
RUN = f"{CAMPAIGN}/print-runs/<int:run_id>"
_FILE = {"type": "string", "format": "binary"}


@blp.route(f"{CAMPAIGN}/print-runs", methods=["POST"])
@requires("code_sheets.print")
@blp.arguments(PrintRunIn())
@blp.response(202, PrintRunOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def start(order: PrintOrder, campaign_id: int) -> dict[str, Any]:
    """Have one-time codes printed in parts; the answer comes before the paper does."""
    with unit_of_work() as session:
        run = service.start_print_run(
            session, staff=current_staff(), campaign_id=campaign_id, order=order, now=clock.now()
        )
        return run_json(queries.read_progress(session, run.id))


@blp.route(f"{CAMPAIGN}/print-runs", methods=["GET"])
@requires("entrances.read")
@blp.response(200, PrintRunsOut())
@blp.problems(401, 403)
def index(campaign_id: int) -> dict[str, Any]:
    """List the newest runs that were started in one's own sub-tree."""
    with reading() as session:
        found = queries.list_runs(session, campaign_id=campaign_id, within_path=current_staff().path)
        return {"items": [run_json(one) for one in found]}


@blp.route(RUN, methods=["GET"])
@requires("entrances.read", path_of_run)
@blp.response(200, PrintRunDetail())
@blp.problems(401, 403, 404)
def show(run_id: int, **_: object) -> dict[str, Any]:
    """Tell how far a run has come, part by part."""
    with reading() as session:
        return run_detail_json(queries.read_progress(session, run_id), queries.list_parts(session, run_id))


@blp.route(f"{RUN}/retry", methods=["POST"])
@requires("code_sheets.print", path_of_run)
@blp.response(200, RetryOut())
@blp.problems(401, 403, 404)
def retry(run_id: int, **_: object) -> dict[str, int]:
    """Have failed parts printed again."""
    with unit_of_work() as session:
        return {"parts": service.retry_failed_parts(session, run_id=run_id)}


@blp.route(f"{RUN}/parts/<int:number>.pdf", methods=["GET"])
@requires("code_sheets.print", path_of_run)
@blp.response(200, _FILE, content_type=PDF_TYPE)
@blp.problems(401, 403, 404, 409)
def download_part(run_id: int, number: int, **_: object) -> Response:
    """Return the PDF of one part."""
    return downloads.send_part(run_id, number)


@blp.route(f"{RUN}/parts.zip", methods=["GET"])
@requires("code_sheets.print", path_of_run)
@blp.response(200, _FILE, content_type=ZIP_TYPE)
@blp.problems(401, 403, 404, 409)
def download_parts(run_id: int, **_: object) -> Response:
    """Return all printed PDFs of a run in one archive."""
    return downloads.send_parts(run_id)


@blp.route(f"{CAMPAIGN}/hand-outs", methods=["POST"])
@requires("code_sheets.print")
@blp.arguments(HandOutIn())
@blp.response(200, HandOutOut())
@blp.problems(400, 401, 403, 404, 409, 422)
def hand_out(body: dict[str, Any], campaign_id: int) -> dict[str, int]:
    """Mark what was printed as handed out; nobody can print or download it afterwards."""
    with unit_of_work() as session:
        return asdict(
            service.hand_out_codes(
                session, staff=current_staff(), campaign_id=campaign_id, now=clock.now(), **body
            )
        )
