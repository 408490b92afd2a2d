"""What the API and the pages show of cycles, narrowed to the reader's sub-tree and role."""

import json
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.anomalies.queries import held_subjects
from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.queries import get_campaign
from survey_service.core.errors import Forbidden
from survey_service.core.permissions import Identity
from survey_service.mass_evaluation.queries import get_score
from survey_service.ratings.deadlines import read_step_times
from survey_service.ratings.grades import (
    current_grades,
    each_grade,
    read_sheet,
    reason_sentence,
    scheme_of_cycle,
)
from survey_service.ratings.models import RatingCycle, RatingGrade, RatingSheet
from survey_service.ratings.places import path_of_cycle
from survey_service.ratings.queries import (
    SubjectRow,
    concerns,
    count_final_grades,
    find_subject,
    get_cycle,
    list_decisions,
    list_moves,
    list_objections,
    list_subjects,
    sheets_of,
)
from survey_service.ratings.rules import Indicator, MassFigures, Scheme, SubjectInputs, phase_of, reward_sums
from survey_service.ratings.totals import TotalRule, show
from survey_service.ratings.vocabulary import Level
from survey_service.sealing.queries import get_sealed_score
from survey_service.staff.rules import Role

Json = dict[str, Any]


def get_visible_cycle(session: Session, cycle_id: int, staff: Identity) -> RatingCycle:
    """Return a cycle that concerns the reader's sub-tree; raises NotFound or Forbidden."""
    cycle = get_cycle(session, cycle_id)
    is_owner = staff.covers(path_of_cycle(session, cycle_id=cycle_id))
    if not is_owner and not concerns(session, cycle_id, path=staff.path):
        raise Forbidden
    return cycle


def require_released(cycle: RatingCycle, staff: Identity) -> None:
    """Raise Forbidden `not_released` for a rated party and for an auditor before grades are final."""
    if Role(staff.role) in {Role.BRANCH_SECRETARY, Role.AUDITOR} and cycle.decided_at is None:
        raise Forbidden("not_released")


def cycle_row(cycle: RatingCycle) -> Json:
    """Return a cycle as a row of a list."""
    document = json.loads(cycle.document)
    steps = document["steps"]
    return {
        "id": cycle.id,
        "title": cycle.title,
        "year": cycle.year,
        "scheme": cycle.scheme_code,
        "scheme_title": document["title"],
        "version": cycle.scheme_version,
        "hash": cycle.scheme_digest,
        "campaign_id": cycle.campaign_id,
        "step": steps[cycle.position]["code"] if cycle.position < len(steps) else None,
        "is_final": cycle.decided_at is not None,
    }


def read_document(session: Session, *, staff: Identity, cycle_id: int) -> Json:
    """Return the scheme of a cycle as it was locked; raises NotFound or Forbidden."""
    return dict(json.loads(get_visible_cycle(session, cycle_id, staff).document))


def read_cycle(session: Session, *, staff: Identity, cycle_id: int) -> Json:
    """Return a cycle with its steps and their history; raises NotFound or Forbidden."""
    cycle = get_visible_cycle(session, cycle_id, staff)
    scheme = scheme_of_cycle(cycle)
    is_office = Role(staff.role) is not Role.BRANCH_SECRETARY
    return cycle_row(cycle) | {
        "steps": [
            {
                "code": one.step.code,
                "title": one.step.title,
                "kind": one.step.kind,
                "by": one.step.by,
                "actor": one.step.actor,
                "decides": one.step.decides,
                "is_done": one.is_done,
                "begun_on": one.begun_on,
                "due_on": one.due_on,
            }
            for one in read_step_times(session, cycle)
        ],
        "moves": list_moves(session, cycle_id) if is_office else [],
        "objections": list_objections(session, cycle_id) if is_office else [],
        "assumptions": json.loads(cycle.document)["assumptions"],
        "phase": phase_of(scheme, cycle.year),
        "rewards": _rewards(session, scheme, cycle_id, staff),
    }


