"""Warnings (预警): look through a cycle, raise what is new, clear what holds no longer, take answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.canonical import canonical_json
from survey_service.core.clock import local_day
from survey_service.core.errors import Conflict, Forbidden, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import OrganizationKind, ids_on_path
from survey_service.ratings.deadlines import StepTime, read_step_times
from survey_service.ratings.grades import SubjectReading, read_inputs, scheme_of_cycle
from survey_service.ratings.grading import Grading, grade_subjects
from survey_service.ratings.history import earlier_results, result_of
from survey_service.ratings.models import RatingCycle, RatingEvidence, RatingSheet, RatingWarning, RatingWatch
from survey_service.ratings.queries import lock_cycle
from survey_service.ratings.rules import Scheme, cycle_target
from survey_service.ratings.vocabulary import Level, WarningKind
from survey_service.ratings.warning_rules import Found, falls, missing_entries, unproven_indicators
from survey_service.staff.models import StaffAccount
from survey_service.staff.rules import Role

Json = dict[str, Any]
PAGE_SIZE = 50


def cycles_to_watch(session: Session, *, now: datetime) -> list[int]:
    """Return the cycles that run and have not been looked through today."""
    today = local_day(now)
    statement = (
        select(RatingCycle)
        .outerjoin(RatingWatch, RatingWatch.cycle_id == RatingCycle.id)
        .where(RatingWatch.looked_on.is_(None) | (RatingWatch.looked_on != today))
        .order_by(RatingCycle.id)
    )
    return [one.id for one in session.scalars(statement)]


def watch_cycle(session: Session, *, cycle_id: int, now: datetime) -> int:
    """Raise what is new in a cycle, clear what holds no longer; returns how many warnings stand."""
    cycle = lock_cycle(session, cycle_id)
    session.merge(RatingWatch(cycle_id=cycle_id, looked_on=local_day(now)))
    found = {one.key: one for one in _look(session, cycle, now)}
    statement = select(RatingWarning).where(
        RatingWarning.cycle_id == cycle_id, RatingWarning.cleared_at.is_(None)
    )
    standing = {one.key: one for one in session.scalars(statement)}
    for key, one in standing.items():
        if key not in found:
            one.cleared_at = now
        else:
            one.facts = canonical_json(found[key].facts)
    session.add_all(_row(cycle_id, one, now) for key, one in found.items() if key not in standing)
    session.flush()
    if found.keys() != standing.keys():
        facts = {
            "raised": len(found.keys() - standing.keys()),
            "cleared": len(standing.keys() - found.keys()),
        }
        record(session, "ratings.warn", cycle_target(cycle_id), after=facts)
    return len(found)


def _row(cycle_id: int, one: Found, now: datetime) -> RatingWarning:
    return RatingWarning(
        cycle_id=cycle_id,
        organization_id=one.organization_id,
        subject_id=one.subject_id,
        level=one.level,
        kind=one.kind,
        key=one.key,
        facts=canonical_json(one.facts),
        raised_at=now,
    )


def _look(session: Session, cycle: RatingCycle, now: datetime) -> Iterator[Found]:
    times = read_step_times(session, cycle)
    if cycle.position >= len(times):
        return
    scheme = scheme_of_cycle(cycle)
    readings = [one for one in read_inputs(session, cycle, scheme) if one.subject.row.exclusion is None]
    offices = _offices(session, cycle, readings)
    due = times[cycle.position]
    if due.is_late(local_day(now)):
        yield from _late(scheme, cycle, due, readings, offices)
    yield from _unproven(session, scheme, cycle, readings, offices)
    yield from _falling(session, scheme, cycle, readings, offices)


@dataclass(frozen=True)
class _Offices:
    """Whose work it is: the rated party itself, the town above it, or the owner of the cycle."""

    owner_id: int
    town_of: Mapping[int, int]

    def of(self, level: Level, organization_id: int) -> int:
        if level is Level.SELF:
            return organization_id
        return self.town_of.get(organization_id, self.owner_id) if level is Level.TOWN else self.owner_id


def _offices(session: Session, cycle: RatingCycle, readings: Sequence[SubjectReading]) -> _Offices:
    towns = set(session.scalars(select(Organization.id).where(Organization.kind == OrganizationKind.TOWN)))
    above = {}
    for one in readings:
        town = next((node for node in ids_on_path(one.subject.path)[:-1] if node in towns), None)
        if town is not None:
            above[one.subject.row.organization_id] = town
    return _Offices(cycle.organization_id, above)


def _late(
    scheme: Scheme, cycle: RatingCycle, due: StepTime, readings: Sequence[SubjectReading], offices: _Offices
) -> Iterator[Found]:
    assert due.due_on is not None
    said = {"step": due.step.title, "due_on": due.due_on.isoformat()}
    by = Level.TOWN if due.step.by is Level.SELF else due.step.by
    yield Found(WarningKind.LATE_STEP, f"late_step:{due.step.code}", cycle.organization_id, by, said)
    if not due.step.is_filled_in:
        return
    for one in readings:
        row = one.subject.row
        if missing := missing_entries(scheme, one.inputs, due.step.by):
            yield Found(
                WarningKind.LATE_SHEET,
                f"late_sheet:{due.step.code}:{row.subject_id}",
                offices.of(due.step.by, row.organization_id),
                due.step.by,
                said | {"name": one.subject.name, "missing": missing},
                row.subject_id,
            )


def _unproven(
    session: Session,
    scheme: Scheme,
    cycle: RatingCycle,
    readings: Sequence[SubjectReading],
    offices: _Offices,
) -> Iterator[Found]:
    if not any(leaf.wants_evidence for leaf in scheme.leaves(every_field=True)):
        return
    proven = _proven(session, cycle.id)
    for one in readings:
        row = one.subject.row
        for level in one.inputs.sheets:
            known = proven.get((row.subject_id, level), set())
            if titles := unproven_indicators(scheme, one.inputs, level, known):
                yield Found(
                    WarningKind.MISSING_EVIDENCE,
                    f"missing_evidence:{level}:{row.subject_id}",
                    offices.of(level, row.organization_id),
                    level,
                    {"name": one.subject.name, "indicators": "、".join(titles)},
                    row.subject_id,
                )


def _proven(session: Session, cycle_id: int) -> dict[tuple[int, Level], set[str]]:
    """Return the indicators with a file, a link or a note, by subject and level."""
    found: dict[tuple[int, Level], set[str]] = {}
    evidence = select(RatingEvidence.subject_id, RatingEvidence.level, RatingEvidence.indicator)
    for subject_id, level, indicator in session.execute(evidence.where(RatingEvidence.cycle_id == cycle_id)):
        found.setdefault((subject_id, level), set()).add(indicator)
    sheets = select(RatingSheet.subject_id, RatingSheet.level, RatingSheet.entries)
    for subject_id, level, entries in session.execute(sheets.where(RatingSheet.cycle_id == cycle_id)):
        found.setdefault((subject_id, level), set()).update(json.loads(entries).get("notes", {}))
    return found


def _falling(
    session: Session,
    scheme: Scheme,
    cycle: RatingCycle,
    readings: Sequence[SubjectReading],
    offices: _Offices,
) -> Iterator[Found]:
    """The office above is told, and not the rated party: drafts are not for it."""
    earlier = earlier_results(session, cycle)
    if not earlier:
        return
    gradings = grade_subjects(scheme, [one.inputs for one in readings])
    for one in readings:
        row = one.subject.row
        said = _fall(scheme, cycle, gradings[one.subject.organization_code], earlier.get(row.organization_id))
        if said is not None:
            yield Found(
                WarningKind.FALLING_SCORE,
                f"falling_score:{row.subject_id}",
                offices.of(Level.TOWN, row.organization_id),
                Level.TOWN,
                said | {"name": one.subject.name},
                row.subject_id,
            )


def _fall(scheme: Scheme, cycle: RatingCycle, grading: Grading, earlier: Any) -> dict[str, object] | None:
    if earlier is None or grading.proposed is None:
        return None
    now = result_of(scheme, cycle.year, grading.proposed, grading.total.value or Fraction(0))
    return falls(earlier, now)


def list_warnings(
    session: Session, *, staff: Identity, after: int = 0, is_standing: bool = True
) -> list[tuple[RatingWarning, RatingCycle, str]]:
    """Return warnings of the reader's sub-tree with their cycle and the name of whose they are, oldest first.

    A rated party sees those of its own sheets.
    """
    statement = (
        select(RatingWarning, RatingCycle, Organization.name)
        .join(RatingCycle, RatingCycle.id == RatingWarning.cycle_id)
        .join(Organization, Organization.id == RatingWarning.organization_id)
        .where(RatingWarning.id > after, is_within(staff.path))
    )
    if is_standing:
        statement = statement.where(RatingWarning.cleared_at.is_(None))
    if Role(staff.role) is Role.BRANCH_SECRETARY:
        statement = statement.where(RatingWarning.level == Level.SELF)
    found = session.execute(statement.order_by(RatingWarning.id).limit(PAGE_SIZE))
    return [(warning, cycle, name) for warning, cycle, name in found]


_ROLES = {
    Level.SELF: Role.BRANCH_SECRETARY,
    Level.TOWN: Role.TOWN_STAFF,
    Level.COUNTY: Role.COUNTY_ADMIN,
}


def count_unanswered(session: Session, *, staff: Identity) -> int:
    """Return how many standing warnings are somebody's own to answer and have no answer yet."""
    level = next((level for level, role in _ROLES.items() if role == staff.role), None)
    statement = (
        select(func.count())
        .select_from(RatingWarning)
        .join(Organization, Organization.id == RatingWarning.organization_id)
        .where(
            is_within(staff.path),
            RatingWarning.level == level,
            RatingWarning.cleared_at.is_(None),
            RatingWarning.answer.is_(None),
        )
    )
    return session.scalar(statement) or 0


