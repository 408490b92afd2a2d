"""What the committee looks at: the proposals that ask for a decision, and all of them page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.ratings.grades import current_grades
from survey_service.ratings.models import RatingCycle, RatingDecision, RatingGrade, RatingSubject
from survey_service.ratings.overview import read_grade_page
from survey_service.ratings.queries import SubjectRow, get_cycle, list_decisions, list_grades, list_subjects
from survey_service.ratings.reading import grade_row

Json = Mapping[str, Any]
Graded = tuple[SubjectRow, RatingGrade]
MOST_ASKING = 100
"""So many who ask for a decision are shown at once."""


@dataclass(frozen=True)
class DecisionRow:
    """A subject as the committee sees it: its row of grades, and what was decided."""

    grade: Json
    decisions: Sequence[RatingDecision]


@dataclass(frozen=True)
class DecisionTable:
    """Who asks for a decision or is asked for, and a page of everybody; `next` is what follows it."""

    asking: Sequence[DecisionRow]
    rows: Sequence[DecisionRow]
    next: int | None


def read_decisions(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    document: Json,
    asked: str = "",
    after: int = -1,
    words: str = "",
) -> DecisionTable:
    """Return the proposals inside the reader's sub-tree with the decisions; raises as `read_grades`.

    `document` is the scheme, as `read_document` gives it. Equals on a line ask for a decision, those who
    were moved off their band, and those already decided.
    """
    wanted: dict[str, Any] = {"document": document, "after": after, "words": words}
    page = read_grade_page(session, staff=staff, cycle_id=cycle_id, **wanted)
    cycle, made = get_cycle(session, cycle_id), _decisions_by_code(session, cycle_id)
    is_stored = page["is_stale"] or cycle.graded_revision == cycle.revision
    found = _asking_stored if is_stored else _asking_now
    asking = [grade_row(document, *one) for one in found(session, staff, cycle, asked)]

    def rows(items: Sequence[Json]) -> list[DecisionRow]:
        return [DecisionRow(row, made.get(row["organization_code"], [])) for row in items]

    return DecisionTable(rows(asking), rows(page["items"]), page["next"])


def _decisions_by_code(session: Session, cycle_id: int) -> dict[str, list[RatingDecision]]:
    decided = list_decisions(session, cycle_id)
    subjects = list_subjects(session, cycle_id, only=decided)
    return {one.organization_code: decided[one.row.subject_id] for one in subjects}


def _asking_stored(session: Session, staff: Identity, cycle: RatingCycle, asked: str) -> list[Graded]:
    is_decided = RatingSubject.subject_id.in_(_decided(cycle))
    asks = or_(
        RatingGrade.is_tied,
        RatingGrade.grade_by_score.is_distinct_from(RatingGrade.grade_proposed),
        Organization.code == asked,
        is_decided,
    )
    of_subject = (RatingGrade.cycle_id == RatingSubject.cycle_id) & (
        RatingGrade.subject_id == RatingSubject.subject_id
    )
    statement = (
        select(RatingSubject.subject_id)
        .join(RatingGrade, of_subject)
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .where(RatingSubject.cycle_id == cycle.id, is_within(staff.path), asks)
        .order_by(Organization.code != asked, or_(~RatingGrade.is_tied, is_decided), RatingSubject.position)
        .limit(MOST_ASKING)
    )
    wanted = list(session.scalars(statement))
    grades = list_grades(session, cycle.id, wanted)
    subjects = list_subjects(session, cycle.id, only=wanted)
    return [(one, grades[one.row.subject_id]) for one in subjects]


def _asking_now(session: Session, staff: Identity, cycle: RatingCycle, asked: str) -> list[Graded]:
    """A small cycle that is being worked on is worked out anew."""
    subjects = list_subjects(session, cycle.id, within_path=staff.path)
    grades = current_grades(session, cycle, [one.row.subject_id for one in subjects])
    decided = set(session.scalars(_decided(cycle)))

    def asks(one: SubjectRow) -> bool:
        grade = grades[one.row.subject_id]
        is_moved = grade.is_tied or grade.grade_by_score != grade.grade_proposed
        return is_moved or one.organization_code == asked or one.row.subject_id in decided

    return [(one, grades[one.row.subject_id]) for one in subjects if asks(one)]


def _decided(cycle: RatingCycle) -> Select[int]:
    return select(RatingDecision.subject_id).where(RatingDecision.cycle_id == cycle.id)
