"""Look for words in what staff may see of opinions: two characters are enough, in any script."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, literal, select, union_all
from sqlalchemy.orm import Session, aliased, joinedload

from survey_service.core.errors import Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text as sentence
from survey_service.insights.indexing import keys_of
from survey_service.insights.models import OpinionBigram, OpinionIndex
from survey_service.insights.rules import SHORTEST_TERM
from survey_service.opinions.grouping import fold
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import (
    PAGE_SIZE,
    id_at,
    is_few,
    opinion_id_of,
    places_of,
    row_by_row,
    select_visible,
    up_to,
    visible_to,
)

_MOST_TERMS = 6
_MOST_COMPARED, _MOST_KEYS = 8, 4
"""So many pairs are compared, and the rarest narrow a search; that words stand there whole is seen last."""
_STRETCH = 500
"""The further so many holders of a pair reach, the rarer it is."""


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

    `after` is where the page before ended. What was covered a moment ago may still stand in the index, but is
    not found by it.
    """
    terms = read_terms(words)
    positions = session.scalars(_find(session, staff, terms, after).limit(up_to(limit))).all()
    found = _load(session, staff, positions)
    next_after = positions[-1] if len(positions) == limit else None
    return FoundPage([one for one in found if _says(one, terms)], next_after)


def _find(session: Session, staff: Identity, terms: Sequence[str], after: int) -> Select[int]:
    """Return the places at which visible opinions hold all words, in the order of lists.

    Those that hold the rarest pair are walked along until the page is full. Where few cases are visible, the
    index of their places tells which they are, and no row of another is looked at.
    """
    found = _holding(_rarest(session, terms, after), after).order_by(OpinionBigram.position)
    opinion_id = id_at(OpinionBigram.position)
    if is_few(session, staff):
        visible = (
            select(id_at(Opinion.position)).where(place, visible_to(staff)) for place in places_of(staff)
        )
        found = found.where(row_by_row(opinion_id.in_(union_all(*visible))))
    else:
        found = found.join(Opinion, Opinion.id == opinion_id).where(visible_to(staff))
    # The words are fetched one by one, lest an engine begin with reading all of them.
    folded = select(OpinionIndex.folded).where(OpinionIndex.opinion_id == opinion_id).scalar_subquery()
    return found.where(*(folded.contains(term) for term in terms if len(term) > SHORTEST_TERM))


def _load(session: Session, staff: Identity, positions: Sequence[int]) -> Sequence[Opinion]:
    """Return opinions in the order in which they were found."""
    order = {opinion_id_of(position): number for number, position in enumerate(positions)}
    places = joinedload(Opinion.organization), joinedload(Opinion.handler)
    found = session.scalars(select_visible(staff).where(Opinion.id.in_(order)).options(*places))
    return sorted(found, key=lambda one: order[one.id])


def _says(opinion: Opinion, terms: Sequence[str]) -> bool:
    folded = fold(opinion.text)
    return all(term in folded for term in terms)


def _rarest(session: Session, terms: Sequence[str], after: int) -> list[int]:
    """Return the rarest pairs of what is looked for, the rarest first, as it looks from a place on."""
    keys = sorted({key for term in terms for key in keys_of(term)})
    compared = keys[:: -(-len(keys) // _MOST_COMPARED)]
    if len(compared) == 1:
        return compared
    reaches = session.execute(select(*(_reach(key, after) for key in compared))).one()
    rarity = {key: math.inf if reach is None else reach for key, reach in zip(compared, reaches, strict=True)}
    return sorted(compared, key=rarity.__getitem__, reverse=True)[:_MOST_KEYS]


def _reach(key: int, after: int) -> ColumnElement[int | None]:
    """Return where a stretch of holders of a pair ends; nothing where it has fewer."""
    holders = select(OpinionBigram.position).where(
        OpinionBigram.bigram == key, OpinionBigram.position > after
    )
    return holders.order_by(OpinionBigram.position).offset(_STRETCH).limit(up_to(1)).scalar_subquery()


def _holding(keys: Sequence[int], after: int) -> Select[int]:
    """Return the places of the opinions that hold all pairs.

    Pairs of one word stand together far more often than PostgreSQL reckons: it must not begin with another.
    """
    first, *others = keys
    has_others = []
    for key in others:
        other = aliased(OpinionBigram)
        is_there = exists().where(_is_pair(other, key), other.position == OpinionBigram.position)
        has_others.append(row_by_row(is_there))
    is_first = _is_pair(OpinionBigram, first)
    return select(OpinionBigram.position).where(is_first, OpinionBigram.position > after, *has_others)


def _is_pair(rows: type[OpinionBigram], key: int) -> ColumnElement[bool]:
    """Ask for a pair by a number that stands in the statement: how many hold it decides about the plan."""
    return rows.bigram == literal(key, literal_execute=True)
