"""Look for words in what staff may see of opinions: two characters are enough, in any script."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, joinedload

from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text as sentence
from survey_service.insights.indexing import keys_of
from survey_service.insights.models import OpinionBigram, OpinionIndex
from survey_service.insights.rules import SHORTEST_TERM
from survey_service.opinions.grouping import fold
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import PAGE_SIZE, select_visible
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within

_MOST_TERMS = 6
_MOST_KEYS = 4
"""The rarest pairs narrow a search; that longer words stand there as a whole is looked at last."""
_FEW = 8_000
"""Up to so many opinions are all looked at; more are walked along in the order of the list, which then is
full soon."""


def read_terms(words: str) -> list[str]:
    """Return what is looked for; raises Invalid where no word has two characters."""
    terms = [term for part in words.split()[:_MOST_TERMS] if len(term := fold(part)) >= SHORTEST_TERM]
    if not terms:
        raise Invalid(errors={"words": [sentence("insights.words_too_short")]})
    return terms


@dataclass(frozen=True)
class FoundPage:
    """What was found, and the `position` after which the next page begins; None after the last."""

    opinions: Sequence[Opinion]
    next_after: int | None


def search_opinions(
    session: Session, *, staff: Identity, words: str, after: int = 0, limit: int = PAGE_SIZE
) -> FoundPage:
    """Return the visible opinions that hold all words, what is due first standing first.

    `after` is the last `position` of the page before. What was covered a moment ago may still stand in the
    index, but is not found by it. Three ways lead to the same answer: from those that
    hold the words, from those that are visible, or along the list; the shortest is taken.
    """
    terms = read_terms(words)
    found = _find(session, staff, terms, after, limit)
    next_after = found[-1].position if len(found) == limit else None
    return FoundPage([one for one in found if _says(one, terms)], next_after)


def _says(opinion: Opinion, terms: Sequence[str]) -> bool:
    folded = fold(opinion.text)
    return all(term in folded for term in terms)


def _find(
    session: Session, staff: Identity, terms: Sequence[str], after: int, limit: int
) -> Sequence[Opinion]:
    holders = _holders(_rarest(session, terms))
    holding = _count(session, holders)
    if not holding:
        return []
    statement = select_visible(staff).where(*_stands_whole(terms))
    visible = _count(session, _inside(staff))
    # Walking ends soon where many hold the words, so fewer of them are many than of the visible.
    if visible >= _FEW and holding >= _FEW * 3 // 8:
        return _page(session, statement.where(_holds(holders)), Opinion.position, after, limit)
    is_held = Opinion.id.in_(holders) if holding <= visible else _holds(holders)
    # As an expression the order is found by sorting few rows, and tempts no engine to walk along all.
    return _page(session, statement.where(is_held), Opinion.position + 0, after, limit)


def _rarest(session: Session, terms: Sequence[str]) -> list[int]:
    """Return the rarest pairs of what is looked for, the rarest first."""
    keys = {key for term in terms for key in keys_of(term)}
    if len(keys) == 1:
        return list(keys)
    numbers = {key: _count(session, _holders([key])) for key in sorted(keys)}
    return sorted(numbers, key=numbers.__getitem__)[:_MOST_KEYS]


def _holders(keys: Sequence[int]) -> Select[int]:
    """Return the opinions that hold all pairs."""
    others = [aliased(OpinionBigram) for _ in keys[1:]]
    statement = select(OpinionBigram.opinion_id).where(OpinionBigram.bigram == keys[0])
    for other, key in zip(others, keys[1:], strict=True):
        has_it = exists().where(other.bigram == key, other.opinion_id == OpinionBigram.opinion_id)
        statement = statement.where(has_it)
    return statement


def _holds(holders: Select[int]) -> ColumnElement[bool]:
    return holders.where(OpinionBigram.opinion_id == Opinion.id).exists()


def _inside(staff: Identity) -> Select[int]:
    """Return about what is visible, in a way that one index tells: it only chooses the way."""
    inside = select(Organization.id).where(is_within(staff.path))
    return select(Opinion.organization_id).where(Opinion.organization_id.in_(inside))


def _count(session: Session, ids: Select[int]) -> int:
    """Return how many there are, up to what are no longer few."""
    return session.scalar(select(func.count()).select_from(ids.limit(_FEW).subquery())) or 0


def _stands_whole(terms: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return that longer words stand there as a whole; of a pair the index itself says it."""
    return [
        exists().where(OpinionIndex.opinion_id == Opinion.id, OpinionIndex.folded.contains(term))
        for term in terms
        if len(term) > SHORTEST_TERM
    ]


def _page(
    session: Session,
    statement: Select[Opinion],
    order: ColumnElement[int] | InstrumentedAttribute[int],
    after: int,
    limit: int,
) -> Sequence[Opinion]:
    places = joinedload(Opinion.organization), joinedload(Opinion.handler)
    page = statement.options(*places).where(order > after).order_by(order).limit(limit)
    return session.scalars(page).all()
