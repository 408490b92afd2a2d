"""The steps of a cycle: complete, send back, decide, object, downgrade. Each act leaves its trace."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import GradedSubject, keep_grades, scheme_of_cycle
from survey_service.ratings.models import (
    RatingCycle,
    RatingDecision,
    RatingMove,
    RatingObjection,
    RatingSubject,
)
from survey_service.ratings.queries import (
    find_subject,
    list_decisions,
    list_objections,
    lock_cycle,
)
from survey_service.ratings.rules import (
    DecisionKind,
    MassRole,
    MoveKind,
    Scheme,
    Step,
    StepKind,
    cycle_target,
)
from survey_service.ratings.service import require_office


def complete_step(
    session: Session, *, staff: Identity, cycle_id: int, step: str, remark: str = "", now: datetime
) -> RatingCycle:
    """Complete the step that is due. With the deciding step the grades become final.

    Raises NotFound, Forbidden for an office that does not complete the step, Conflict: `wrong_step` for
    another step, `mass_not_sealed`, `ratings_incomplete`, `undecided`, `open_objections`.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    due = _require_due(scheme, cycle, step)
    require_office(staff, due.by)
    if due.decides:
        _make_final(session, cycle, scheme, now)
    if due.kind is StepKind.PUBLIC_NOTICE:
        _require_settled(session, cycle_id)
    _move(session, cycle, MoveKind.COMPLETED, step, remark, staff, now)
    cycle.position += 1
    return cycle


def _require_due(scheme: Scheme, cycle: RatingCycle, step: str) -> Step:
    if cycle.position >= len(scheme.steps):
        raise Conflict("wrong_step", step=text("ratings.all_steps_done"))
    due = scheme.steps[cycle.position]
    if due.code != step:
        raise Conflict("wrong_step", step=f"{due.title}（{due.code}）")
    return due


def _move(
    session: Session,
    cycle: RatingCycle,
    kind: MoveKind,
    step: str,
    remark: str,
    staff: Identity,
    now: datetime,
) -> None:
    session.add(RatingMove(cycle_id=cycle.id, kind=kind, step=step, remark=remark, staff_id=staff.id, at=now))
    facts = {"step": step, "kind": kind.value, "remark": remark}
    record(session, "ratings.move", cycle_target(cycle.id), after=facts)


def _make_final(session: Session, cycle: RatingCycle, scheme: Scheme, now: datetime) -> None:
    """Work out everything once more, and take over the proposals and the decisions about them."""
    _require_sealed(session, cycle, scheme)
    worked_out = keep_grades(session, cycle)
    decisions = {subject_id: made[-1] for subject_id, made in list_decisions(session, cycle.id).items()}
    _require_complete(worked_out)
    _require_decided(worked_out, decisions)
    for one in worked_out:
        decision = decisions.get(one.subject.row.subject_id)
        one.subject.row.grade_final = decision.grade if decision else one.grading.proposed
    cycle.decided_at = now


def _require_sealed(session: Session, cycle: RatingCycle, scheme: Scheme) -> None:
    counts = scheme.mass.role in {MassRole.COMPONENT, MassRole.INDICATOR}
    campaign = get_campaign(session, cycle.campaign_id) if cycle.campaign_id is not None else None
    if counts and campaign is not None and campaign.sealed_at is None:
        raise Conflict("mass_not_sealed")


def _require_complete(worked_out: list[GradedSubject]) -> None:
    missing = {
        one.subject.organization_code: [one.subject.name]
        for one in worked_out
        if one.grading.proposed is None and not one.grading.is_excluded
    }
    if missing:
        raise Conflict("ratings_incomplete", errors=missing, count=len(missing))


def _require_decided(worked_out: list[GradedSubject], decisions: Mapping[int, RatingDecision]) -> None:
    """Where the order of merit cannot tell subjects apart, and where a decision rests on an old proposal."""
    open_ones = {
        one.subject.organization_code: [one.subject.name]
        for one in worked_out
        if one.grading.is_tied and one.subject.row.subject_id not in decisions
    }
    if open_ones:
        raise Conflict("undecided", errors=open_ones, count=len(open_ones))
    outdated = {
        one.subject.organization_code: [one.subject.name]
        for one in worked_out
        if (made := decisions.get(one.subject.row.subject_id)) is not None
        and (one.grading.is_excluded or made.grade_proposed != one.grading.proposed)
    }
    if outdated:
        raise Conflict("decision_outdated", errors=outdated)


def send_back(
    session: Session, *, staff: Identity, cycle_id: int, to: str, remark: str, now: datetime
) -> RatingCycle:
    """Go back to an earlier step with a remark; what was done stays in the history.

    Raises Conflict `wrong_step` once the grades are final, Invalid for a step that does not lie behind.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    if cycle.decided_at is not None:
        raise Conflict("wrong_step", step=text("ratings.grades_are_final"))
    require_office(staff, scheme.steps[cycle.position].by)
    earlier = [one.code for one in scheme.steps[: cycle.position]]
    if to not in earlier:
        raise Invalid(errors={"to": [text("ratings.no_earlier_step", known="、".join(earlier))]})
    _move(session, cycle, MoveKind.SENT_BACK, scheme.steps[cycle.position].code, remark, staff, now)
    cycle.position = earlier.index(to)
    return cycle


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
    _require_due(scheme, cycle, scheme.steps[scheme.deciding_position].code)
    require_office(staff, scheme.steps[scheme.deciding_position].by)
    subject = find_subject(session, cycle_id, organization_code)
    [found] = [
        one for one in keep_grades(session, cycle) if one.subject.row.subject_id == subject.row.subject_id
    ]
    _check_decision(scheme, found, grade, reason)
    return _add_decision(
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
        raise Invalid(errors={"grade": [text("ratings.grade_is_blocked", grade=grade)]})
    if (grade != found.grading.proposed or found.grading.is_tied) and not reason:
        raise Invalid(errors={"reason": [text("ratings.reason_needed")]})


def _add_decision(
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
        errors["grade"] = [text("ratings.not_lower", current=current)]
    if trigger not in scheme.downgrade_triggers:
        errors["trigger"] = [text("ratings.unknown_trigger", known="、".join(scheme.downgrade_triggers))]
    if errors:
        raise Invalid(errors=errors)
    decision = _add_decision(
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

    Raises Conflict `wrong_step` before and after the public notice.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    _require_notice(scheme, cycle)
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
    is_over = cycle.position >= len(scheme.steps)
    if is_over or scheme.steps[cycle.position].kind is not StepKind.PUBLIC_NOTICE:
        raise Conflict("wrong_step", step=text("ratings.only_during_notice"))


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

    Raises NotFound, Conflict `wrong_step` outside the public notice and `already_decided` the second time,
    Invalid for an unknown grade.
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
    made = list_decisions(session, cycle.id).get(row.subject_id, [])
    _add_decision(
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


def _require_settled(session: Session, cycle_id: int) -> None:
    waiting = [one.id for one in list_objections(session, cycle_id) if one.settled_at is None]
    if waiting:
        raise Conflict("open_objections", count=len(waiting))
