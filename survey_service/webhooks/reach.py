"""Where the running application may send messages to."""

from flask import current_app

from survey_service.core.config import Settings
from survey_service.webhooks.rules import Reach


def current_reach() -> Reach:
    """Return what the installation allows."""
    settings: Settings = current_app.extensions["settings"]
    return Reach(settings.webhook_allow_http, settings.webhook_allow_private)
