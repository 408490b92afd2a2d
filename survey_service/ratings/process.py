"""The steps of a cycle: complete and send back. With the deciding step the grades become final."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.audit import record
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.deadlines import due_step_time
from survey_service.ratings.grades import GradedSubject, keep_grades, scheme_of_cycle
from survey_service.ratings.models import (
    RatingCycle,
    RatingDecision,
    RatingMove,
)
from survey_service.ratings.queries import (
    list_decisions,
    list_objections,
    lock_cycle,
)
from survey_service.ratings.returns import reopen_sheets, require_answered
from survey_service.ratings.rules import Quota, Scheme, Step, cycle_target
from survey_service.ratings.service import require_office
from survey_service.ratings.visits import require_visits
from survey_service.ratings.vocabulary import MassRole, MoveKind, StepKind


def complete_step(
    session: Session, *, staff: Identity, cycle_id: int, step: str, remark: str = "", now: datetime
) -> RatingCycle:
    """Complete the step that is due. With the deciding step the grades become final.

    Raises NotFound, Forbidden for an office that does not complete the step, Conflict: `wrong_step` for
    another step, `mass_not_sealed`, `ratings_incomplete`, `open_returns`, `visits_missing`, `undecided`,
    `shares_broken`, `notice_running`, `open_objections`.
    """
    cycle = lock_cycle(session, cycle_id)
    scheme = scheme_of_cycle(cycle)
    due = require_due(scheme, cycle, step)
    require_office(staff, due.by)
    if due.decides:
        _make_final(session, cycle, scheme, now)
    if due.kind is StepKind.PUBLIC_NOTICE:
        _require_notice_over(session, cycle, now)
        _require_settled(session, cycle_id)
    _move(session, cycle, MoveKind.COMPLETED, step, remark, staff, now)
    cycle.position += 1
    return cycle


def require_due(scheme: Scheme, cycle: RatingCycle, step: str) -> Step:
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
    require_answered(session, cycle.id)
    require_visits(session, cycle, scheme, worked_out)
    _require_decided(worked_out, decisions)
    for one in worked_out:
        decision = decisions.get(one.subject.row.subject_id)
        one.subject.row.grade_final = decision.grade if decision else one.grading.proposed
    require_shares(scheme, [one.subject.row.grade_final for one in worked_out], quotas=scheme.quotas)
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


def require_shares(scheme: Scheme, grades: Iterable[str | None], *, quotas: Iterable[Quota]) -> None:
    """Decisions of people keep the shares as the proposals do; whoever is excluded has no grade."""
    given = Counter(grade for grade in grades if grade is not None)
    base, titles = given.total(), {band.grade: band.title for band in scheme.bands}
    errors = {}
    for quota in quotas:
        count, limit = given[quota.grade], quota.limit(base)
        if count > limit if quota.is_maximum else count < limit:
            reason = "share_over" if quota.is_maximum else "share_under"
            values = {"grade": titles[quota.grade], "count": count, "limit": limit, "base": base}
            errors[quota.grade] = [text(f"ratings.{reason}", **values)]
    if errors:
        words = "".join(sentence for sentences in errors.values() for sentence in sentences)
        raise Conflict("shares_broken", errors=errors, words=words)


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
    reopen_sheets(session, cycle_id=cycle_id, scheme=scheme, position=cycle.position)
    return cycle


def _require_notice_over(session: Session, cycle: RatingCycle, now: datetime) -> None:
    """Objections come in until the end of the last day: nobody cuts that short."""
    due_on = due_step_time(session, cycle).due_on
    if due_on is not None and local_day(now) <= due_on:
        raise Conflict("notice_running", due_on=due_on.isoformat())


def _require_settled(session: Session, cycle_id: int) -> None:
    waiting = [one.id for one in list_objections(session, cycle_id) if one.settled_at is None]
    if waiting:
        raise Conflict("open_objections", count=len(waiting))
