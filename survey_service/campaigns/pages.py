"""What a voter's page fetches of a campaign."""

from flask import Blueprint, Response

from survey_service.campaigns.recordings import get_recording
from survey_service.core.db import reading
from survey_service.core.permissions import public

pages = Blueprint("recordings", __name__)


@pages.route("/recordings/<digest>")
@public("a recording says aloud what the page shows to everybody")
def play_recording(digest: str) -> Response:
    """Return the recording of a questionnaire."""
    with reading() as session:
        recording = get_recording(session, digest=digest)
    response = Response(recording.content, content_type=recording.content_type)
    response.cache_control.public, response.cache_control.max_age = True, 24 * 3600
    return response