def read_warnings(
    session: Session, *, staff: Identity, after: int = 0, is_standing: bool = True
) -> list[Json]:
    """Return warnings as they are shown, each with its sentence and the people whose it is."""
    found = list_warnings(session, staff=staff, after=after, is_standing=is_standing)
    people = _people(session, {one.organization_id for one, _, _ in found})
    return [
        {
            "id": one.id,
            "cycle_id": cycle.id,
            "cycle": cycle.title,
            "kind": one.kind,
            "organization": name,
            "by": one.level,
            "people": people.get((one.organization_id, _ROLES[one.level]), []),
            "text": text(f"rating_outlook.warning_{one.kind}", **json.loads(one.facts)),
            "raised_at": one.raised_at,
            "cleared_at": one.cleared_at,
            "answer": one.answer,
            "answered_at": one.answered_at,
        }
        for one, cycle, name in found
    ]


def _people(session: Session, organization_ids: set[int]) -> dict[tuple[int, Role], list[str]]:
    """Return the names of those who work at the places, by place and role."""
    statement = select(StaffAccount).where(
        StaffAccount.organization_id.in_(organization_ids), StaffAccount.disabled_at.is_(None)
    )
    found: dict[tuple[int, Role], list[str]] = {}
    for one in session.scalars(statement.order_by(StaffAccount.id)):
        found.setdefault((one.organization_id, one.role), []).append(one.display_name)
    return found


def answer_warning(
    session: Session, *, staff: Identity, warning_id: int, words: str, now: datetime
) -> RatingWarning:
    """Say what is being done about a warning; it stands until the sweep finds it settled.

    Raises NotFound, Forbidden for somebody whose sub-tree it is not in, Conflict `already_decided` for one
    that is cleared.
    """
    warning = session.get(RatingWarning, warning_id)
    if warning is None:
        raise NotFound
    lock_cycle(session, warning.cycle_id)
    session.refresh(warning)
    staff.require(session.get_one(Organization, warning.organization_id).path)
    if Role(staff.role) is Role.BRANCH_SECRETARY and warning.level is not Level.SELF:
        raise Forbidden
    if warning.cleared_at is not None:
        raise Conflict("warning_cleared")
    before = {"answer": warning.answer}
    warning.answer, warning.answered_at, warning.staff_id = words, now, staff.id
    facts = {"warning": warning.id, "kind": warning.kind.value, "answer": words}
    record(session, "ratings.answer", cycle_target(warning.cycle_id), before=before, after=facts)
    return warning
