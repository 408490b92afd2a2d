"""The JSON API of questionnaires."""

from dataclasses import asdict
from typing import Any

from survey_service.core import clock
from survey_service.core.db import reading, unit_of_work
from survey_service.core.http import Blueprint
from survey_service.core.paging import CURSOR, paged
from survey_service.core.permissions import current_staff, requires
from survey_service.questionnaires import queries, service
from survey_service.questionnaires.schemas import (
    QuestionnaireDetail,
    QuestionnaireIn,
    QuestionnaireOut,
    QuestionnairePage,
)

blp = Blueprint("questionnaires", __name__, description="What is asked")


@blp.route("/questionnaires", methods=["POST"])
@requires("questionnaires.write")
@blp.arguments(QuestionnaireIn())
@blp.response(201, QuestionnaireOut())
@blp.problems(400, 401, 403, 413, 422)
def create(body: dict[str, Any]) -> dict[str, int]:
    """Create a questionnaire."""
    with unit_of_work() as session:
        version = service.create_questionnaire(session, staff=current_staff(), now=clock.now(), **body)
        return {"id": version.questionnaire_id, "version": version.number}


@blp.route("/questionnaires", methods=["GET"])
@requires("questionnaires.read")
@blp.arguments(CURSOR, location="query")
@blp.response(200, QuestionnairePage())
@blp.problems(401, 403, 422)
def index(arguments: dict[str, Any]) -> dict[str, Any]:
    """List the questionnaires of one's own sub-tree and of the levels above."""
    with reading() as session:
        found = queries.list_questionnaires(session, staff=current_staff(), **arguments)
        return paged([asdict(one) for one in found], limit=queries.PAGE_SIZE)


@blp.route("/questionnaires/<int:questionnaire_id>", methods=["GET"])
@requires("questionnaires.read")
@blp.response(200, QuestionnaireDetail())
@blp.problems(401, 403, 404)
def show(questionnaire_id: int) -> dict[str, Any]:
    """Return the newest version of a questionnaire."""
    with reading() as session:
        found = queries.get_readable(session, questionnaire_id=questionnaire_id, staff=current_staff())
    return {
        "id": found.questionnaire_id,
        "version": found.number,
        "title": found.title,
        "is_frozen": found.is_frozen,
        "items": found.plan.items,
    }


@blp.route("/questionnaires/<int:questionnaire_id>", methods=["PUT"])
@requires("questionnaires.write", queries.path_of_questionnaire)
@blp.arguments(QuestionnaireIn())
@blp.response(200, QuestionnaireOut())
@blp.problems(400, 401, 403, 404, 413, 422)
def revise(body: dict[str, Any], questionnaire_id: int) -> dict[str, int]:
    """Change a questionnaire; a frozen version stays and a new one follows it."""
    with unit_of_work() as session:
        version = service.revise_questionnaire(
            session, questionnaire_id=questionnaire_id, now=clock.now(), **body
        )
        return {"id": version.questionnaire_id, "version": version.number}
