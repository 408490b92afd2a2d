"""The public page of a sealed campaign; it works without a script."""

from pathlib import Path

from flask import Blueprint, Response, render_template, request

from survey_service.ballots.rules import RECEIPT_LENGTH
from survey_service.core.db import reading
from survey_service.core.permissions import public
from survey_service.entrances.codes import read_symbols
from survey_service.sealing.presentation import read_bulletin

pages = Blueprint("bulletin", __name__)

_PUBLIC = "whoever holds a receipt may see whether it was counted"
_VERIFIER = Path(__file__).with_name("verify_bulletin.py")


@pages.route("/b/<int:campaign_id>", methods=["GET", "POST"])
@public(_PUBLIC)
def show_bulletin(campaign_id: int) -> str:
    """Say in one line whether a typed receipt is published, and what that means."""
    typed = request.form.get("receipt", "")
    with reading() as session:
        page = read_bulletin(
            session, campaign_id=campaign_id, typed=typed, receipt=read_symbols(typed, RECEIPT_LENGTH)
        )
    return render_template("voter/bulletin.html", page=page)


@pages.route("/b/verify_bulletin.py", methods=["GET"])
@public(_PUBLIC)
def download_verifier() -> Response:
    """Hand out the program that checks a bulletin, to be read and run anywhere."""
    response = Response(_VERIFIER.read_bytes(), content_type="text/x-python; charset=utf-8")
    response.headers["Content-Disposition"] = f"attachment; filename={_VERIFIER.name}"
    return response
