"""Records of checks on the spot, and which subjects must be visited before grades are final."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import GradedSubject, scheme_of_cycle, work_out
from survey_service.ratings.models import RatingCycle, RatingSubject, RatingVisit
from survey_service.ratings.queries import (
    SubjectRow,
    earlier_grades,
    find_subject,
    list_decisions,
    list_subjects,
    lock_cycle,
)
from survey_service.ratings.rules import Scheme, cycle_target
from survey_service.ratings.vocabulary import VisitOutcome


@dataclass(frozen=True)
class VisitDue:
    """A subject that is to be visited; `earlier_grade` is what a look-back asks about."""

    subject: SubjectRow
    is_on_site: bool
    earlier_grade: str | None
    is_done: bool


def note_visit(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    visited_on: date,
    visitors: str,
    outcome: VisitOutcome,
    words: str,
    now: datetime,
) -> RatingVisit:
    """Note what was found on the spot; records are added and never changed.

    Raises NotFound, Forbidden for somebody who does not stand above the subject, Conflict `wrong_step` once
    the grades are final and no longer announced, Invalid for a day to come.
    """
    cycle = lock_cycle(session, cycle_id)
    subject = find_subject(session, cycle_id, organization_code)
    if not staff.is_above(subject.path):
        raise Forbidden
    if cycle.decided_at is not None and not scheme_of_cycle(cycle).is_announced_at(cycle.position):
        raise Conflict("wrong_step", step=text("ratings.grades_are_final"))
    if visited_on > local_day(now):
        raise Invalid(errors={"visited_on": [text("ratings.day_to_come")]})
    visit = RatingVisit(
        cycle_id=cycle_id,
        subject_id=subject.row.subject_id,
        visited_on=visited_on,
        visitors=visitors,
        outcome=outcome,
        words=words,
        staff_id=staff.id,
        noted_at=now,
    )
    session.add(visit)
    session.flush()
    facts: dict[str, object] = {"organization_code": organization_code, "visit": visit.id}
    facts |= {"visited_on": visited_on.isoformat(), "outcome": outcome.value, "visitors": visitors}
    record(session, "ratings.visit", cycle_target(cycle_id), after=facts)
    return visit


def list_visits(session: Session, cycle_id: int) -> dict[int, list[RatingVisit]]:
    """Return the records by subject, oldest first."""
    found: dict[int, list[RatingVisit]] = {}
    statement = select(RatingVisit).where(RatingVisit.cycle_id == cycle_id).order_by(RatingVisit.id)
    for visit in session.scalars(statement):
        found.setdefault(visit.subject_id, []).append(visit)
    return found


def visits_due(session: Session, cycle: RatingCycle) -> list[VisitDue]:
    """Return whom the draft of now asks to be visited, in the order of the cycle."""
    return _due(session, cycle, scheme_of_cycle(cycle), work_out(session, cycle))


def _due(
    session: Session, cycle: RatingCycle, scheme: Scheme, worked_out: Sequence[GradedSubject]
) -> list[VisitDue]:
    """A scheme asks for visits to those who are to get some grades, and to those whose look-back has come.

    That the committee gives such a grade asks for a visit as much as that it is proposed.
    """
    on_site = scheme.steps[scheme.deciding_position].on_site
    earlier = look_back_grades(session, cycle, scheme)
    visited = list_visits(session, cycle.id)
    decided = {subject_id: made[-1].grade for subject_id, made in list_decisions(session, cycle.id).items()}
    return [
        VisitDue(one.subject, is_on_site, looked_back, one.subject.row.subject_id in visited)
        for one in worked_out
        if not one.grading.is_excluded
        and any(
            (
                is_on_site := not on_site.isdisjoint(
                    {one.grading.proposed, decided.get(one.subject.row.subject_id)}
                ),
                looked_back := earlier.get(one.subject.row.subject_id),
            )
        )
    ]


def look_back_grades(session: Session, cycle: RatingCycle, scheme: Scheme) -> dict[int, str]:
    """Return the grades that are looked at again in this cycle, by subject."""
    if scheme.look_back is None:
        return {}
    year = cycle.year - scheme.look_back.in_year + 1
    given = earlier_grades(session, cycle, year=year)
    return {
        subject_id: grade
        for subject_id, grade in given.items()
        if scheme.look_back.is_due(grade=grade, given_in=year, year=cycle.year)
    }


def require_visits(
    session: Session, cycle: RatingCycle, scheme: Scheme, worked_out: Sequence[GradedSubject]
) -> None:
    """Raise Conflict `visits_missing` naming those who are still to be visited."""
    missing = {
        one.subject.organization_code: [one.subject.name]
        for one in _due(session, cycle, scheme, worked_out)
        if not one.is_done
    }
    if missing:
        raise Conflict("visits_missing", errors=missing, count=len(missing))


def require_visit(session: Session, cycle: RatingCycle, row: RatingSubject) -> None:
    """Raise Conflict `visits_missing` for a subject that nobody has visited in this cycle."""
    if row.subject_id not in list_visits(session, cycle.id):
        (subject,) = list_subjects(session, cycle.id, only=[row.subject_id])
        raise Conflict("visits_missing", errors={subject.organization_code: [subject.name]}, count=1)
