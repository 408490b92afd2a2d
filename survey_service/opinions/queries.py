"""Reads of opinions. Whatever staff see of them comes through `visible_to`, the one gate.

Lists, counts, search, exports and figures all begin with it: to somebody who may not see a case, nothing
differs from its not being there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, joinedload

from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.opinions.models import (
    Opinion,
    OpinionAnswer,
    OpinionBox,
    OpinionOriginal,
    OpinionPhoto,
    OpinionStep,
    OpinionVerdict,
)
from survey_service.opinions.rules import OPEN, State, Verdict, Viewer, digest_query_code
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.staff.rules import Role

PAGE_SIZE = 50
MOST_COUNTED = 1000
"""Nobody reads a longer number off a tab, and counting a county's cases takes longer than showing them."""
ID_BITS = 43
"""With the number of its day, which takes twenty, an id fills the positive half of eight bytes."""

OFFICES = frozenset({Role.COUNTY_ADMIN, Role.TOWN_STAFF})
_READERS = OFFICES | {Role.BRANCH_SECRETARY}


def position_of(due_on: date, opinion_id: int) -> int:
    """Return the place of an opinion in lists: what is due first stands first."""
    return due_on.toordinal() << ID_BITS | opinion_id


def viewer_of(staff: Identity) -> Viewer:
    """Return a staff member as the rules of looking know him."""
    return Viewer(staff.path, is_office=staff.role in OFFICES)


def visible_to(staff: Identity) -> ColumnElement[bool]:
    """Return the condition that a staff member may know of an opinion (`rules.may_see`, in SQL)."""
    if staff.role not in _READERS:
        return Opinion.id.is_(None)
    inside = select(Organization.id).where(is_within(staff.path))
    if staff.role not in OFFICES:
        is_given = and_(Opinion.state != State.RECEIVED, Opinion.handler_id.in_(inside))
        return and_(Opinion.concealed_id.is_(None), is_given)
    below = inside.where(Organization.path != staff.path)
    return and_(
        or_(Opinion.organization_id.in_(inside), Opinion.handler_id.in_(inside)),
        or_(Opinion.concealed_id.is_(None), Opinion.concealed_id.in_(below)),
    )


def select_visible(staff: Identity) -> Select[Opinion]:
    """Return the opinions that a staff member may know of, to be narrowed and paged."""
    return select(Opinion).where(visible_to(staff))


@dataclass(frozen=True, kw_only=True)
class OpinionFilter:
    """What a list is narrowed to; empty means everything that may be seen."""

    states: frozenset[State] = frozenset()
    is_open: bool | None = None
    path: str = ""
    """The sub-tree of an organization."""

    def conditions(self) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.states:
            found.append(Opinion.state.in_(self.states))
        if self.is_open is not None:
            found.append(Opinion.is_open.is_(self.is_open))
        if self.path:
            inside = select(Organization.id).where(is_within(self.path))
            found.append(Opinion.organization_id.in_(inside))
        return found


EVERYTHING = OpinionFilter()


def list_opinions(
    session: Session,
    *,
    staff: Identity,
    after: int = 0,
    limit: int = PAGE_SIZE,
    narrowed: OpinionFilter = EVERYTHING,
) -> Sequence[Opinion]:
    """Return the visible opinions, what is due first standing first; `after` is the last `position`."""
    conditions = [visible_to(staff), Opinion.position > after, *narrowed.conditions()]
    if narrowed.states:
        conditions = [Opinion.position.in_(_first_positions(conditions, narrowed.states, limit))]
    return session.scalars(
        select(Opinion)
        .options(joinedload(Opinion.organization), joinedload(Opinion.handler))
        .where(*conditions)
        .order_by(Opinion.position)
        .limit(limit)
    ).all()


def _first_positions(
    conditions: Sequence[ColumnElement[bool]], states: Iterable[State], limit: int
) -> Select[int]:
    """Return the first places of each state: a walk along the index of each, whatever lies in the others."""
    found = [
        select(Opinion.position)
        .where(Opinion.state == state, *conditions)
        .order_by(Opinion.position)
        .limit(limit)
        .subquery()
        for state in sorted(states)
    ]
    return select(union_all(*(select(one.c.position) for one in found)).subquery().c.position)


def count_by_state(
    session: Session, *, staff: Identity, states: Iterable[State] = State, before: int | None = None
) -> dict[State, int]:
    """Return how many visible opinions are in each of some states, `MOST_COUNTED` at the most.

    `before` leaves out those whose `position` is not below it.
    """
    earlier = [] if before is None else [Opinion.position < before]
    counts = [
        select(literal(state.value).label("state"), func.count().label("number")).select_from(
            select(Opinion.id)
            .where(Opinion.state == state, visible_to(staff), *earlier)
            .limit(MOST_COUNTED)
            .subquery()
        )
        for state in sorted(states)
    ]
    return {State(row.state): row.number for row in session.execute(union_all(*counts)) if row.number}


def count_overdue(session: Session, *, staff: Identity, today: date) -> int:
    """Return how many visible opinions should have been answered by now, as far as they are counted."""
    late = count_by_state(session, staff=staff, states=OPEN, before=position_of(today, 0))
    return sum(late.values())


def get_opinion(session: Session, *, staff: Identity, opinion_id: int) -> Opinion:
    """Return an opinion; raises NotFound for one that is not there, or not there for this person."""
    return _one(session, select_visible(staff).where(Opinion.id == opinion_id))


def lock_opinion(session: Session, *, staff: Identity, opinion_id: int) -> Opinion:
    """Return an opinion and hold it until the commit; raises NotFound as `get_opinion` does."""
    statement = select_visible(staff).where(Opinion.id == opinion_id).with_for_update(of=Opinion)
    return _one(session, statement)


