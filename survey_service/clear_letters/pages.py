"""The public page of a letter; it works without a script."""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, current_app, render_template, request

from survey_service.clear_letters import answering
from survey_service.clear_letters.queries import find_public
from survey_service.clear_letters.rules import LETTER_CODE_LENGTH
from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.permissions import public
from survey_service.entrances.codes import read_symbols

pages = Blueprint("letters", __name__)


@pages.route("/l/<code>", methods=["GET"])
@public("a clear letter is for every household")
def show_letter(code: str) -> Any:
    """Show a published letter, and count that it was opened."""
    now = clock.now()
    with reading() as session:
        letter = find_public(session, read_symbols(code, LETTER_CODE_LENGTH))
        page = answering.public_page(
            session, letter=letter, is_large=request.args.get("type") == "large", now=now
        )
    if letter.is_withdrawn:
        return render_template("voter/message.html", message=page), HTTPStatus.GONE
    if request.method == "GET":
        current_app.extensions["letter_readings"].add(letter.letter_id, clock.local_day(now))
    return render_template("voter/clear_letter.html", page=page)
