"""What pages and API show of the work on a cycle, narrowed to the reader's sub-tree and role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.errors import Forbidden
from survey_service.core.permissions import Identity
from survey_service.ratings.deadlines import StepTime, read_step_times
from survey_service.ratings.evidence import list_evidence, sees_level
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.models import (
    RatingEvidence,
    RatingReturn,
    RatingSheet,
    RatingVisit,
)
from survey_service.ratings.queries import find_subject, page_subjects
from survey_service.ratings.reading import get_visible_cycle
from survey_service.ratings.returns import list_returns
from survey_service.ratings.service import list_warnings
from survey_service.ratings.visits import VisitDue, list_visits, visits_due
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role


@dataclass(frozen=True)
class Records:
    """Evidence, visits and hand-backs of one subject, oldest first."""

    evidence: Sequence[RatingEvidence]
    visits: Sequence[RatingVisit]
    returns: Sequence[RatingReturn]


def read_records(session: Session, *, staff: Identity, cycle_id: int, organization_code: str) -> Records:
    """Return what was noted about a subject; a rated party before the end only what concerns its own sheet.

    Raises NotFound and Forbidden.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    subject = find_subject(session, cycle_id, organization_code)
    staff.require(subject.path)
    is_final = cycle.decided_at is not None
    is_open = is_final or Role(staff.role) is not Role.BRANCH_SECRETARY
    returned = list_returns(session, cycle_id).get(subject.row.subject_id, [])
    return Records(
        list_evidence(session, staff=staff, cycle_id=cycle_id, organization_code=organization_code),
        list_visits(session, cycle_id).get(subject.row.subject_id, []) if is_open else [],
        [one for one in returned if sees_level(staff, one.level, is_final=is_final)],
    )


def read_visits_due(session: Session, *, staff: Identity, cycle_id: int) -> list[dict[str, Any]]:
    """Return who is to be visited inside the reader's sub-tree; raises NotFound and Forbidden.

    It tells the draft, so a rated party does not see it.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    if Role(staff.role) is Role.BRANCH_SECRETARY:
        raise Forbidden
    return [_visit_due(one) for one in visits_due(session, cycle) if staff.covers(one.subject.path)]


def _visit_due(one: VisitDue) -> dict[str, Any]:
    reasons = {"on_site": one.is_on_site, "look_back": one.earlier_grade is not None}
    return {
        "organization_code": one.subject.organization_code,
        "name": one.subject.name,
        "reasons": [reason for reason, is_so in reasons.items() if is_so],
        "earlier_grade": one.earlier_grade,
        "is_done": one.is_done,
    }


def read_deadlines(session: Session, *, staff: Identity, cycle_id: int, today: date) -> list[dict[str, Any]]:
    """Return the days of all steps; raises NotFound and Forbidden."""
    cycle = get_visible_cycle(session, cycle_id, staff)
    return [deadline(one, today) for one in read_step_times(session, cycle)]


def deadline(one: StepTime, today: date) -> dict[str, Any]:
    """Return the days of a step as plain values."""
    return {
        "step": one.step.code,
        "begun_on": one.begun_on,
        "due_on": one.due_on,
        "is_late": one.is_late(today),
    }


class SheetState(StrEnum):
    """Where the sheet of a level stands."""

    EMPTY = "empty"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"


@dataclass(frozen=True)
class WorkRow:
    """A subject with the states of its sheets; `position` is what the next page begins behind."""

    organization_code: str
    name: str
    exclusion: str | None
    position: int
    states: Mapping[Level, SheetState]


WORK_PAGE = 100


def read_work(session: Session, *, staff: Identity, cycle_id: int, after: int = -1) -> list[WorkRow]:
    """Return a page of the subjects inside the reader's sub-tree; raises NotFound and Forbidden.

    A rated party before the end sees the state of its own sheet only.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    is_final = cycle.decided_at is not None
    rows = page_subjects(session, cycle_id, within_path=staff.path, after=after, limit=WORK_PAGE)
    states = _states(session, cycle_id, [one.row.subject_id for one in rows])
    seen = [level for level in Level if sees_level(staff, level, is_final=is_final)]
    return [
        WorkRow(
            organization_code=one.organization_code,
            name=one.name,
            exclusion=one.row.exclusion,
            position=one.row.position,
            states={level: states.get((one.row.subject_id, level), SheetState.EMPTY) for level in seen},
        )
        for one in rows
    ]


def read_cycle_warnings(session: Session, *, staff: Identity, cycle_id: int) -> list[str]:
    """Return what the owner of a cycle was warned of, as it is now; raises NotFound and Forbidden."""
    cycle = get_visible_cycle(session, cycle_id, staff)
    return list_warnings(session, cycle, scheme_of_cycle(cycle))


def _states(session: Session, cycle_id: int, subjects: Sequence[int]) -> dict[tuple[int, Level], SheetState]:
    sheets = session.execute(
        select(RatingSheet.subject_id, RatingSheet.level, RatingSheet.submitted_at).where(
            RatingSheet.cycle_id == cycle_id, RatingSheet.subject_id.in_(subjects)
        )
    )
    found = {
        (subject_id, level): SheetState.DRAFT if submitted_at is None else SheetState.SUBMITTED
        for subject_id, level, submitted_at in sheets
    }
    returned = session.execute(
        select(RatingReturn.subject_id, RatingReturn.level).where(
            RatingReturn.cycle_id == cycle_id,
            RatingReturn.subject_id.in_(subjects),
            RatingReturn.answered_at.is_(None),
        )
    )
    return found | dict.fromkeys(returned, SheetState.RETURNED)
