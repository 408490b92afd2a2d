"""From the inputs of all subjects to their proposed grades: band, restrictions, caps, forced shares."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from survey_service.ratings.quotas import Candidate, Line, draw_line
from survey_service.ratings.rules import HUNDRED, MassFigures, Quota, Scheme, SubjectInputs
from survey_service.ratings.totals import Total, TotalRule, show
from survey_service.ratings.vocabulary import MassRole, RestrictionKind


class ReasonCode(StrEnum):
    """Why a grade is what it is; the sentences are `ratings.reason_<code>`."""

    EXCLUDED = "excluded"
    INCOMPLETE = "incomplete"
    FIELD_UNKNOWN = "field_unknown"
    MASS_MISSING = "mass_missing"
    MASS_NOT_SEALED = "mass_not_sealed"
    BAND = "band"
    ELIGIBILITY = "eligibility"
    NEGATIVE = "negative"
    VETO = "veto"
    CAP = "cap"
    QUOTA_MAXIMUM = "quota_maximum"
    QUOTA_MINIMUM = "quota_minimum"
    TIE_BY_MASS = "tie_by_mass"
    TIE = "tie"


@dataclass(frozen=True)
class Reason:
    """One step on the way to a grade, with the values that its sentence names."""

    code: ReasonCode
    values: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> dict[str, str]:
        """Return the reason as plain JSON."""
        return {"code": self.code.value, **self.values}


_BLOCKED_BY = {
    RestrictionKind.ELIGIBILITY: ReasonCode.ELIGIBILITY,
    RestrictionKind.NEGATIVE: ReasonCode.NEGATIVE,
    RestrictionKind.VETO: ReasonCode.VETO,
}


@dataclass
class Grading:
    """The grade of one subject while it is worked out; a grade is None where there is no total."""

    subject: SubjectInputs
    total: Total
    by_score: str | None = None
    proposed: str | None = None
    blocked: dict[str, Reason] = field(default_factory=dict)
    """The first reason by grade that the subject is kept from."""
    reasons: list[Reason] = field(default_factory=list)
    mass: Fraction | None = None
    """What breaks a tie."""
    is_tied: bool = False
    """People have to decide, because the order of merit does not."""

    @property
    def is_excluded(self) -> bool:
        return self.subject.exclusion is not None

    @property
    def candidate(self) -> Candidate:
        assert self.total.value is not None
        return Candidate(self.subject.code, self.total.value, self.mass)

    def lighten(self) -> None:
        """Let go of sheets and nodes, which the shares do not need: there may be thousands of subjects."""
        self.subject = replace(self.subject, sheets={})
        self.total = replace(self.total, root=None)

    def trace(self) -> dict[str, object]:
        """Return how the proposal came about, as plain JSON values; the total has a trace of its own."""
        return {
            "grade_by_score": self.by_score,
            "blocked": {grade: reason.json() for grade, reason in sorted(self.blocked.items())},
            "reasons": [reason.json() for reason in self.reasons],
            "grade_proposed": self.proposed,
            "needs_decision": self.is_tied,
        }


def grade_subjects(
    scheme: Scheme, subjects: Sequence[SubjectInputs], *, totals: Mapping[str, Total] | None = None
) -> dict[str, Grading]:
    """Return the grading of every subject by code; in which order they come does not matter.

    `totals` are those that are known already.

    Excluded subjects do not count in the base of the shares, and have no grade.
    """
    known, rule = totals or {}, TotalRule(scheme)
    gradings = {
        subject.code: grade_alone(scheme, subject, known.get(subject.code) or rule.total(subject))
        for subject in subjects
    }
    keep_shares(scheme, gradings.values())
    return gradings


def keep_shares(scheme: Scheme, gradings: Iterable[Grading]) -> int:
    """Move those down whom the shares leave no place; returns how many the shares are taken of."""
    base = [grading for grading in gradings if not grading.is_excluded]
    for quota in sorted(scheme.quotas, key=lambda one: scheme.rank(one.grade)):
        if quota.is_maximum:
            _apply_maximum(scheme, quota, base)
    for quota in scheme.quotas:
        if not quota.is_maximum:
            _apply_minimum(quota, base)
    return len(base)


def grade_alone(scheme: Scheme, subject: SubjectInputs, total: Total) -> Grading:
    """Grade a subject as if there were no others."""
    grading = Grading(subject, total, mass=_mass_score(scheme, subject))
    if subject.exclusion is not None:
        grading.reasons = [Reason(ReasonCode.EXCLUDED, {"reason": subject.exclusion})]
        return grading
    grading.reasons = list(_gaps(scheme, grading))
    if grading.total.value is None:
        return grading
    band = scheme.band_of(grading.total.value)
    grading.by_score = grading.proposed = band.grade
    values = {"total": show(grading.total.value) or "", "grade": band.title, "floor": show(band.floor) or ""}
    grading.reasons.append(Reason(ReasonCode.BAND, values))
    grading.blocked = _blocked(scheme, subject)
    _step_down(scheme, grading)
    return grading


def _mass_score(scheme: Scheme, subject: SubjectInputs) -> Fraction | None:
    """Return the mass score of a hundred: the campaign's, or without a campaign the one that is keyed in."""
    if subject.mass is not None:
        return subject.mass.score
    sheets = [subject.sheets[level] for level in scheme.counts if level in subject.sheets]
    keyed = (
        sheet.points[leaf.code] * HUNDRED / (leaf.points or HUNDRED)
        for leaf in scheme.mass_leaves
        for sheet in sheets
        if leaf.code in sheet.points
    )
    return next(keyed, None)


