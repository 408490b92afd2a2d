"""Reads of questionnaires; the plan of a frozen version is kept in the process."""

from dataclasses import dataclass

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.questionnaires.definitions import read_items
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.models import Questionnaire, QuestionnaireVersion
from survey_service.questionnaires.rules import Plan

PAGE_SIZE = 50


@dataclass(frozen=True)
class CompiledVersion:
    """A frozen version ready for use; shared by all threads of the process."""

    id: int
    number: int
    title: str
    definition: str
    digest: str
    plan: Plan


def compile_items(definition: str) -> Plan:
    """Compile stored items to a plan."""
    return Plan(read_items(definition), KINDS)


def get_compiled(session: Session, version_id: int) -> CompiledVersion:
    """Return a version with its plan; a frozen one is compiled once in each process."""
    cache: dict[int, CompiledVersion] = current_app.extensions["compiled_versions"]
    if (found := cache.get(version_id)) is not None:
        return found
    row = session.execute(
        select(QuestionnaireVersion, Questionnaire.title)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .where(QuestionnaireVersion.id == version_id)
    ).one()
    version: QuestionnaireVersion = row[0]
    compiled = CompiledVersion(
        version.id,
        version.number,
        row[1],
        version.definition,
        version.digest,
        compile_items(version.definition),
    )
    if version.frozen_at is not None:
        cache[version_id] = compiled
    return compiled


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
    session: Session, *, within_path: str, after: int = 0, limit: int = PAGE_SIZE
) -> list[tuple[QuestionnaireVersion, str]]:
    """Return the newest versions and titles of the questionnaires owned inside a sub-tree, oldest first."""
    newest = (
        select(func.max(QuestionnaireVersion.number))
        .where(QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .scalar_subquery()
    )
    rows = session.execute(
        select(QuestionnaireVersion, Questionnaire.title)
        .join(Questionnaire, Questionnaire.id == QuestionnaireVersion.questionnaire_id)
        .join(Organization, Organization.id == Questionnaire.organization_id)
        .where(QuestionnaireVersion.number == newest, Questionnaire.id > after)
        .where(is_within(within_path))
        .order_by(Questionnaire.id)
        .limit(limit)
    )
    return [(version, title) for version, title in rows]