def _one(session: Session, statement: Select[Opinion]) -> Opinion:
    with_places = statement.options(
        joinedload(Opinion.organization), joinedload(Opinion.handler), joinedload(Opinion.concealed)
    )
    opinion = session.scalar(with_places.execution_options(populate_existing=True))
    if opinion is None:
        raise NotFound
    return opinion


def find_by_query_code(session: Session, query_code: str) -> Opinion | None:
    """Return the opinion to which an author's code leads."""
    return session.scalar(select(Opinion).where(Opinion.query_digest == digest_query_code(query_code)))


def lock_author_case(session: Session, query_code: str) -> tuple[Opinion, Opinion] | None:
    """Return the author's opinion and the case in which it goes on, which is held until the commit."""
    own = find_by_query_code(session, query_code)
    if own is None:
        return None
    statement = select(Opinion).where(Opinion.id == (own.lead_id or own.id)).with_for_update()
    return own, session.scalars(statement.execution_options(populate_existing=True)).one()


def get_lead(session: Session, opinion: Opinion) -> Opinion:
    """Return the case in which an opinion goes on: its own, or the one that it was joined into."""
    return opinion if opinion.lead_id is None else session.get_one(Opinion, opinion.lead_id)


def list_answers(session: Session, opinion_id: int) -> Sequence[OpinionAnswer]:
    """Return what was answered, the first answer first."""
    statement = select(OpinionAnswer).where(OpinionAnswer.opinion_id == opinion_id)
    return session.scalars(
        statement.options(joinedload(OpinionAnswer.organization), joinedload(OpinionAnswer.staff)).order_by(
            OpinionAnswer.round
        )
    ).all()


def list_verdicts(session: Session, opinion_id: int) -> Mapping[Verdict, int]:
    """Return what the authors of a case and of those joined into it think of the present answer."""
    is_of_case = or_(Opinion.id == opinion_id, Opinion.lead_id == opinion_id)
    lead_round = (
        select(func.count()).where(Opinion.id == opinion_id, Opinion.is_reopened.is_(True)).scalar_subquery()
    )
    statement = (
        select(OpinionVerdict.verdict, func.count().label("number"))
        .join(Opinion, Opinion.id == OpinionVerdict.opinion_id)
        .where(is_of_case, OpinionVerdict.round == lead_round)
        .group_by(OpinionVerdict.verdict)
    )
    return {row.verdict: row.number for row in session.execute(statement)}


def find_verdict(session: Session, *, opinion_id: int, round: int) -> Verdict | None:
    """Return what one author thinks of the answer of a round."""
    statement = select(OpinionVerdict.verdict).filter_by(opinion_id=opinion_id, round=round)
    return session.scalar(statement)


def list_steps(session: Session, opinion_id: int) -> Sequence[OpinionStep]:
    """Return the history of a case, oldest first."""
    return session.scalars(
        select(OpinionStep)
        .options(joinedload(OpinionStep.organization), joinedload(OpinionStep.staff))
        .where(OpinionStep.opinion_id == opinion_id)
        .order_by(OpinionStep.number)
    ).all()


def count_steps(session: Session, opinion_id: int) -> int:
    statement = select(func.count()).select_from(OpinionStep)
    return session.scalar(statement.where(OpinionStep.opinion_id == opinion_id)) or 0


def list_joined(session: Session, *, staff: Identity, opinion_id: int) -> Sequence[Opinion]:
    """Return the opinions that were joined into a case, as far as the caller may know of them."""
    statement = select_visible(staff).where(Opinion.lead_id == opinion_id).order_by(Opinion.position)
    return session.scalars(statement).all()


def get_original(session: Session, opinion_id: int) -> bytes:
    """Return the encrypted words; raises NotFound when their time of keeping is over."""
    sealed = session.scalar(select(OpinionOriginal.sealed).where(OpinionOriginal.opinion_id == opinion_id))
    if sealed is None:
        raise NotFound
    return sealed


def list_photos(session: Session, *, staff: Identity, opinion_id: int) -> Sequence[OpinionPhoto]:
    """Return the photos that a staff member may see of an opinion that he may see."""
    statement = select(OpinionPhoto).join(Opinion).where(visible_to(staff), Opinion.id == opinion_id)
    if staff.role not in OFFICES:
        statement = statement.where(OpinionPhoto.is_shown.is_(True))
    return session.scalars(statement.order_by(OpinionPhoto.number)).all()


def find_box(session: Session, code: str) -> OpinionBox | None:
    """Return the open box behind a code."""
    statement = select(OpinionBox).options(joinedload(OpinionBox.organization))
    return session.scalar(statement.where(OpinionBox.code == code, OpinionBox.revoked_at.is_(None)))


def find_box_by_id(session: Session, box_id: int) -> OpinionBox | None:
    """Return an open box."""
    statement = select(OpinionBox).options(joinedload(OpinionBox.organization))
    return session.scalar(statement.where(OpinionBox.id == box_id, OpinionBox.revoked_at.is_(None)))


def list_boxes(session: Session, *, staff: Identity) -> Sequence[OpinionBox]:
    """Return the open boxes on the walls of a sub-tree; those of letters follow their letters."""
    return session.scalars(
        select(OpinionBox)
        .join(OpinionBox.organization)
        .options(joinedload(OpinionBox.organization))
        .where(is_within(staff.path), OpinionBox.revoked_at.is_(None), OpinionBox.letter_id.is_(None))
        .order_by(Organization.id, OpinionBox.id)
    ).all()