def _gaps(scheme: Scheme, grading: Grading) -> Iterable[Reason]:
    """Say what is missing, and which figure is not final yet."""
    mass = grading.subject.mass
    counts = scheme.mass.role in {MassRole.COMPONENT, MassRole.INDICATOR}
    if mass is not None and mass.score is None and counts:
        yield Reason(ReasonCode.MASS_MISSING, {"status": mass.status})
    elif mass is not None and not mass.is_sealed and counts:
        yield Reason(ReasonCode.MASS_NOT_SEALED)
    if not scheme.has_field(grading.subject.field_code):
        yield Reason(ReasonCode.FIELD_UNKNOWN)
    elif missing := grading.total.missing():
        yield Reason(ReasonCode.INCOMPLETE, {"indicators": "、".join(missing)})


def _blocked(scheme: Scheme, subject: SubjectInputs) -> dict[str, Reason]:
    """Return the grades that a subject is kept from, each with its first reason."""
    blocked: dict[str, Reason] = {}
    for restriction in scheme.restrictions:
        if restriction.code in subject.findings:
            reason = Reason(_BLOCKED_BY[restriction.kind], {"title": restriction.title})
            blocked |= {grade: reason for grade in restriction.grades if grade not in blocked}
    return capped_grades(scheme, subject.mass) | blocked


def capped_grades(scheme: Scheme, mass: MassFigures | None) -> dict[str, Reason]:
    """Return the grades that the mass evaluation keeps a subject from, each with its first reason."""
    capped: dict[str, Reason] = {}
    for cap in scheme.caps:
        figure = None if mass is None else mass.figure(cap.measure)
        if figure is not None and figure < cap.below:
            values = {"measure": cap.measure.value, "figure": show(figure) or "", "at_most": cap.at_most}
            reason = Reason(ReasonCode.CAP, values)
            above = scheme.grades[: scheme.rank(cap.at_most)]
            capped |= {grade: reason for grade in above if grade not in capped}
    return capped


def _step_down(scheme: Scheme, grading: Grading) -> None:
    """Move the proposal down to the first grade that is not blocked; the lowest never is."""
    while grading.proposed in grading.blocked:
        reason = grading.blocked[grading.proposed]
        if reason not in grading.reasons:
            grading.reasons.append(reason)
        grading.proposed = scheme.grades[scheme.rank(grading.proposed) + 1]


def _apply_maximum(scheme: Scheme, quota: Quota, base: Sequence[Grading]) -> None:
    """Keep the best in a grade, and move the others down."""
    limit = quota.limit(len(base))
    holders = {one.subject.code: one for one in base if one.proposed == quota.grade}
    if len(holders) <= limit:
        return
    line = draw_line([one.candidate for one in holders.values()], limit)
    reason = _quota_reason(ReasonCode.QUOTA_MAXIMUM, quota, limit, len(base))
    for code in line.below:
        holders[code].proposed = scheme.grades[scheme.rank(quota.grade) + 1]
        holders[code].reasons.append(reason)
        _step_down(scheme, holders[code])
    _mark_ties(line, holders)


def _apply_minimum(quota: Quota, base: Sequence[Grading]) -> None:
    """Move the last in the order of merit into the lowest grade until there are enough of them."""
    limit = quota.limit(len(base))
    needed = limit - sum(one.proposed == quota.grade for one in base)
    others = {one.subject.code: one for one in base if one.proposed not in (None, quota.grade)}
    if needed <= 0:
        return
    # In a draft some have no total yet: those who have one may be fewer than are needed.
    kept = max(0, len(others) - needed)
    line = draw_line([one.candidate for one in others.values()], kept)
    reason = _quota_reason(ReasonCode.QUOTA_MINIMUM, quota, limit, len(base))
    for code in line.below:
        others[code].proposed = quota.grade
        others[code].reasons.append(reason)
    _mark_ties(line, others)


def _quota_reason(code: ReasonCode, quota: Quota, limit: int, base: int) -> Reason:
    share = _percent(quota.percent)
    return Reason(code, {"grade": quota.grade, "percent": share, "limit": str(limit), "base": str(base)})


def _percent(value: Fraction) -> str:
    return (show(value) or "").rstrip("0").rstrip(".")


def _mark_ties(line: Line, gradings: Mapping[str, Grading]) -> None:
    for code in line.tied:
        gradings[code].is_tied = True
        gradings[code].reasons.append(Reason(ReasonCode.TIE))
    for code in line.by_mass:
        gradings[code].reasons.append(Reason(ReasonCode.TIE_BY_MASS))
