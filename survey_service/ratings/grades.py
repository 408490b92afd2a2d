"""Work out the grades of a cycle from what is stored, keep them, and tell whether they can be reproduced."""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import get_campaign
from survey_service.core.canonical import canonical_json
from survey_service.core.texts import text
from survey_service.ratings.grading import Grading, grade_alone, keep_shares
from survey_service.ratings.models import RatingCycle, RatingGrade
from survey_service.ratings.queries import (
    CHUNK,
    MassReading,
    SubjectRow,
    find_subject,
    get_cycle,
    in_chunks,
    list_decisions,
    list_entries,
    list_grade_values,
    list_grades,
    list_subjects,
    read_mass,
)
from survey_service.ratings.rules import Scheme, Sheet, SubjectInputs
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.totals import TotalRule, show
from survey_service.ratings.vocabulary import Level, MassRole

TRACE_FORMAT = "rating-trace/1"
_FAST = 1


@dataclass(frozen=True)
class GradedSubject:
    """A subject with its proposal as it follows from what is stored now."""

    subject: SubjectRow
    grading: Grading
    mass: MassReading | None
    levels: Sequence[str | None]
    """What the sheet of each level comes to by itself."""
    packed_total: bytes
    common: Mapping[str, object] = field(default_factory=dict)
    """What the traces of all subjects say."""

    @property
    def trace(self) -> str:
        """The whole trace as canonical JSON; `total` is the last of its keys."""
        facts = canonical_json({**self.common, **self._facts(), **self.grading.trace()})
        return f'{facts[:-1]},"total":{zlib.decompress(self.packed_total).decode()}}}'

    def _facts(self) -> dict[str, object]:
        row = self.subject.row
        return {
            "organization_code": self.subject.organization_code,
            "field": row.field_code,
            "levels": dict(zip(Level, self.levels, strict=True)),
            "findings": json.loads(row.findings),
            "exclusion": row.exclusion,
            "mass": None if self.mass is None else self.mass.trace,
        }

    def values(self, cycle_id: int) -> dict[str, object]:
        """Return what is kept of it, by column."""
        grading = self.grading
        return {
            "cycle_id": cycle_id,
            "subject_id": self.subject.row.subject_id,
            "total": show(grading.total.value),
            "grade_by_score": grading.by_score,
            "grade_proposed": grading.proposed,
            "is_tied": grading.is_tied,
            "reasons": canonical_json([reason.json() for reason in grading.reasons]),
            "trace": self.trace,
        }


def scheme_of_cycle(cycle: RatingCycle) -> Scheme:
    """Return the scheme as it was locked when the cycle began."""
    return scheme_of(json.loads(cycle.document))


@dataclass(frozen=True)
class SubjectReading:
    """A subject with everything that its grade follows from, and where its mass score comes from."""

    subject: SubjectRow
    inputs: SubjectInputs
    mass: MassReading | None


def read_inputs(session: Session, cycle: RatingCycle, scheme: Scheme) -> Iterator[SubjectReading]:
    """Yield the subjects of a cycle in its order; what was filled in is read for some of them at a time."""
    subjects = list_subjects(session, cycle.id)
    readings = mass_readings(session, cycle, scheme)
    for chunk in in_chunks(subjects, CHUNK):
        sheets = list_entries(session, cycle.id, [one.row.subject_id for one in chunk])
        for one in chunk:
            mass = readings.get(one.row.organization_id)
            yield SubjectReading(one, _inputs(one, sheets.get(one.row.subject_id, {}), mass), mass)


def work_out(session: Session, cycle: RatingCycle) -> list[GradedSubject]:
    """Work out the grades of all subjects of a cycle, in its order; nothing is stored."""
    scheme = scheme_of_cycle(cycle)
    rule = TotalRule(scheme)
    drafts = [_draft(scheme, rule, one) for one in read_inputs(session, cycle, scheme)]
    common = {
        "format": TRACE_FORMAT,
        "cycle_id": cycle.id,
        "scheme": {"code": scheme.code, "version": scheme.version, "hash": cycle.scheme_digest},
        "mass_role": scheme.mass.role.value,
        "quota_base": keep_shares(scheme, [one.grading for one in drafts]),
    }
    return [replace(one, common=common) for one in drafts]


