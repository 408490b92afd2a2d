"""Objections during the public notice, and what comes of them."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.deadlines import due_step_time
from survey_service.ratings.decisions import add_decision
from survey_service.ratings.grades import mass_readings, scheme_of_cycle
from survey_service.ratings.grading import capped_grades
from survey_service.ratings.models import (
    RatingCycle,
    RatingObjection,
    RatingSubject,
)
from survey_service.ratings.process import require_shares
from survey_service.ratings.queries import (
    find_subject,
    list_decisions,
    lock_cycle,
)
from survey_service.ratings.rules import Scheme, cycle_target
from survey_service.ratings.service import require_office
from survey_service.ratings.visits import require_visit
from survey_service.ratings.vocabulary import DecisionKind


def raise_objection(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    words: str,
    now: datetime,
) -> RatingObjection:
    """Note an objection while the grades are publicly announced; who raised it is not stored.

    Raises Conflict `wrong_step` before and after the public notice, `objection_too_late` after its last day.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    _require_notice(scheme, cycle)
    _require_in_time(session, cycle, now)
    subject = find_subject(session, cycle_id, organization_code)
    objection = RatingObjection(
        cycle_id=cycle_id,
        subject_id=subject.row.subject_id,
        text=words,
        received_at=now,
        staff_id=staff.id,
    )
    session.add(objection)
    session.flush()
    facts = {"organization_code": organization_code, "objection": objection.id}
    record(session, "ratings.object", cycle_target(cycle_id), after=facts)
    return objection


def _require_notice(scheme: Scheme, cycle: RatingCycle) -> None:
    if not scheme.is_announced_at(cycle.position):
        raise Conflict("wrong_step", step=text("ratings.only_during_notice"))


def _require_in_time(session: Session, cycle: RatingCycle, now: datetime) -> None:
    due_on = due_step_time(session, cycle).due_on
    if due_on is not None and local_day(now) > due_on:
        raise Conflict("objection_too_late", due_on=due_on.isoformat())


def settle_objection(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    objection_id: int,
    outcome: str,
    grade: str | None = None,
    now: datetime,
) -> RatingObjection:
    """Say what came of an objection; where it is right, with the grade that is given instead.

    Raises NotFound, Conflict `wrong_step` outside the public notice, `already_decided` the second time and
    `shares_broken` where the grade has no place left, `visits_missing` where nobody gets it without a visit,
    `grade_capped` where the mass evaluation keeps the subject from it, Invalid for an unknown grade.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    _require_notice(scheme, cycle)
    require_office(staff, scheme.steps[cycle.position].by)
    objection = _find_objection(session, cycle_id, objection_id)
    if grade is not None:
        _change_grade(session, cycle, scheme, objection, staff, grade, outcome, now)
    objection.outcome, objection.settled_at = outcome, now
    facts = {"objection": objection.id, "outcome": outcome, "grade": grade}
    record(session, "ratings.settle", cycle_target(cycle_id), after=facts)
    return objection


def _find_objection(session: Session, cycle_id: int, objection_id: int) -> RatingObjection:
    objection = session.get(RatingObjection, objection_id, populate_existing=True)
    if objection is None or objection.cycle_id != cycle_id:
        raise NotFound
    if objection.settled_at is not None:
        raise Conflict("already_decided", number=objection.id)
    return objection


def _change_grade(
    session: Session,
    cycle: RatingCycle,
    scheme: Scheme,
    objection: RatingObjection,
    staff: Identity,
    grade: str,
    outcome: str,
    now: datetime,
) -> None:
    if grade not in scheme.grades:
        raise Invalid(errors={"grade": [text("ratings.unknown_grade", known="、".join(scheme.grades))]})
    row = session.get_one(RatingSubject, (cycle.id, objection.subject_id))
    _require_uncapped(session, cycle, scheme, row, grade)
    _require_place(session, cycle, scheme, row, grade)
    if grade != row.grade_final and grade in scheme.steps[scheme.deciding_position].on_site:
        require_visit(session, cycle, row)
    made = list_decisions(session, cycle.id).get(row.subject_id, [])
    add_decision(
        session,
        cycle,
        row,
        staff,
        now,
        code=str(objection.id),
        kind=DecisionKind.OBJECTION,
        grade=grade,
        grade_proposed=row.grade_final,
        reason=outcome,
        replaces=made[-1].number if made else None,
    )
    row.grade_final = grade


def _require_uncapped(
    session: Session, cycle: RatingCycle, scheme: Scheme, row: RatingSubject, grade: str
) -> None:
    """An objection may show that a finding was wrong; what the ballots say stays."""
    found = mass_readings(session, cycle, scheme).get(row.organization_id)
    if found is not None and grade in capped_grades(scheme, found.figures):
        raise Conflict("grade_capped", grade=scheme.title_of(grade))


def _require_place(
    session: Session, cycle: RatingCycle, scheme: Scheme, row: RatingSubject, grade: str
) -> None:
    """An objection gives nobody a place that a share has not: another has to make room first."""
    touched = [one for one in scheme.quotas if one.grade == (grade if one.is_maximum else row.grade_final)]
    if grade == row.grade_final or not touched:
        return
    others = select(RatingSubject.grade_final).where(
        RatingSubject.cycle_id == cycle.id, RatingSubject.subject_id != row.subject_id
    )
    require_shares(scheme, [*session.scalars(others), grade], quotas=touched)
