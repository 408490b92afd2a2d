"""The JSON API of the audit trail: it is read, and by nobody written."""

from dataclasses import asdict
from typing import Any

from survey_service.auditing import queries
from survey_service.auditing.schemas import EntryPage
from survey_service.core.db import reading
from survey_service.core.http import Blueprint
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires

blp = Blueprint("auditing", __name__, description="Who did what")


@blp.route("/audit", methods=["GET"])
@requires("audit.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, EntryPage())
@blp.problems(401, 403, 422, 503)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the acts of staff that concern one's own sub-tree, oldest first."""
    with reading() as session:
        found = queries.list_entries(session, within_path=current_staff().path, **arguments)
    return paged([asdict(entry) for entry in found], limit=queries.PAGE_SIZE, key="seq")