def due_step(cycle: Mapping[str, Any]) -> Json | None:
    """Return the step of a cycle, as `read_cycle` gives it, that is to be completed next, if one is left."""
    return next((step for step in cycle["steps"] if not step["is_done"]), None)


def _rewards(session: Session, scheme: Scheme, cycle_id: int, staff: Identity) -> list[Json]:
    if not scheme.rewards:
        return []
    sums = reward_sums(scheme, count_final_grades(session, cycle_id, within_path=staff.path))
    return [
        {
            "code": reward.code,
            "title": reward.title,
            "unit": reward.unit,
            "count": sums[reward.code][0],
            "sum": show(sums[reward.code][1]),
        }
        for reward in scheme.rewards
    ]


def read_grades(session: Session, *, staff: Identity, cycle_id: int) -> Json:
    """Return the grades inside the reader's sub-tree, in the order of the cycle.

    Raises NotFound, Forbidden, and Forbidden `not_released` as `require_released`.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    require_released(cycle, staff)
    document = json.loads(cycle.document)
    subjects = list_subjects(session, cycle_id, within_path=staff.path)
    rows = [grade_row(document, one, grade) for one, grade in each_grade(session, cycle, subjects)]
    return table_head(cycle) | {"items": rows}


def table_head(cycle: RatingCycle) -> Json:
    """Return what a table of grades says of all its rows."""
    return {
        "scheme": cycle.scheme_code,
        "hash": cycle.scheme_digest,
        "is_final": cycle.decided_at is not None,
    }


def grade_row(document: Mapping[str, Any], one: SubjectRow, grade: RatingGrade) -> Json:
    """Return a grade as a row of the table."""
    trace = json.loads(grade.trace)
    return {
        "organization_code": one.organization_code,
        "name": one.name,
        "field": one.row.field_code,
        "total": grade.total,
        "grade_by_score": grade.grade_by_score,
        "grade_proposed": grade.grade_proposed,
        "grade_final": one.row.grade_final,
        "excluded": one.row.exclusion,
        "needs_decision": grade.is_tied,
        "levels": trace["levels"],
        "blocked": sorted(trace["blocked"]),
        "mass_score": (trace["mass"] or {}).get("score"),
        "mass": _mass_words(trace["mass"]),
        "reasons": [reason_sentence(document, reason) for reason in json.loads(grade.reasons)],
    }


def _mass_words(mass: Json | None) -> Json | None:
    """Return what the mass evaluation says of a subject, as far as it may be shown."""
    return mass and {name: mass.get(name) for name in ("status", "score", "satisfaction_rate")}


def read_trace(session: Session, *, staff: Identity, cycle_id: int, organization_code: str) -> Json:
    """Return how one grade came about, down to the hash of the formula behind its mass score.

    Items and tallies of the mass evaluation are for offices; raises as `read_grades`.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    require_released(cycle, staff)
    subject = find_subject(session, cycle_id, organization_code)
    staff.require(subject.path)
    subject_id = subject.row.subject_id
    grade = current_grades(session, cycle, [subject_id])[subject_id]
    document = json.loads(cycle.document)
    return {
        "grade_final": subject.row.grade_final,
        "decisions": list_decisions(session, cycle_id).get(subject.row.subject_id, []),
        "reasons": [reason_sentence(document, reason) for reason in json.loads(grade.reasons)],
        "proposal": json.loads(grade.trace),
        "mass_evaluation": _derivation(session, cycle, subject, staff),
    }


def _derivation(session: Session, cycle: RatingCycle, subject: SubjectRow, staff: Identity) -> Json | None:
    """Return items and trace of the mass score as they were released or sealed."""
    if cycle.campaign_id is None or Role(staff.role) is Role.BRANCH_SECRETARY:
        return None
    campaign = get_campaign(session, cycle.campaign_id)
    rated = session.scalar(
        select(CampaignSubject.subject_id).where(
            CampaignSubject.campaign_id == cycle.campaign_id,
            CampaignSubject.organization_id == subject.row.organization_id,
        )
    )
    if rated is None or (campaign.sealed_at is None and rated in held_subjects(session, campaign.id)):
        return None
    find = get_sealed_score if campaign.sealed_at else get_score
    stored = find(session, campaign.id, rated)
    return None if stored is None else dict(json.loads(stored.derivation))


