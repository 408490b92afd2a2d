"""The public page of a rating: the list that is announced; it works without a script."""

from flask import Blueprint, render_template, request

from survey_service.core import clock
from survey_service.core.db import reading
from survey_service.core.paging import page_begin
from survey_service.core.permissions import public
from survey_service.ratings.announcements import read_announcement

pages = Blueprint("rating_notices", __name__)


@pages.route("/n/<int:cycle_id>", methods=["GET"])
@public("a public notice is for everybody to read and to object to")
def show_announcement(cycle_id: int) -> str:
    """Show names and grades while they are announced, and until when objections are taken."""
    cursor, words = page_begin(request.args.get("cursor", "")), request.args.get("words", "").strip()
    with reading() as session:
        notice = read_announcement(session, cycle_id=cycle_id, cursor=cursor, words=words, now=clock.now())
    return render_template("voter/rating_notice.html", page=notice)
