"""The JSON API of what many opinions say together."""

from typing import Any

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires
from survey_service.insights import queries, schemas, service
from survey_service.insights.figures import Period, read_figures
from survey_service.insights.search import search_opinions
from survey_service.opinions.policy import current_policy
from survey_service.opinions.schemas import OpinionsOut, opinion_json
from survey_service.organizations.queries import path_of_organization

blp = Blueprint("insights", __name__, description="What many opinions say together")


@blp.route("/opinion-search", methods=["GET"])
@requires("opinions.read")
@blp.arguments(schemas.SearchIn(), location="query")
@blp.response(200, OpinionsOut())
@blp.problems(401, 403, 422, 503)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """Look for words in the cases that the caller may know of; two characters are enough."""
    with reading() as session:
        found = search_opinions(session, staff=current_staff(), **query)
        cursor = None if found.next_after is None else str(found.next_after)
        return {"items": [opinion_json(one) for one in found.opinions], "next_cursor": cursor}


@blp.route("/opinion-groups", methods=["GET"])
@requires("insights.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, schemas.GroupPage())
@blp.problems(401, 403, 422, 503)
def list_groups(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the groups of opinions that say nearly the same, as the last look at everything found them."""
    with reading() as session:
        found = queries.list_groups(session, staff=current_staff(), **arguments)
        return paged([schemas.group_json(one) for one in found], limit=queries.PAGE_SIZE, key="first_id")


@blp.route("/opinion-groups/<int:first_id>/join", methods=["POST"])
@requires("opinions.triage")
@blp.arguments(schemas.JoinGroupIn())
@blp.response(200, schemas.JoinedOut())
@blp.problems(400, 401, 403, 404, 409, 413, 422, 503)
def join_group(body: dict[str, Any], first_id: int) -> dict[str, int]:
    """Let opinions of a group go on in its earliest case: all their authors get its answer."""
    means: dict[str, Any] = {"policy": current_policy(), "now": clock.now()}
    with unit_of_work() as session:
        return {
            "joined": service.join_group(session, staff=current_staff(), first_id=first_id, **means, **body)
        }


@blp.route("/opinion-words", methods=["GET"])
@requires("insights.read")
@blp.response(200, schemas.WordsOut())
@blp.problems(401, 403, 503)
def list_words() -> dict[str, Any]:
    """List the words by which the opinions of each village differ from those of its neighbours."""
    with reading() as session:
        found = queries.list_words(session, path=current_staff().path)
        return {"items": [schemas.word_json(*one) for one in found]}


@blp.route("/opinion-warnings", methods=["GET"])
@requires("insights.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, schemas.OpinionWarningPage())
@blp.problems(401, 403, 422, 503)
def list_warnings(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the warnings that concern the caller, the latest first."""
    with reading() as session:
        found = queries.list_warnings(session, staff=current_staff(), before=arguments["after"])
        return paged([schemas.warning_json(one) for one in found], limit=queries.PAGE_SIZE)


@blp.route("/opinion-warnings/<int:warning_id>/seen", methods=["POST"])
@requires("insights.read")
@blp.response(200, schemas.WarningSeenOut())
@blp.problems(401, 403, 404, 503)
def see_warning(warning_id: int) -> dict[str, Any]:
    """Say that one has seen a warning."""
    with unit_of_work() as session:
        service.see_warning(session, staff=current_staff(), warning_id=warning_id, now=clock.now())
    return {"id": warning_id, "is_seen": True}


@blp.route("/opinion-figures", methods=["GET"])
@requires("insights.read")
@blp.arguments(schemas.FiguresIn(), location="query")
@blp.response(200, schemas.FiguresOut())
@blp.problems(401, 403, 404, 422, 503)
def show_figures(query: dict[str, Any]) -> dict[str, Any]:
    """Show the released figures of the villages of a sub-tree."""
    today = clock.local_day(clock.now())
    since, until = schemas.period_of(query["since"], query["until"], today)
    staff = current_staff()
    with reading() as session:
        path = (
            path_of_organization(session, code=query["organization"]) if query["organization"] else staff.path
        )
        staff.require(path)
        table = read_figures(session, path=path, period=Period(since, until, today))
    return schemas.figures_json(table, since, until)
