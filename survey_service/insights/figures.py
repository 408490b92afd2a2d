"""The figures of opinions by place, as they may leave: for pages, for the API, and as evidence in ratings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Function, Integer, and_, case, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from survey_service.core.disclosure import Withholding
from survey_service.insights.rules import Counts, OpinionFigures, release_figures
from survey_service.opinions.models import Opinion, OpinionAnswer, OpinionVerdict
from survey_service.opinions.rules import State, Verdict
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import OrganizationKind

_CONTENT = (Verdict.SATISFIED, Verdict.BASICALLY_SATISFIED)
_VILLAGES = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY)


@dataclass(frozen=True)
class Period:
    """The days on which opinions came, both included; `today` decides what is overdue."""

    since: date
    until: date
    today: date


@dataclass(frozen=True)
class PlaceFigures:
    """A place and its figures; `withheld` says why there are none."""

    organization: Organization
    figures: OpinionFigures
    withheld: Withholding | None


@dataclass(frozen=True)
class FiguresTable:
    """The villages of a sub-tree, and all of them together."""

    places: Sequence[PlaceFigures]
    total: OpinionFigures


def read_figures(session: Session, *, path: str, period: Period) -> FiguresTable:
    """Return the released figures of the villages in a sub-tree.

    Reports that are kept from anybody are counted nowhere: else a secretary could tell by a difference that
    there is one.
    """
    villages = session.scalars(
        select(Organization)
        .where(is_within(path), Organization.kind.in_(_VILLAGES))
        .order_by(Organization.id)
    ).all()
    counted = _count(session, path, period)
    released = release_figures(
        {one.id: counted.get(one.id, Counts()) for one in villages},
        {one.id: one.households for one in villages},
    )
    places = [PlaceFigures(one, released.figures[one.id], released.withheld.get(one.id)) for one in villages]
    return FiguresTable(places, released.total)


def _count(session: Session, path: str, period: Period) -> dict[int, Counts]:
    """Count by organization; what was joined goes by the case in which it goes on."""
    lead = aliased(Opinion)
    answered = and_(
        OpinionAnswer.opinion_id == lead.id, OpinionAnswer.round == cast(lead.is_reopened, Integer)
    )
    judged = and_(
        OpinionVerdict.opinion_id == Opinion.id, OpinionVerdict.round == cast(lead.is_reopened, Integer)
    )
    is_answered = OpinionAnswer.answered_on.is_not(None)
    is_late = and_(lead.is_open.is_(True), lead.due_on < period.today)
    counted = {
        "opinions": func.count(),
        "due": _number(or_(is_answered, is_late)),
        "on_time": _number(and_(is_answered, OpinionAnswer.answered_on <= lead.due_on)),
        "closed": _number(lead.state == State.CLOSED),
        "verdicts": _number(OpinionVerdict.verdict.is_not(None)),
        "satisfied": _number(OpinionVerdict.verdict.in_(_CONTENT)),
    }
    inside = select(Organization.id).where(is_within(path))
    statement = (
        select(Opinion.organization_id, *(value.label(name) for name, value in counted.items()))
        .join(lead, lead.id == func.coalesce(Opinion.lead_id, Opinion.id))
        .outerjoin(OpinionAnswer, answered)
        .outerjoin(OpinionVerdict, judged)
        .where(
            Opinion.organization_id.in_(inside),
            Opinion.concealed_id.is_(None),
            Opinion.received_on.between(period.since, period.until),
        )
        .group_by(Opinion.organization_id)
    )
    return {
        row.organization_id: Counts(*(getattr(row, name) or 0 for name in counted))
        for row in session.execute(statement)
    }


def _number(condition: ColumnElement[bool]) -> Function[int]:
    """Return how many rows a condition holds for."""
    return func.sum(case((condition, 1), else_=0))