def _draft(scheme: Scheme, rule: TotalRule, one: SubjectReading) -> GradedSubject:
    """Grade a subject by itself, and pack what its total was made of."""
    total = rule.total(one.inputs)
    grading = grade_alone(scheme, one.inputs, total)
    levels = rule.level_totals(one.inputs, whole=total)
    grading.lighten()
    packed = zlib.compress(total.trace().encode(), _FAST)
    return GradedSubject(one.subject, grading, one.mass, [show(levels[level]) for level in Level], packed)


def mass_readings(session: Session, cycle: RatingCycle, scheme: Scheme) -> dict[int, MassReading]:
    """Return what the campaign of a cycle says by organization; nothing where it has none."""
    if cycle.campaign_id is None or scheme.mass.role is MassRole.NONE:
        return {}
    return read_mass(session, get_campaign(session, cycle.campaign_id))


def _inputs(one: SubjectRow, entries: Mapping[Level, str], reading: MassReading | None) -> SubjectInputs:
    findings = json.loads(one.row.findings)
    return SubjectInputs(
        code=one.organization_code,
        field_code=one.row.field_code,
        sheets={level: read_sheet(json.loads(written)) for level, written in entries.items()},
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
    return {code: _fraction(value) for code, value in given.items()}


@lru_cache(maxsize=10_000)
def _fraction(written: str) -> Fraction:
    """Read a decimal; the same few are written again and again, and reading one takes long."""
    return Fraction(written)


def keep_grades(session: Session, cycle: RatingCycle) -> list[GradedSubject]:
    """Work out the grades of a cycle, and store those that have changed."""
    worked_out = work_out(session, cycle)
    for chunk in in_chunks(worked_out, CHUNK):
        _keep(session, cycle.id, chunk)
    cycle.graded_revision = cycle.revision
    session.flush()
    for held in [one for one in session.identity_map.values() if isinstance(one, RatingGrade)]:
        # It was written past the session, and is read anew from here on.
        session.expire(held)
    return worked_out


def _keep(session: Session, cycle_id: int, chunk: Sequence[GradedSubject]) -> None:
    stored = list_grade_values(session, cycle_id, [one.subject.row.subject_id for one in chunk])
    rows = [(stored.get(one.subject.row.subject_id), one.values(cycle_id)) for one in chunk]
    if new := [row for before, row in rows if before is None]:
        session.execute(insert(RatingGrade), new)
    if changed := [row for before, row in rows if before not in (None, row)]:
        session.execute(update(RatingGrade), changed)


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
    stored = list_grades(session, cycle_id, [row.subject_id]).get(row.subject_id)
    found = next(one for one in work_out(session, cycle) if one.subject.row.subject_id == row.subject_id)
    final = _final_grade(session, cycle, found) if cycle.decided_at else None
    return Explanation(
        stored={} if stored is None else _facts(stored, row.grade_final),
        reproduced=_facts(RatingGrade(**found.values(cycle_id)), final),
        trace=found.trace,
    )


def _final_grade(session: Session, cycle: RatingCycle, found: GradedSubject) -> str | None:
    made = list_decisions(session, cycle.id).get(found.subject.row.subject_id)
    return made[-1].grade if made else found.grading.proposed


def current_grades(
    session: Session, cycle: RatingCycle, subject_ids: Sequence[int]
) -> dict[int, RatingGrade]:
    """Return the stored grades of subjects, or where they are out of date, those of now."""
    if cycle.graded_revision == cycle.revision:
        return list_grades(session, cycle.id, subject_ids)
    wanted = frozenset(subject_ids)
    return {
        one.subject.row.subject_id: RatingGrade(**one.values(cycle.id))
        for one in work_out(session, cycle)
        if one.subject.row.subject_id in wanted
    }


def each_grade(
    session: Session, cycle: RatingCycle, subjects: Sequence[SubjectRow]
) -> Iterator[tuple[SubjectRow, RatingGrade]]:
    """Yield subjects with their grades of now; only a few traces are in memory at a time."""
    if cycle.graded_revision == cycle.revision:
        for chunk in in_chunks(subjects, CHUNK):
            stored = list_grades(session, cycle.id, [one.row.subject_id for one in chunk])
            yield from ((one, stored[one.row.subject_id]) for one in chunk)
        return
    worked_out = {one.subject.row.subject_id: one for one in work_out(session, cycle)}
    for one in subjects:
        yield one, RatingGrade(**worked_out[one.row.subject_id].values(cycle.id))


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
