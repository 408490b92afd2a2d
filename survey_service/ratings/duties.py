"""Which steps of ratings wait for somebody: what a first page reminds of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.ratings.deadlines import StepTime, read_step_times
from survey_service.ratings.models import RatingCycle, RatingSheet, RatingSubject
from survey_service.ratings.queries import list_cycles
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role

_LEVEL_OF: Mapping[Role, Level] = {
    Role.BRANCH_SECRETARY: Level.SELF,
    Role.TOWN_STAFF: Level.TOWN,
    Role.COUNTY_ADMIN: Level.COUNTY,
}


@dataclass(frozen=True)
class DueStep:
    """The step of a cycle that is due now; `due_on` is its last day, None where it has none."""

    cycle_id: int
    title: str
    step: str
    due_on: date | None
    is_late: bool


def list_due_steps(session: Session, *, staff: Identity, today: date) -> list[DueStep]:
    """Return the steps that wait for the reader's level, cycle by cycle.

    A branch that has handed in all its sheets has nothing left to do.
    """
    level = _LEVEL_OF.get(Role(staff.role))
    due = [
        (cycle, time)
        for cycle in list_cycles(session, staff=staff)
        if cycle.decided_at is None and (time := _due(session, cycle)) and time.step.by is level
    ]
    return [
        DueStep(cycle.id, cycle.title, time.step.title, time.due_on, time.is_late(today))
        for cycle, time in due
        if level is not Level.SELF or _awaits_sheet(session, cycle, within_path=staff.path)
    ]


def _due(session: Session, cycle: RatingCycle) -> StepTime | None:
    return next((one for one in read_step_times(session, cycle) if one.position == cycle.position), None)


def _awaits_sheet(session: Session, cycle: RatingCycle, *, within_path: str) -> bool:
    """Tell whether a branch inside a sub-tree has not handed in its own sheet."""
    handed_in = and_(
        RatingSheet.cycle_id == RatingSubject.cycle_id,
        RatingSheet.subject_id == RatingSubject.subject_id,
        RatingSheet.level == Level.SELF,
        RatingSheet.submitted_at.is_not(None),
    )
    waiting = (
        select(RatingSubject.subject_id)
        .join(Organization, Organization.id == RatingSubject.organization_id)
        .outerjoin(RatingSheet, handed_in)
        .where(RatingSubject.cycle_id == cycle.id, is_within(within_path), RatingSheet.level.is_(None))
    )
    return session.scalar(waiting.limit(1)) is not None
