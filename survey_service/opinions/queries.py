"""Reads of opinions. Whatever staff see of them comes through `visible_to`, the one gate.

Lists, counts, search, exports and figures all begin with it: to somebody who may not see a case, nothing
differs from its not being there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    CTE,
    BindParameter,
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

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
FEW = 8_000
"""Up to so many cases are all looked at in an index; among more a walk along the list soon finds a page."""
ID_BITS = 43
"""With the number of its day, which takes twenty, an id fills the positive half of eight bytes."""
_ID_MASK = (1 << ID_BITS) - 1

OFFICES = frozenset({Role.COUNTY_ADMIN, Role.TOWN_STAFF})
_READERS = OFFICES | {Role.BRANCH_SECRETARY}


def position_of(due_on: date, opinion_id: int) -> int:
    """Return the place of an opinion in lists: what is due first stands first."""
    return due_on.toordinal() << ID_BITS | opinion_id


def opinion_id_of(position: int) -> int:
    """Return the id of the opinion that stands, or once stood, at a place of lists."""
    return position & _ID_MASK


def id_at(position: InstrumentedAttribute[int]) -> ColumnElement[int]:
    """Return the same in SQL."""
    return position.bitwise_and(_ID_MASK)


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
    path: str = ""
    """The sub-tree of an organization."""


def is_of(path: str) -> ColumnElement[bool]:
    """Return the condition that an opinion is about a place in a sub-tree."""
    return Opinion.organization_id.in_(select(Organization.id).where(is_within(path)))


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
    cases = _cases(session, staff, narrowed, after=after, limit=limit)
    first = select(cases.c.position).order_by(cases.c.position).limit(up_to(limit))
    return session.scalars(
        select(Opinion)
        .options(joinedload(Opinion.organization), joinedload(Opinion.handler))
        .where(visible_to(staff), Opinion.position.in_(first))
        .order_by(Opinion.position)
    ).all()


def _cases(
    session: Session, staff: Identity, narrowed: OpinionFilter, *, limit: int, after: int = 0
) -> Subquery | CTE:
    """Return state and position of visible cases, at least the first `limit` of each state.

    Where few are visible, or the filter names a place, the cases of places are taken together; else each
    state is walked along until there are enough. One index leads each way, and holds all that is asked for.
    """
    visible = visible_to(staff)
    found = select(Opinion.state, Opinion.position).where(Opinion.position > after)
    if narrowed.path:
        found = found.where(is_of(narrowed.path))
    if places := _places(session, staff, narrowed.path):
        chosen = found.where(Opinion.state.in_(narrowed.states)) if narrowed.states else found
        return (
            union_all(*(chosen.where(place, visible) for place in places)).cte().prefix_with("MATERIALIZED")
        )
    ways = [and_(_is_in(state), visible) for state in sorted(narrowed.states)] or [row_by_row(visible)]
    walks = [found.where(way).order_by(Opinion.position).limit(up_to(limit)).subquery() for way in ways]
    return union_all(*(select(walk) for walk in walks)).subquery()


def row_by_row(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Let a condition be asked of each row of a walk, and lead no engine to begin somewhere else."""
    return case((condition, true()), else_=false())


def _is_in(state: State) -> ColumnElement[bool]:
    return Opinion.state == literal(state, Opinion.state.type, literal_execute=True)


def up_to(number: int) -> BindParameter[int]:
    """Return a limit that is written into its statement.

    As a parameter it would be unknown to the plans that PostgreSQL keeps for prepared statements: they reckon
    with a tenth of all rows then, and read the whole table.
    """
    return literal(number, literal_execute=True)


def _places(session: Session, staff: Identity, path: str) -> Sequence[ColumnElement[bool]]:
    """Return which cases to take together: each visible one of the filter is in one of them; or none."""
    if is_few(session, staff):
        return places_of(staff)
    return [] if staff.path.startswith(path) else [is_of(path)]


def places_of(staff: Identity) -> Sequence[ColumnElement[bool]]:
    """Return conditions of which each case meets one at the most, and each visible case one."""
    inside = select(Organization.id).where(is_within(staff.path))
    if staff.role not in OFFICES:
        return [Opinion.handler_id.in_(inside)]
    elsewhere = Opinion.organization_id.not_in(inside)
    return [Opinion.organization_id.in_(inside), and_(Opinion.handler_id.in_(inside), elsewhere)]


def is_few(session: Session, staff: Identity) -> bool:
    """Tell whether few cases are visible, in a way that one index tells: it only chooses between ways."""
    first = select(Opinion.position).where(places_of(staff)[0]).limit(up_to(FEW)).subquery()
    return (session.scalar(select(func.count()).select_from(first)) or 0) < FEW


@dataclass(frozen=True)
class CaseCounts:
    """How many visible cases are in each state, and how many should have been answered by now.

    No state counts more than `MOST_COUNTED`.
    """

    by_state: Mapping[State, int]
    overdue: int


def count_cases(session: Session, *, staff: Identity, states: frozenset[State], today: date) -> CaseCounts:
    """Count the visible cases of some states, as far as they are counted."""
    # What is due first stands first, so that no overdue case lies behind those that are counted.
    cases = _cases(session, staff, OpinionFilter(states=states), limit=MOST_COUNTED)
    is_late = case((cases.c.position < position_of(today, 0), 1), else_=0)
    statement = select(cases.c.state, func.count().label("number"), func.sum(is_late).label("late"))
    rows = session.execute(statement.group_by(cases.c.state)).all()
    return CaseCounts(
        {row.state: min(row.number, MOST_COUNTED) for row in rows},
        sum(min(row.late, MOST_COUNTED) for row in rows if row.state in OPEN),
    )


def get_opinion(session: Session, *, staff: Identity, opinion_id: int) -> Opinion:
    """Return an opinion; raises NotFound for one that is not there, or not there for this person."""
    with_places = (
        select_visible(staff)
        .where(Opinion.id == opinion_id)
        .options(joinedload(Opinion.organization), joinedload(Opinion.handler), joinedload(Opinion.concealed))
    )
    opinion = session.scalar(with_places.execution_options(populate_existing=True))
    if opinion is None:
        raise NotFound
    return opinion


def lock_opinion(session: Session, *, staff: Identity, opinion_id: int) -> Opinion:
    """Return an opinion and hold it until the commit; raises NotFound as `get_opinion` does.

    It is read once it is held: a join that waits still finds the places of before.
    """
    session.execute(select(Opinion.id).where(Opinion.id == opinion_id).with_for_update())
    return get_opinion(session, staff=staff, opinion_id=opinion_id)


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


def path_of_box(session: Session, *, box_id: int) -> str:
    """Return the path of the organization of an open box; raises NotFound."""
    box = find_box_by_id(session, box_id)
    if box is None:
        raise NotFound
    return box.organization.path


def list_boxes(session: Session, *, staff: Identity) -> Sequence[OpinionBox]:
    """Return the open boxes on the walls of a sub-tree; those of letters follow their letters."""
    return session.scalars(
        select(OpinionBox)
        .join(OpinionBox.organization)
        .options(joinedload(OpinionBox.organization))
        .where(is_within(staff.path), OpinionBox.revoked_at.is_(None), OpinionBox.letter_id.is_(None))
        .order_by(Organization.id, OpinionBox.id)
    ).all()
