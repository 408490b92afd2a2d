"""Until when the steps of a cycle should be done: days of the scheme, or a day that the office has set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.models import RatingCycle, RatingDeadline, RatingMove
from survey_service.ratings.queries import list_moves, lock_cycle
from survey_service.ratings.rules import Scheme, Step, cycle_target
from survey_service.ratings.service import require_office
from survey_service.ratings.vocabulary import StepKind


@dataclass(frozen=True)
class StepTime:
    """When a step began and the last day for it; None where it has not begun, or has no end."""

    step: Step
    position: int
    begun_on: date | None
    due_on: date | None
    is_done: bool

    def is_late(self, today: date) -> bool:
        """Tell whether the step should have been done before today."""
        return not self.is_done and self.due_on is not None and today > self.due_on


def read_step_times(session: Session, cycle: RatingCycle) -> list[StepTime]:
    """Return the times of all steps of a cycle, in their order."""
    chosen = session.scalars(select(RatingDeadline).where(RatingDeadline.cycle_id == cycle.id))
    days = {one.step: one.due_on for one in chosen}
    return step_times(scheme_of_cycle(cycle), cycle, list_moves(session, cycle.id), days)


def step_times(
    scheme: Scheme, cycle: RatingCycle, moves: Sequence[RatingMove], chosen: Mapping[str, date]
) -> list[StepTime]:
    """Return the times of all steps; the one that is due began when the one before it was left."""
    begun = local_day(moves[-1].at if moves else cycle.created_at)
    return [
        _step_time(step, position, begun if position == cycle.position else None, cycle, chosen)
        for position, step in enumerate(scheme.steps)
    ]


def _step_time(
    step: Step, position: int, begun_on: date | None, cycle: RatingCycle, chosen: Mapping[str, date]
) -> StepTime:
    counted = begun_on + timedelta(days=step.days) if begun_on is not None and step.days else None
    return StepTime(step, position, begun_on, chosen.get(step.code, counted), position < cycle.position)


def due_step_time(session: Session, cycle: RatingCycle) -> StepTime:
    """Return the times of the step that is due; raises Conflict `wrong_step` when all are done."""
    times = read_step_times(session, cycle)
    if cycle.position >= len(times):
        raise Conflict("wrong_step", step=text("ratings.all_steps_done"))
    return times[cycle.position]


def set_deadline(
    session: Session, *, staff: Identity, cycle_id: int, step: str, due_on: date, now: datetime
) -> StepTime:
    """Set the last day of a step that is not done; a public notice is never shorter than the scheme says.

    Raises NotFound for an unknown step, Forbidden for an office that does not complete it, Conflict
    `wrong_step` for one that is done, Invalid for a day that is over or too early.
    """
    cycle = lock_cycle(session, cycle_id)
    found = next((one for one in read_step_times(session, cycle) if one.step.code == step), None)
    if found is None:
        raise NotFound
    require_office(staff, found.step.by)
    if found.is_done:
        raise Conflict("wrong_step", step=text("ratings.step_is_done"))
    _check_day(found, due_on, now)
    session.merge(
        RatingDeadline(cycle_id=cycle_id, step=step, due_on=due_on, staff_id=staff.id, changed_at=now)
    )
    session.flush()
    facts = {"step": step}
    before = facts | {"due_on": found.due_on.isoformat() if found.due_on else None}
    after = facts | {"due_on": due_on.isoformat()}
    record(session, "ratings.set_deadline", cycle_target(cycle_id), before=before, after=after)
    return next(one for one in read_step_times(session, cycle) if one.step.code == step)


def _check_day(found: StepTime, due_on: date, now: datetime) -> None:
    if due_on < local_day(now):
        raise Invalid(errors={"due_on": [text("ratings.day_is_over")]})
    if found.step.kind is not StepKind.PUBLIC_NOTICE or not found.step.days:
        return
    if found.begun_on is None:
        raise Invalid(errors={"due_on": [text("ratings.notice_has_not_begun")]})
    if due_on < found.begun_on + timedelta(days=found.step.days):
        raise Invalid(errors={"due_on": [text("ratings.notice_too_short", days=found.step.days)]})
