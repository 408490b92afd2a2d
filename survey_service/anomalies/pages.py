"""The page of a voter who says "this was not me"; it works without a script."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from survey_service.anomalies import noting
from survey_service.ballots import presentation, voting
from survey_service.core import clock
from survey_service.core.db import unit_of_work
from survey_service.core.permissions import public

pages = Blueprint("anomaly_pages", __name__)


@pages.route("/s/<code>/dispute", methods=["POST"])
@public("voters have no accounts")
def note_dispute(code: str) -> ResponseReturnValue:
    """Count that somebody else used a code, and say what happens now."""
    with unit_of_work() as session:
        noting.note(
            session,
            raw_code=code,
            signed_ticket=request.form.get("ticket"),
            now=clock.now(),
            organization_code=request.form.get("organization_code"),
        )
        entrance = voting.find_entrance(session, raw_code=code, now=clock.now())
    message = presentation.noted_message(entrance)
    return make_response(render_template("voter/message.html", message=message))
