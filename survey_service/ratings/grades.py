"""Work out the grades of a cycle from what is stored, keep them, and tell whether they can be reproduced."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.canonical import canonical_json
from survey_service.core.texts import text
from survey_service.ratings.grading import Grading, grade_subjects
from survey_service.ratings.models import RatingCycle, RatingGrade, RatingSheet
from survey_service.ratings.queries import (
    MassReading,
    SubjectRow,
    find_subject,
    get_cycle,
    list_decisions,
    list_grades,
    list_sheets,
    list_subjects,
    read_mass,
)
from survey_service.ratings.rules import Scheme, Sheet, SubjectInputs
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.totals import level_totals, show
from survey_service.ratings.vocabulary import MassRole

TRACE_FORMAT = "rating-trace/1"


@dataclass(frozen=True)
class GradedSubject:
    """A subject with its proposal as it follows from what is stored now."""

    subject: SubjectRow
    grading: Grading
    trace: str

    def row(self, cycle_id: int) -> RatingGrade:
        """Return what is kept of it."""
        grading = self.grading
        return RatingGrade(
            cycle_id=cycle_id,
            subject_id=self.subject.row.subject_id,
            total=show(grading.total.value),
            grade_by_score=grading.by_score,
            grade_proposed=grading.proposed,
            is_tied=grading.is_tied,
            reasons=canonical_json([reason.json() for reason in grading.reasons]),
            trace=self.trace,
        )


def scheme_of_cycle(cycle: RatingCycle) -> Scheme:
    """Return the scheme as it was locked when the cycle began."""
    return scheme_of(json.loads(cycle.document))


def work_out(session: Session, cycle: RatingCycle) -> list[GradedSubject]:
    """Work out the grades of all subjects of a cycle, in its order; nothing is stored."""
    scheme = scheme_of_cycle(cycle)
    subjects = list_subjects(session, cycle.id)
    readings = _readings(session, cycle, scheme)
    sheets = list_sheets(session, cycle.id)
    inputs = [
        _inputs(one, sheets.get(one.row.subject_id, ()), readings.get(one.row.organization_id))
        for one in subjects
    ]
    gradings = grade_subjects(scheme, inputs)
    base = sum(not grading.is_excluded for grading in gradings.values())
    return [
        GradedSubject(one, grading, _write_trace(cycle, scheme, one, grading, base, readings))
        for one in subjects
        if (grading := gradings[one.organization_code])
    ]


def _readings(session: Session, cycle: RatingCycle, scheme: Scheme) -> dict[int, MassReading]:
    if cycle.campaign_id is None or scheme.mass.role is MassRole.NONE:
        return {}
    return read_mass(session, get_campaign(session, cycle.campaign_id))


def _inputs(one: SubjectRow, sheets: Sequence[RatingSheet], reading: MassReading | None) -> SubjectInputs:
    findings = json.loads(one.row.findings)
    return SubjectInputs(
        code=one.organization_code,
        field_code=one.row.field_code,
        sheets={sheet.level: read_sheet(json.loads(sheet.entries)) for sheet in sheets},
        findings=frozenset(findings.get("findings", {})),
        bonus=_fractions(findings.get("bonus", {})),
        penalty=_fractions(findings.get("penalty", {})),
        exclusion=one.row.exclusion,
        mass=None if reading is None else reading.figures,
    )


def read_sheet(entries: Mapping[str, Any]) -> Sheet:
    """Return what was filled in as the rules take it."""
    return Sheet(
        points=_fractions(entries.get("points", {})),
        choices=entries.get("choices", {}),
        checks={code: frozenset(passed) for code, passed in entries.get("checks", {}).items()},
    )


def _fractions(given: Mapping[str, str]) -> dict[str, Fraction]:
    return {code: Fraction(value) for code, value in given.items()}


def _write_trace(
    cycle: RatingCycle,
    scheme: Scheme,
    one: SubjectRow,
    grading: Grading,
    base: int,
    readings: Mapping[int, MassReading],
) -> str:
    reading = readings.get(one.row.organization_id)
    levels = level_totals(scheme, grading.subject)
    return canonical_json(
        {
            "format": TRACE_FORMAT,
            "cycle_id": cycle.id,
            "organization_code": one.organization_code,
            "scheme": {"code": scheme.code, "version": scheme.version, "hash": cycle.scheme_digest},
            "field": one.row.field_code,
            "quota_base": base,
            "levels": {level.value: show(total) for level, total in levels.items()},
            "findings": json.loads(one.row.findings),
            "exclusion": one.row.exclusion,
            "mass_role": scheme.mass.role.value,
            "mass": None if reading is None else reading.trace,
            **grading.trace(),
        }
    )


def keep_grades(session: Session, cycle: RatingCycle) -> list[GradedSubject]:
    """Work out the grades of a cycle and store them."""
    worked_out = work_out(session, cycle)
    for one in worked_out:
        session.merge(one.row(cycle.id))
    cycle.graded_revision = cycle.revision
    session.flush()
    return worked_out


@dataclass(frozen=True)
class Explanation:
    """A grade as it is stored and as it is worked out anew; `stored` is empty before the first time."""

    stored: Mapping[str, Any]
    reproduced: Mapping[str, Any]
    trace: str
    """The trace as it is worked out anew: canonical JSON."""

    def differences(self) -> list[str]:
        """Name what is not as it is stored."""
        return [
            f"{name}: stored {self.stored.get(name)}, worked out {self.reproduced.get(name)}"
            for name in sorted(self.stored.keys() | self.reproduced.keys())
            if self.stored.get(name) != self.reproduced.get(name)
        ]


_SHOWN = ("total", "grade_by_score", "grade_proposed", "is_tied", "reasons")


def _facts(grade: RatingGrade, final: str | None) -> dict[str, Any]:
    """Return everything that is shown of a grade, from its row and its trace."""
    trace = {f"trace.{name}": value for name, value in json.loads(grade.trace).items()}
    return {name: getattr(grade, name) for name in _SHOWN} | trace | {"grade_final": final}


def explain(session: Session, *, cycle_id: int, organization_code: str) -> Explanation:
    """Work out one grade again from its inputs, and lay it beside what is stored; raises NotFound."""
    cycle = get_cycle(session, cycle_id)
    row = find_subject(session, cycle_id, organization_code).row
    stored = list_grades(session, cycle_id).get(row.subject_id)
    found = next(one for one in work_out(session, cycle) if one.subject.row.subject_id == row.subject_id)
    final = _final_grade(session, cycle, found) if cycle.decided_at else None
    return Explanation(
        stored={} if stored is None else _facts(stored, row.grade_final),
        reproduced=_facts(found.row(cycle_id), final),
        trace=found.trace,
    )


def _final_grade(session: Session, cycle: RatingCycle, found: GradedSubject) -> str | None:
    made = list_decisions(session, cycle.id).get(found.subject.row.subject_id)
    return made[-1].grade if made else found.grading.proposed


def current_grades(session: Session, cycle: RatingCycle) -> dict[int, RatingGrade]:
    """Return the stored grades by subject, or where they are out of date, those of now."""
    if cycle.graded_revision == cycle.revision:
        return list_grades(session, cycle.id)
    return {one.subject.row.subject_id: one.row(cycle.id) for one in work_out(session, cycle)}


def reason_sentence(scheme_document: Mapping[str, Any], reason: Mapping[str, str]) -> str:
    """Return a stored reason as a sentence for people."""
    titles = {band["grade"]: band["title"] for band in scheme_document["bands"]}
    named = {
        name: titles.get(value, value) if name in {"grade", "at_most"} else value
        for name, value in reason.items()
        if name != "code"
    }
    for name in ("measure", "status"):
        if name in named:
            named[name] = text(f"ratings.{name}_{named[name]}")
    return text(f"ratings.reason_{reason['code']}", **named)
