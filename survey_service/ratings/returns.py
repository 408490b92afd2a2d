"""A sheet is handed in, and handed back with a remark; every remark stays."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey_service.core.audit import record
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.ratings.grades import read_sheet, scheme_of_cycle
from survey_service.ratings.models import RatingReturn, RatingSheet
from survey_service.ratings.queries import find_subject, lock_cycle
from survey_service.ratings.rules import Indicator, Scheme, Sheet, cycle_target
from survey_service.ratings.service import require_office
from survey_service.ratings.sheets import open_return, open_sheet, read_entries
from survey_service.ratings.vocabulary import Level

_RETURNED_BY = {Level.SELF: Level.TOWN, Level.TOWN: Level.COUNTY, Level.COUNTY: Level.COUNTY}


def submit_sheet(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    level: Level,
    now: datetime,
) -> RatingSheet:
    """Hand in a sheet; from then on it is closed until it is handed back.

    Raises as filling it in does, and Invalid naming every indicator that has no entry.
    """
    opened = open_sheet(
        session, staff=staff, cycle_id=cycle_id, organization_code=organization_code, level=level
    )
    sheet = opened.sheet
    entries = read_entries(sheet)
    gaps = _gaps(opened.scheme.asked_of(level, opened.subject.row.field_code), read_sheet(entries))
    if sheet is None or gaps:
        raise Invalid(errors={f"points.{leaf.code}": [text("ratings.entry_missing")] for leaf in gaps})
    sheet.submitted_at = now
    returned = open_return(session, cycle_id, opened.subject.row.subject_id, level)
    if returned is not None:
        returned.answered_at = now
    facts = {"organization_code": organization_code, "by": level.value, "submitted": True}
    record(session, "ratings.submit", cycle_target(cycle_id), after=facts)
    return sheet


def _gaps(asked: Sequence[Indicator], sheet: Sheet) -> list[Indicator]:
    """Return the indicators without an entry."""
    filled = sheet.points.keys() | sheet.choices.keys() | sheet.checks.keys()
    return [leaf for leaf in asked if leaf.code not in filled]


def return_sheet(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    organization_code: str,
    level: Level,
    remark: str,
    now: datetime,
) -> RatingReturn:
    """Hand a sheet back with a remark: it is open again for its level, whatever step is due.

    Raises NotFound, Forbidden for somebody who does not stand above the level, Conflict `wrong_step` once
    the grades are final, `not_submitted` where the sheet is open anyway.
    """
    cycle = lock_cycle(session, cycle_id)
    subject = find_subject(session, cycle_id, organization_code)
    require_office(staff, _RETURNED_BY[level])
    if not staff.is_above(subject.path):
        raise Forbidden
    if cycle.decided_at is not None:
        raise Conflict("wrong_step", step=text("ratings.grades_are_final"))
    sheet = session.get(RatingSheet, (cycle_id, subject.row.subject_id, level))
    is_over = cycle.position > scheme_of_cycle(cycle).last_position(level)
    is_closed = is_over or (sheet is not None and sheet.submitted_at is not None)
    if not is_closed or open_return(session, cycle_id, subject.row.subject_id, level) is not None:
        raise Conflict("not_submitted")
    if sheet is not None:
        sheet.submitted_at = None
    returned = RatingReturn(
        cycle_id=cycle_id,
        subject_id=subject.row.subject_id,
        level=level,
        remark=remark,
        staff_id=staff.id,
        at=now,
    )
    session.add(returned)
    session.flush()
    facts = {"organization_code": organization_code, "by": level.value, "remark": remark}
    record(session, "ratings.return", cycle_target(cycle_id), after=facts)
    return returned


def list_returns(session: Session, cycle_id: int) -> dict[int, list[RatingReturn]]:
    """Return how sheets were handed back, by subject, oldest first."""
    found: dict[int, list[RatingReturn]] = {}
    statement = select(RatingReturn).where(RatingReturn.cycle_id == cycle_id).order_by(RatingReturn.id)
    for returned in session.scalars(statement):
        found.setdefault(returned.subject_id, []).append(returned)
    return found


def require_answered(session: Session, cycle_id: int) -> None:
    """Raise Conflict `open_returns` while a sheet that was handed back has not come again."""
    waiting = [one for made in list_returns(session, cycle_id).values() for one in made]
    count = sum(one.answered_at is None for one in waiting)
    if count:
        raise Conflict("open_returns", count=count)


def reopen_sheets(session: Session, *, cycle_id: int, scheme: Scheme, position: int) -> None:
    """Open the sheets of every level whose step lies at or behind the one that was gone back to."""
    levels = [level for level in Level if scheme.last_position(level) >= position]
    session.execute(
        update(RatingSheet)
        .where(RatingSheet.cycle_id == cycle_id, RatingSheet.level.in_(levels))
        .values(submitted_at=None)
    )
