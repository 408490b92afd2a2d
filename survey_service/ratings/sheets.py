"""The sheets of the levels: who may write when, and what a scheme takes."""

import json
from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.canonical import canonical_json
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.models import RatingCycle, RatingReturn, RatingSheet
from survey_service.ratings.queries import SubjectRow, find_subject, lock_cycle
from survey_service.ratings.rules import Indicator, Scheme, cycle_target
from survey_service.ratings.service import plain_value, require_office, touch
from survey_service.ratings.totals import show
from survey_service.ratings.vocabulary import Level, Source

Entries = Mapping[str, Mapping[str, Any]]
"""`points`, `choices`, `checks` and `notes`, each by indicator; None takes an entry away."""


@dataclass(frozen=True)
class OpenSheet:
    """A sheet that its level may write to now; `sheet` is None before the first entry."""

    cycle: RatingCycle
    scheme: Scheme
    subject: SubjectRow
    level: Level
    sheet: RatingSheet | None


class ScoredByOthers(Invalid):
    """Entries for indicators that other levels score; `errors` names each with who does."""

    code = "scored_by_others"


def open_sheet(
    session: Session, *, staff: Identity, cycle_id: int, organization_code: str, level: Level
) -> OpenSheet:
    """Return a sheet to write to, and hold its cycle.

    Raises NotFound, Forbidden for somebody who cannot speak for the level, Conflict `wrong_step` when its
    step is over and it was not handed back, `sheet_submitted` once it is handed in.
    """
    cycle = lock_cycle(session, cycle_id)
    subject = find_subject(session, cycle_id, organization_code)
    scheme = scheme_of_cycle(cycle)
    _require_author(staff, subject, level)
    _require_time(session, cycle, scheme, subject, level)
    sheet = session.get(RatingSheet, (cycle_id, subject.row.subject_id, level))
    if sheet is not None and sheet.submitted_at is not None:
        raise Conflict("sheet_submitted")
    return OpenSheet(cycle, scheme, subject, level, sheet)


def _require_author(staff: Identity, subject: SubjectRow, level: Level) -> None:
    """Let the rated party fill in its own sheet only, and an office only those of organizations below it."""
    require_office(staff, level)
    is_own = level is Level.SELF and staff.covers(subject.path)
    if not is_own and not staff.is_above(subject.path):
        raise Forbidden


def _require_time(
    session: Session, cycle: RatingCycle, scheme: Scheme, subject: SubjectRow, level: Level
) -> None:
    is_over = cycle.position > scheme.last_position(level)
    is_back = is_over and open_return(session, cycle.id, subject.row.subject_id, level) is not None
    if cycle.decided_at is not None or (is_over and not is_back):
        raise Conflict("wrong_step", step=_step_title(scheme, cycle.position))


def open_return(session: Session, cycle_id: int, subject_id: int, level: Level) -> RatingReturn | None:
    """Return how a sheet was handed back, until it comes again."""
    statement = select(RatingReturn).where(
        RatingReturn.cycle_id == cycle_id,
        RatingReturn.subject_id == subject_id,
        RatingReturn.level == level,
        RatingReturn.answered_at.is_(None),
    )
    return session.scalars(statement).one_or_none()


def read_entries(sheet: RatingSheet | None) -> dict[str, Any]:
    """Return what was filled in, by part and indicator."""
    return json.loads(sheet.entries) if sheet is not None else {}


def fill_in_sheet(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    level: Level,
    entries: Entries,
    now: datetime,
) -> RatingSheet:
    """Write entries of one level's sheet; those that are not named stay.

    Raises as `open_sheet`, Invalid for what the scheme does not know or allow, ScoredByOthers for values that
    are not this level's to give; its notes are welcome everywhere.
    """
    opened = open_sheet(
        session, staff=staff, cycle_id=cycle_id, organization_code=organization_code, level=level
    )
    row = opened.subject.row
    _check_entries(opened.scheme, row.field_code, entries)
    _check_scorer(opened.scheme, level, entries)
    sheet = opened.sheet or RatingSheet(cycle_id=cycle_id, subject_id=row.subject_id, level=level)
    before = read_entries(opened.sheet)
    after = _merge(before, entries)
    sheet.entries, sheet.staff_id, sheet.changed_at = canonical_json(after), staff.id, now
    session.add(sheet)
    facts: dict[str, object] = {"organization_code": organization_code, "by": level.value}
    record(session, "ratings.score", cycle_target(cycle_id), before=facts | before, after=facts | after)
    touch(session, opened.cycle)
    return sheet


def _step_title(scheme: Scheme, position: int) -> str:
    is_over = position >= len(scheme.steps)
    return text("ratings.all_steps_done") if is_over else scheme.steps[position].title


def _merge(before: Mapping[str, Any], entries: Entries) -> dict[str, dict[str, Any]]:
    after: dict[str, dict[str, Any]] = {}
    for part in ("points", "choices", "checks", "notes"):
        given = {key: plain_value(one) for key, one in entries.get(part, {}).items()}
        merged = {**before.get(part, {}), **given}
        after[part] = {key: value for key, value in merged.items() if value is not None}
    return {part: values for part, values in after.items() if values}


PART_OF = {
    Source.POINTS: "points",
    Source.MASS: "points",
    Source.CHOICE: "choices",
    Source.CHECKLIST: "checks",
}
"""Where an entry of an indicator stands in a sheet."""


def _check_entries(scheme: Scheme, field_code: str | None, entries: Entries) -> None:
    """Raise Invalid naming every entry that is wrong."""
    leaves = {leaf.code: leaf for leaf in scheme.leaves(field_code)}
    errors: dict[str, list[str]] = {}
    for part, given in entries.items():
        for code, value in given.items():
            if (sentence := _fault(leaves.get(code), part, value)) is not None:
                errors[f"{part}.{code}"] = [sentence]
    if errors:
        raise Invalid(errors=errors)


def _check_scorer(scheme: Scheme, level: Level, entries: Entries) -> None:
    others = {leaf.code: leaf for leaf in scheme.leaves(every_field=True) if not leaf.is_scored_by(level)}
    errors = {
        f"{part}.{code}": [text("ratings.scored_by", levels=level_words(others[code].scored_by))]
        for part, given in entries.items()
        for code, value in given.items()
        if part != "notes" and value is not None and code in others
    }
    if errors:
        raise ScoredByOthers(errors=errors)


def level_words(levels: Container[Level]) -> str:
    """Return the names of levels, from the rated party up."""
    return "、".join(text(f"ratings.scorer_{level}") for level in Level if level in levels)


def _fault(leaf: Indicator | None, part: str, value: Any) -> str | None:
    if leaf is None:
        return text("ratings.unknown_indicator")
    if part == "notes":
        return None
    if PART_OF[leaf.source] != part:
        return text("ratings.wrong_part", part=PART_OF[leaf.source])
    if value is None:
        return None
    if part == "points" and not 0 <= value <= (leaf.points or 0):
        return text("ratings.over_maximum", maximum=show(leaf.points))
    known = leaf.options if part == "choices" else leaf.checks
    named = value if isinstance(value, list) else [value]
    if part != "points" and any(one not in known for one in named):
        return text("ratings.unknown_option", known="、".join(known))
    return None
