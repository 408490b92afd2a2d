"""Keep the index of pairs of characters in step with what opinions say."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, or_, select, tuple_
from sqlalchemy.orm import Session

from survey_service.insights import queries
from survey_service.insights.models import OpinionBigram, OpinionIndex
from survey_service.insights.rules import bigram_key
from survey_service.opinions.grouping import bigrams_of, fold
from survey_service.opinions.models import Opinion

_AT_ONCE = 500
_MOST_PAIRS = 400
"""Pairs in one statement; engines set limits from about 1,000 values upwards."""


def index_opinions(session: Session) -> int:
    """Index the next opinions whose words are new or were covered since; return how many.

    Workers take turns: each puts in what is missing of the pairs, and takes out what is too much.
    """
    queries.hold_run(session)
    statement = (
        select(Opinion.id, Opinion.version, Opinion.position, Opinion.text, OpinionIndex)
        .outerjoin(OpinionIndex, OpinionIndex.opinion_id == Opinion.id)
        .where(or_(OpinionIndex.version.is_(None), OpinionIndex.version < Opinion.version))
        .order_by(Opinion.id)
        .limit(_AT_ONCE)
    )
    found = session.execute(statement).all()
    fresh = [row for row in found if row.OpinionIndex is None]
    store_words(session, [(row.id, row.version, row.position, row.text) for row in fresh])
    for row in found:
        if row.OpinionIndex is not None:
            _renew(session, row.OpinionIndex, row.version, row.position, fold(row.text))
    return len(found)


def store_words(session: Session, rows: Sequence[tuple[int, int, int, str]]) -> None:
    """Index opinions of which nothing is known yet: id, version, position, redacted text."""
    words = [
        {"opinion_id": id, "version": version, "position": position, "folded": fold(text)}
        for id, version, position, text in rows
    ]
    if words:
        session.execute(insert(OpinionIndex), words)
    _put_in(session, ((key, row["position"]) for row in words for key in keys_of(str(row["folded"]))))


def _put_in(session: Session, pairs: Iterable[tuple[int, object]]) -> None:
    if rows := [{"bigram": key, "position": position} for key, position in pairs]:
        session.execute(insert(OpinionBigram), rows)


def keys_of(folded: str) -> set[int]:
    """Return the pairs of a folded text as the index knows them."""
    return {bigram_key(pair) for pair in bigrams_of(folded) if len(pair) > 1}


def _renew(session: Session, row: OpinionIndex, version: int, position: int, folded: str) -> None:
    """Let an opinion be found by its words and at its place of now."""
    old = {(key, row.position) for key in keys_of(row.folded)}
    new = {(key, position) for key in keys_of(folded)}
    _take_out(session, sorted(old - new))
    _put_in(session, sorted(new - old))
    row.version, row.position, row.folded = version, position, folded
    session.flush()


def _take_out(session: Session, pairs: Sequence[tuple[int, int]]) -> None:
    for start in range(0, len(pairs), _MOST_PAIRS):
        some = tuple_(OpinionBigram.bigram, OpinionBigram.position).in_(pairs[start : start + _MOST_PAIRS])
        session.execute(delete(OpinionBigram).where(some))


def forget_deleted(session: Session) -> int:
    """Take out what stands in the index of opinions that are gone; return how many."""
    statement = select(OpinionIndex).outerjoin(Opinion, Opinion.id == OpinionIndex.opinion_id)
    gone = session.scalars(statement.where(Opinion.id.is_(None)).limit(_AT_ONCE)).all()
    for row in gone:
        _take_out(session, [(key, row.position) for key in keys_of(row.folded)])
        session.delete(row)
    return len(gone)