def read_subject(session: Session, *, staff: Identity, cycle_id: int, organization_code: str) -> Json:
    """Return what the levels have filled in for one subject, side by side.

    The rated party sees its own sheet; the others when the grade is final.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    subject = find_subject(session, cycle_id, organization_code)
    staff.require(subject.path)
    scheme = scheme_of_cycle(cycle)
    is_narrowed = Role(staff.role) is Role.BRANCH_SECRETARY and cycle.decided_at is None
    sheets = [
        sheet
        for sheet in sheets_of(session, cycle_id, subject.row.subject_id)
        if not is_narrowed or sheet.level is Level.SELF
    ]
    entries = {sheet.level: json.loads(sheet.entries) for sheet in sheets}
    inputs = SubjectInputs(
        code=organization_code,
        field_code=subject.row.field_code,
        sheets={level: read_sheet(one) for level, one in entries.items()},
        mass=_mass_beside(cycle),
    )
    findings = {} if is_narrowed else json.loads(subject.row.findings)
    return {
        "organization_code": organization_code,
        "name": subject.name,
        "submitted": [sheet.level.value for sheet in sheets if sheet.submitted_at is not None],
        "excluded": subject.row.exclusion,
        "field": subject.row.field_code,
        "findings": findings,
        "totals": {
            level.value: show(total) for level, total in TotalRule(scheme).level_totals(inputs).items()
        },
        "entries": [_compared(leaf, entries) for leaf in scheme.leaves(subject.row.field_code)],
    }


def read_findings(subject: SubjectRow, cycle: Mapping[str, Any], staff: Identity) -> dict[str, str]:
    """Return the restrictions found about a subject with their notes; to a rated party in the end."""
    is_narrowed = Role(staff.role) is Role.BRANCH_SECRETARY and not cycle["is_final"]
    return {} if is_narrowed else dict(json.loads(subject.row.findings).get("findings", {}))


def sheet_total(session: Session, cycle_id: int, organization_code: str, level: Level) -> str | None:
    """Return what one level's sheet comes to by itself; None while it is not complete."""
    subject = find_subject(session, cycle_id, organization_code)
    sheet = session.get(RatingSheet, (cycle_id, subject.row.subject_id, level))
    sheets = {} if sheet is None else {level: read_sheet(json.loads(sheet.entries))}
    cycle = get_cycle(session, cycle_id)
    inputs = SubjectInputs(organization_code, subject.row.field_code, sheets, mass=_mass_beside(cycle))
    return show(TotalRule(scheme_of_cycle(cycle)).level_totals(inputs)[level])


def _mass_beside(cycle: RatingCycle) -> MassFigures | None:
    """Count nothing of the mass evaluation in a sheet where a campaign gives it: nobody writes it there."""
    nothing = Fraction(0)
    return None if cycle.campaign_id is None else MassFigures("ok", nothing, nothing)


def _compared(leaf: Indicator, entries: Mapping[Level, Mapping[str, Any]]) -> Json:
    code = leaf.code
    by_level = {level: _entry(entries.get(level, {}), code) for level in Level}
    given = [json.dumps(value, sort_keys=True) for value in by_level.values() if value is not None]
    return {
        "code": code,
        "title": leaf.title,
        "maximum": show(leaf.points),
        "source": leaf.source.value,
        "scored_by": [level for level in Level if leaf.is_scored_by(level)],
        "self_": by_level[Level.SELF],
        "town": by_level[Level.TOWN],
        "county": by_level[Level.COUNTY],
        "differs": len(set(given)) > 1,
        "notes": {
            level.value: note
            for level in Level
            if (note := entries.get(level, {}).get("notes", {}).get(code))
        },
    }


def _entry(entries: Mapping[str, Any], code: str) -> Any:
    parts = (entries.get(part, {}) for part in ("points", "choices", "checks"))
    return next((part[code] for part in parts if code in part), None)
