"""What would follow from another scheme, and how sure the ranking is: read, never stored."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.ratings.documents import digest_of, read_document
from survey_service.ratings.grades import read_inputs, reason_sentence, scheme_of_cycle
from survey_service.ratings.grading import Grading, ReasonCode, grade_subjects
from survey_service.ratings.models import RatingCycle
from survey_service.ratings.queries import SubjectRow
from survey_service.ratings.reading import get_visible_cycle, require_released
from survey_service.ratings.reading import read_document as document_of_cycle
from survey_service.ratings.rules import Scheme, reward_sums
from survey_service.ratings.scheme_changes import Changes, change_document
from survey_service.ratings.scheme_reading import scheme_of
from survey_service.ratings.sensitivity import Neighbours, Placed, neighbours, place_subjects
from survey_service.ratings.service import small_base_warnings
from survey_service.ratings.totals import show
from survey_service.ratings.what_if import Comparison, Outcome, compare

Json = dict[str, Any]


def preview_changes(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    changes: Changes | None = None,
    source: str | None = None,
) -> Json:
    """Return who would move if the cycle's scheme were changed, or were another text; nothing is stored.

    Everybody is graded; named are the subjects of the reader's sub-tree. Raises NotFound, Forbidden,
    Invalid and InvalidScheme as for a scheme that is stored.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    require_released(cycle, staff)
    present = document_of_cycle(session, staff=staff, cycle_id=cycle_id)
    document = read_document(source) if source is not None else change_document(present, changes or Changes())
    scheme = scheme_of_cycle(cycle)
    readings = list(read_inputs(session, cycle, scheme))
    found = compare(scheme, scheme_of(document), [one.inputs for one in readings])
    subjects = {one.subject.organization_code: one.subject for one in readings}
    base = sum(not one.after.is_excluded for one in found.outcomes)
    return {
        "hash": digest_of(document),
        "is_changed": digest_of(document) != cycle.scheme_digest,
        "base": base,
        "grades": _grade_counts(found, present, document),
        "flows": _flows(found),
        "rewards": _reward_sums(found, subjects),
        "warnings": small_base_warnings(found.changed, base),
        "moved": [
            _moved(found, one, subjects[one.before.subject.code], document)
            for one in found.moved
            if staff.covers(subjects[one.before.subject.code].path)
        ],
        "moved_elsewhere": sum(
            not staff.covers(subjects[one.before.subject.code].path) for one in found.moved
        ),
    }


def _grade_counts(found: Comparison, present: Mapping[str, Any], document: Mapping[str, Any]) -> list[Json]:
    before = Counter(one.before.proposed for one in found.outcomes)
    after = Counter(one.after.proposed for one in found.outcomes)
    titles = {band["grade"]: band["title"] for one in (document, present) for band in one["bands"]}
    return [
        {"grade": grade, "title": title, "before": before[grade], "after": after[grade]}
        for grade, title in titles.items()
    ]


def _flows(found: Comparison) -> list[Json]:
    """Return how many go from which grade to which, those who stay among them."""
    counts = Counter((one.before.proposed, one.after.proposed) for one in found.outcomes)
    pairs = sorted(counts.items(), key=lambda pair: (pair[0][0] or "", pair[0][1] or ""))
    return [{"before": before, "after": after, "count": count} for (before, after), count in pairs]


def _reward_sums(found: Comparison, subjects: Mapping[str, SubjectRow]) -> list[Json]:
    """Return what a year's rewards come to by both schemes, as far as both know them."""
    before = reward_sums(found.scheme, [_graded(one.before, subjects) for one in found.outcomes])
    after = reward_sums(found.changed, [_graded(one.after, subjects) for one in found.outcomes])
    return [
        {
            "code": reward.code,
            "title": reward.title,
            "before": show(before[reward.code][1]) if reward.code in before else None,
            "after": show(after[reward.code][1]),
        }
        for reward in found.changed.rewards
    ]


def _graded(grading: Grading, subjects: Mapping[str, SubjectRow]) -> tuple[str | None, str | None]:
    return grading.proposed, subjects[grading.subject.code].row.field_code


def _moved(found: Comparison, one: Outcome, subject: SubjectRow, document: Mapping[str, Any]) -> Json:
    """A trial need not say of everybody anew that the mass score is not sealed yet."""
    return {
        "organization_code": subject.organization_code,
        "name": subject.name,
        "field": subject.row.field_code,
        "total_before": show(one.before.total.value),
        "total_after": show(one.after.total.value),
        "grade_before": one.before.proposed,
        "grade_after": one.after.proposed,
        "step": found.step(one),
        "reasons": [
            reason_sentence(document, reason.json())
            for reason in one.after.reasons
            if reason.code is not ReasonCode.MASS_NOT_SEALED
        ],
    }


def read_sensitivity(session: Session, *, staff: Identity, cycle_id: int) -> Json:
    """Return the ranking of the reader's sub-tree with its intervals, and which neighbours are too close.

    Raises NotFound, Forbidden, and Forbidden `not_released` for a rated party before grades are final.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    require_released(cycle, staff)
    scheme = scheme_of_cycle(cycle)
    names, placed = _ranking(session, cycle, scheme, staff)
    pairs = neighbours(placed)
    return {
        "items": [
            _placed(one, names, pair) for one, pair in zip(placed, [*pairs, None], strict=bool(placed))
        ],
        "pairs": len(pairs),
        "indistinguishable": sum(not pair.is_distinguishable for pair in pairs),
        "parted": sum(pair.is_parted for pair in pairs),
        "has_intervals": any(one.has_interval for one in placed),
    }


def _ranking(
    session: Session, cycle: RatingCycle, scheme: Scheme, staff: Identity
) -> tuple[dict[str, str], Sequence[Placed]]:
    """Grade everybody, and place those of the reader's sub-tree; names by code."""
    readings = list(read_inputs(session, cycle, scheme))
    gradings = grade_subjects(scheme, [one.inputs for one in readings])
    own = [one for one in readings if staff.covers(one.subject.path)]
    names = {one.subject.organization_code: one.subject.name for one in own}
    intervals = {
        one.subject.organization_code: bounds
        for one in own
        if one.mass is not None and (bounds := one.mass.bounds.get(scheme.mass.measure)) is not None
    }
    return names, place_subjects(scheme, [gradings[code] for code in names], intervals)


def _placed(one: Placed, names: Mapping[str, str], pair: Neighbours | None) -> Json:
    return {
        "organization_code": one.code,
        "name": names[one.code],
        "grade": one.grade,
        "total": show(one.total),
        "interval": [show(one.low), show(one.high)] if one.has_interval else None,
        "lines": list(one.lines),
        "next": pair and _next(pair),
    }


def _next(pair: Neighbours) -> Json:
    return {
        "organization_code": pair.below.code,
        "difference": show(pair.difference),
        "is_distinguishable": pair.is_distinguishable,
        "is_parted": pair.is_parted,
    }
