"""Use cases of questionnaires: write, revise, freeze."""

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from survey_service.core.audit import Facts, record
from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.questionnaires.definitions import write_form
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.models import Questionnaire, QuestionnaireVersion
from survey_service.questionnaires.queries import lock_latest_version, lock_version
from survey_service.questionnaires.rules import Form, Item, find_definition_errors


def create_questionnaire(
    session: Session, *, staff: Identity, title: str, items: Sequence[Item], now: datetime
) -> QuestionnaireVersion:
    """Store a questionnaire and its first version; raises Invalid with the errors of each item."""
    definition = _definition(title, items)
    questionnaire = Questionnaire(organization_id=staff.organization_id, title=title, created_at=now)
    session.add(questionnaire)
    session.flush()
    version = _add_version(session, questionnaire.id, 1, definition, now)
    _record(session, "questionnaires.create", version)
    return version


def _record(
    session: Session, action: str, version: QuestionnaireVersion, *, before: Facts | None = None
) -> None:
    target = f"questionnaire:{version.questionnaire_id}"
    record(session, action, target, before=before, after=_facts(version))


def _facts(version: QuestionnaireVersion) -> Facts:
    return {"version": version.number, "digest": version.digest}


def revise_questionnaire(
    session: Session, *, questionnaire_id: int, title: str, items: Sequence[Item], now: datetime
) -> QuestionnaireVersion:
    """Change the newest version, or add one after it when it is frozen already.

    Campaigns that were launched keep the version that they froze. Raises NotFound, and Invalid with the
    errors of each item.
    """
    definition = _definition(title, items)
    version = lock_latest_version(session, questionnaire_id)
    before = _facts(version)
    session.get_one(Questionnaire, questionnaire_id).title = title
    if version.definition != definition and version.frozen_at is not None:
        version = _add_version(session, questionnaire_id, version.number + 1, definition, now)
    version.definition, version.digest = definition, _digest(definition)
    _record(session, "questionnaires.revise", version, before=before)
    return version


def freeze_version(session: Session, *, version_id: int, now: datetime) -> QuestionnaireVersion:
    """Make a version unchangeable; a second freezing changes nothing.

    Whoever asks for the compiled version in the same transaction keeps it in the process, so nothing may
    fail after this.
    """
    version = lock_version(session, version_id)
    version.frozen_at = version.frozen_at or now
    return version


def _definition(title: str, items: Sequence[Item]) -> str:
    if errors := find_definition_errors(items, KINDS):
        raise Invalid(errors=errors)
    return write_form(Form(title, tuple(items)))


def _digest(definition: str) -> str:
    return sha256(definition.encode()).hexdigest()


def _add_version(
    session: Session, questionnaire_id: int, number: int, definition: str, now: datetime
) -> QuestionnaireVersion:
    version = QuestionnaireVersion(
        questionnaire_id=questionnaire_id,
        number=number,
        definition=definition,
        digest=_digest(definition),
        created_at=now,
    )
    session.add(version)
    session.flush()
    return version
