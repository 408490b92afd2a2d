"""Reads of questionnaires; the plan of a frozen version is kept in the process."""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from survey_service.core.errors import Forbidden, NotFound
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import ids_on_path
from survey_service.questionnaires.definitions import read_form
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.models import Questionnaire, QuestionnaireVersion
from survey_service.questionnaires.rules import Plan

PAGE_SIZE = 50


@dataclass(frozen=True)
class CompiledVersion:
    """A version ready for use; shared by all threads of the process."""

    id: int
    questionnaire_id: int
    number: int
    title: str
    digest: str
    is_frozen: bool
    plan: Plan


@dataclass(frozen=True)
class Listed:
    """A questionnaire in a list, by its newest version."""

    id: int
    version: int
    title: str
    is_frozen: bool


def get_compiled(session: Session, version_id: int) -> CompiledVersion:
    """Return a version with its plan; a frozen one is compiled once in each process."""
    cache: dict[int, CompiledVersion] = current_app.extensions["compiled_versions"]
    if (found := cache.get(version_id)) is not None:
        return found
    compiled = _compile(session.get_one(QuestionnaireVersion, version_id))
    if compiled.is_frozen:
        cache[version_id] = compiled
    return compiled


def _compile(version: QuestionnaireVersion) -> CompiledVersion:
    form = read_form(version.definition)
    return CompiledVersion(
        id=version.id,
        questionnaire_id=version.questionnaire_id,
        number=version.number,
        title=form.title,
        digest=version.digest,
        is_frozen=version.frozen_at is not None,
        plan=Plan(form.items, KINDS),
    )


def latest_version(session: Session, questionnaire_id: int) -> QuestionnaireVersion:
    """Return the newest version; raises NotFound."""
    version = session.scalar(
        select(QuestionnaireVersion)
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )
    if version is None:
        raise NotFound
    return version


def lock_latest_version(session: Session, questionnaire_id: int) -> QuestionnaireVersion:
    """Return the newest version and hold it and its questionnaire; raises NotFound."""
    session.get(Questionnaire, questionnaire_id, with_for_update=True)
    return lock_version(session, latest_version(session, questionnaire_id).id)


def lock_version(session: Session, version_id: int) -> QuestionnaireVersion:
    """Return a version and hold its row, so that nobody freezes or changes it meanwhile."""
    return session.get_one(QuestionnaireVersion, version_id, with_for_update=True, populate_existing=True)


def get_readable(session: Session, *, questionnaire_id: int, staff: Identity) -> CompiledVersion:
    """Return the newest version of a questionnaire of one's own line; raises NotFound or Forbidden."""
    owner_path = path_of_questionnaire(session, questionnaire_id=questionnaire_id)
    if not is_in_line(owner_path, staff):
        raise Forbidden
    return get_compiled(session, latest_version(session, questionnaire_id).id)


def is_in_line(owner_path: str, staff: Identity) -> bool:
    """Tell whether a questionnaire's owner stands above, at or below the caller: a town uses its county's."""
    return staff.covers(owner_path) or staff.path.startswith(owner_path)


def path_of_questionnaire(session: Session, *, questionnaire_id: int) -> str:
    """Return the path of the organization that owns a questionnaire; raises NotFound."""
    path = session.scalar(
        select(Organization.path)
        .join(Questionnaire, Questionnaire.organization_id == Organization.id)
        .where(Questionnaire.id == questionnaire_id)
    )
    if path is None:
        raise NotFound
    return path


def list_questionnaires(
    session: Session, *, staff: Identity, after: int = 0, limit: int = PAGE_SIZE
) -> list[Listed]:
    """Return the questionnaires of the caller's own line (see `is_in_line`), oldest first."""
    other = aliased(QuestionnaireVersion)
    newest = (
        select(func.max(other.number)).where(other.questionnaire_id == Questionnaire.id).scalar_subquery()
    )
    is_frozen = QuestionnaireVersion.frozen_at.is_not(None)
    rows = session.execute(
        select(Questionnaire.id, QuestionnaireVersion.number, Questionnaire.title, is_frozen)
        .join(QuestionnaireVersion, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .join(Organization, Organization.id == Questionnaire.organization_id)
        .where(QuestionnaireVersion.number == newest, Questionnaire.id > after)
        .where(or_(is_within(staff.path), Organization.id.in_(ids_on_path(staff.path))))
        .order_by(Questionnaire.id)
        .limit(limit)
    )
    return [Listed(*row) for row in rows]
