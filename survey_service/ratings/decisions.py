"""Decisions about grades: the committee's, and the lowering of a final grade."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import GradedSubject, keep_grades, scheme_of_cycle
from survey_service.ratings.models import (
    RatingCycle,
    RatingDecision,
    RatingSubject,
)
from survey_service.ratings.process import require_due
from survey_service.ratings.queries import (
    find_subject,
    list_decisions,
    lock_cycle,
)
from survey_service.ratings.rules import Scheme, cycle_target
from survey_service.ratings.service import require_office
from survey_service.ratings.vocabulary import DecisionKind


def decide_grade(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    grade: str,
    reason: str = "",
    replaces: int | None = None,
    now: datetime,
) -> RatingDecision:
    """Decide a grade in the deciding step; another than the proposed one needs a reason.

    `replaces` is the number of the decision that is changed, so that nobody overwrites what he has not seen.
    Raises Conflict `wrong_step` and `already_decided`, Invalid for a grade that is unknown or blocked, and
    where the reason is missing.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    require_due(scheme, cycle, scheme.steps[scheme.deciding_position].code)
    require_office(staff, scheme.steps[scheme.deciding_position].by)
    subject = find_subject(session, cycle_id, organization_code)
    [found] = [
        one for one in keep_grades(session, cycle) if one.subject.row.subject_id == subject.row.subject_id
    ]
    _check_decision(scheme, found, grade, reason)
    return add_decision(
        session,
        cycle,
        subject.row,
        staff,
        now,
        code=organization_code,
        kind=DecisionKind.COMMITTEE,
        grade=grade,
        grade_proposed=found.grading.proposed,
        reason=reason,
        replaces=replaces,
    )


def _check_decision(scheme: Scheme, found: GradedSubject, grade: str, reason: str) -> None:
    """A veto, a negative list and a cap bind the committee as well."""
    if grade not in scheme.grades:
        raise Invalid(errors={"grade": [text("ratings.unknown_grade", known="、".join(scheme.grades))]})
    if found.grading.proposed is None:
        raise Conflict("ratings_incomplete", count=1)
    if grade in found.grading.blocked:
        raise Invalid(errors={"grade": [text("ratings.grade_is_blocked", grade=scheme.title_of(grade))]})
    if (grade != found.grading.proposed or found.grading.is_tied) and not reason:
        raise Invalid(errors={"reason": [text("ratings.reason_needed")]})


def add_decision(
    session: Session,
    cycle: RatingCycle,
    row: RatingSubject,
    staff: Identity,
    now: datetime,
    *,
    code: str,
    kind: DecisionKind,
    grade: str,
    grade_proposed: str | None,
    reason: str,
    replaces: int | None = None,
    trigger: str | None = None,
) -> RatingDecision:
    made = list_decisions(session, cycle.id).get(row.subject_id, [])
    newest = made[-1].number if made else None
    if kind is DecisionKind.COMMITTEE and newest != replaces:
        raise Conflict("already_decided", number=newest or 0)
    decision = RatingDecision(
        cycle_id=cycle.id,
        subject_id=row.subject_id,
        number=(newest or 0) + 1,
        kind=kind,
        grade=grade,
        grade_proposed=grade_proposed,
        reason=reason,
        trigger=trigger,
        staff_id=staff.id,
        at=now,
    )
    session.add(decision)
    session.flush()
    facts = {"organization_code": code, "grade": grade, "proposed": grade_proposed, "reason": reason}
    before = {"grade": made[-1].grade} if made else None
    record(
        session,
        "ratings.decide",
        cycle_target(cycle.id),
        before=before,
        after=facts | {"kind": kind.value, "trigger": trigger},
    )
    return decision


def downgrade(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    grade: str,
    trigger: str,
    reason: str,
    now: datetime,
) -> RatingDecision:
    """Lower a final grade for one of the triggers of the scheme, with a reason (摘星降级).

    Raises Conflict `wrong_step` before the grades are final, Invalid for a grade that is not lower and for
    an unknown trigger.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    require_office(staff, scheme.steps[scheme.deciding_position].by)
    subject = find_subject(session, cycle_id, organization_code)
    current = subject.row.grade_final
    if cycle.decided_at is None or current is None:
        raise Conflict("wrong_step", step=text("ratings.grades_are_not_final"))
    errors = {}
    if grade not in scheme.grades or not scheme.is_below(grade, current):
        errors["grade"] = [text("ratings.not_lower", current=scheme.title_of(current))]
    if trigger not in scheme.downgrade_triggers:
        errors["trigger"] = [text("ratings.unknown_trigger", known="、".join(scheme.downgrade_triggers))]
    if errors:
        raise Invalid(errors=errors)
    decision = add_decision(
        session,
        cycle,
        subject.row,
        staff,
        now,
        code=organization_code,
        kind=DecisionKind.DOWNGRADE,
        grade=grade,
        grade_proposed=current,
        reason=reason,
        trigger=trigger,
    )
    subject.row.grade_final = grade
    return decision
