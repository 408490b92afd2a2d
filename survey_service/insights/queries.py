"""Reads of groups, words and warnings, through the gate of opinions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Row, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.insights.models import (
    THE_ONE,
    InsightRun,
    OpinionLikeness,
    OpinionWarning,
    OpinionWord,
    WarningSight,
)
from survey_service.insights.rules import MIN_AUTHORS
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import visible_to
from survey_service.opinions.rules import OPEN, State
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within

PAGE_SIZE = 50
_ENDED = frozenset({State.JOINED, State.CLOSED})


@dataclass(frozen=True)
class Alike:
    """An opinion of a group, and how similar it is to the group's first."""

    opinion: Opinion
    similarity: float


@dataclass(frozen=True)
class LikeGroup:
    """Opinions that say nearly the same, as far as somebody may see them."""

    first_id: int
    members: Sequence[Alike]

    @property
    def lead(self) -> Opinion | None:
        """The earliest that still goes on: what the others could be joined into."""
        going_on = [one.opinion for one in self.members if one.opinion.state not in _ENDED]
        return min(going_on, key=lambda one: (one.received_on, one.id), default=None)

    @property
    def joinable(self) -> list[Opinion]:
        lead = self.lead
        return [one.opinion for one in self.members if one.opinion.state in OPEN and one.opinion is not lead]


def list_groups(session: Session, *, staff: Identity, after: int = 0) -> list[LikeGroup]:
    """Return a page of the groups in which a staff member sees enough opinions, by their first ids."""
    numbers = (
        select(OpinionLikeness.first_id)
        .join(Opinion, Opinion.id == OpinionLikeness.opinion_id)
        .where(visible_to(staff), OpinionLikeness.first_id > after)
        .group_by(OpinionLikeness.first_id)
        .having(func.count() >= MIN_AUTHORS)
        .order_by(OpinionLikeness.first_id)
        .limit(PAGE_SIZE)
    )
    return read_groups(session, staff=staff, first_ids=session.scalars(numbers).all())


def read_groups(session: Session, *, staff: Identity, first_ids: Collection[int]) -> list[LikeGroup]:
    """Return groups with what a staff member sees of them."""
    statement = (
        select(OpinionLikeness.first_id, OpinionLikeness.similarity, Opinion)
        .join(Opinion, Opinion.id == OpinionLikeness.opinion_id)
        .options(joinedload(Opinion.organization), joinedload(Opinion.handler))
        .where(visible_to(staff), OpinionLikeness.first_id.in_(first_ids))
        .order_by(OpinionLikeness.first_id, OpinionLikeness.similarity.desc(), Opinion.id)
    )
    groups: dict[int, list[Alike]] = {}
    for row in session.execute(statement):
        groups.setdefault(row.first_id, []).append(Alike(row.Opinion, row.similarity))
    return [LikeGroup(first, members) for first, members in groups.items()]


def get_group(session: Session, *, staff: Identity, first_id: int) -> LikeGroup:
    """Return a group; raises NotFound where too little of it is visible."""
    found = read_groups(session, staff=staff, first_ids=[first_id])
    if not found or len(found[0].members) < MIN_AUTHORS:
        raise NotFound
    return found[0]


def list_words(session: Session, *, path: str) -> Sequence[Row[Organization, OpinionWord]]:
    """Return the words of the places in a sub-tree, the strongest of each first."""
    statement = (
        select(Organization, OpinionWord)
        .join(OpinionWord, OpinionWord.organization_id == Organization.id)
        .where(is_within(path))
        .order_by(Organization.id, OpinionWord.z.desc(), OpinionWord.word)
    )
    return session.execute(statement).all()


def may_see_warning(staff: Identity) -> ColumnElement[bool]:
    """Return the condition that a warning concerns an office: its sub-tree, and no secret about itself."""
    inside = select(Organization.id).where(is_within(staff.path))
    is_of_group = and_(OpinionWarning.opinion_id.is_(None), OpinionWarning.organization_id.in_(inside))
    return or_(is_of_group, and_(OpinionWarning.opinion_id.is_not(None), visible_to(staff)))


@dataclass(frozen=True)
class WarningRow:
    """A warning, how many people have seen it, and whether one has oneself."""

    warning: OpinionWarning
    seen_by: int
    is_seen: bool


def list_warnings(session: Session, *, staff: Identity, before: int = 0) -> list[WarningRow]:
    """Return a page of the warnings that concern an office, the latest first; `before` is the last id."""
    statement = (
        select(OpinionWarning)
        .outerjoin(Opinion, Opinion.id == OpinionWarning.opinion_id)
        .options(joinedload(OpinionWarning.organization), joinedload(OpinionWarning.opinion))
        .where(may_see_warning(staff))
        .order_by(OpinionWarning.id.desc())
        .limit(PAGE_SIZE)
    )
    if before:
        statement = statement.where(OpinionWarning.id < before)
    warnings = session.scalars(statement).all()
    seen = _sights(session, [one.id for one in warnings])
    return [WarningRow(one, len(seen.get(one.id, ())), staff.id in seen.get(one.id, ())) for one in warnings]


def _sights(session: Session, warning_ids: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    statement = select(WarningSight).where(WarningSight.warning_id.in_(warning_ids))
    for sight in session.scalars(statement):
        found.setdefault(sight.warning_id, set()).add(sight.staff_id)
    return found


def get_warning(session: Session, *, staff: Identity, warning_id: int) -> OpinionWarning:
    """Return a warning; raises NotFound for one that is not there, or not for this person."""
    statement = (
        select(OpinionWarning)
        .outerjoin(Opinion, Opinion.id == OpinionWarning.opinion_id)
        .where(OpinionWarning.id == warning_id, may_see_warning(staff))
    )
    if (found := session.scalar(statement)) is None:
        raise NotFound
    return found


def count_unseen(session: Session, *, staff: Identity) -> int:
    """Return how many of the latest warnings, as many as one page lists, somebody has not seen."""
    seen = select(WarningSight.warning_id).where(WarningSight.staff_id == staff.id)
    latest = (
        select(OpinionWarning.id)
        .outerjoin(Opinion, Opinion.id == OpinionWarning.opinion_id)
        .where(may_see_warning(staff))
        .order_by(OpinionWarning.id.desc())
        .limit(PAGE_SIZE)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(latest).where(latest.c.id.not_in(seen))) or 0


def last_look(session: Session) -> datetime | None:
    """Return the hour of the last look at everything."""
    return session.get_one(InsightRun, THE_ONE).hour


def hold_run(session: Session) -> InsightRun:
    """Return the row of the looks at everything, held: whoever writes what was found takes turns by it."""
    return session.get_one(InsightRun, THE_ONE, with_for_update=True, populate_existing=True)
