"""Keep the index of pairs of characters in step with what opinions say."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete, insert, or_, select, tuple_, update
from sqlalchemy.orm import Session

from survey_service.insights.models import OpinionBigram, OpinionIndex
from survey_service.insights.rules import bigram_key
from survey_service.opinions.grouping import bigrams_of, fold
from survey_service.opinions.models import Opinion

_AT_ONCE = 500
_MOST_PAIRS = 400
"""Pairs in one statement; engines set limits from about 1,000 values upwards."""


def index_opinions(session: Session) -> int:
    """Index the next opinions whose words are new or were covered since; return how many."""
    statement = (
        select(Opinion.id, Opinion.version, Opinion.text, OpinionIndex.folded)
        .outerjoin(OpinionIndex, OpinionIndex.opinion_id == Opinion.id)
        .where(or_(OpinionIndex.version.is_(None), OpinionIndex.version < Opinion.version))
        .order_by(Opinion.id)
        .limit(_AT_ONCE)
    )
    found = session.execute(statement).all()
    fresh = [row for row in found if row.folded is None]
    store_words(session, [(row.id, row.version, row.text) for row in fresh])
    for row in found:
        if row.folded is not None:
            _renew(session, row.id, row.version, old=row.folded, new=fold(row.text))
    return len(found)


def store_words(session: Session, rows: Sequence[tuple[int, int, str]]) -> None:
    """Index opinions of which nothing is known yet: id, version, redacted text."""
    words = [{"opinion_id": id, "version": version, "folded": fold(text)} for id, version, text in rows]
    pairs = [
        {"bigram": key, "opinion_id": row["opinion_id"]}
        for row in words
        for key in keys_of(str(row["folded"]))
    ]
    if words:
        session.execute(insert(OpinionIndex), words)
    if pairs:
        session.execute(insert(OpinionBigram), pairs)


def keys_of(folded: str) -> set[int]:
    """Return the pairs of a folded text as the index knows them."""
    return {bigram_key(pair) for pair in bigrams_of(folded) if len(pair) > 1}


def _renew(session: Session, opinion_id: int, version: int, *, old: str, new: str) -> None:
    gone, come = keys_of(old) - keys_of(new), keys_of(new) - keys_of(old)
    _take_out(session, opinion_id, gone)
    if come:
        session.execute(insert(OpinionBigram), [{"bigram": key, "opinion_id": opinion_id} for key in come])
    values = {"version": version, "folded": new}
    session.execute(update(OpinionIndex).where(OpinionIndex.opinion_id == opinion_id).values(values))


def _take_out(session: Session, opinion_id: int, keys: Iterable[int]) -> None:
    pairs = [(key, opinion_id) for key in keys]
    for start in range(0, len(pairs), _MOST_PAIRS):
        some = tuple_(OpinionBigram.bigram, OpinionBigram.opinion_id).in_(pairs[start : start + _MOST_PAIRS])
        session.execute(delete(OpinionBigram).where(some))


def forget_deleted(session: Session) -> int:
    """Take out what stands in the index of opinions that are gone; return how many."""
    statement = select(OpinionIndex).outerjoin(Opinion, Opinion.id == OpinionIndex.opinion_id)
    gone = session.scalars(statement.where(Opinion.id.is_(None)).limit(_AT_ONCE)).all()
    for row in gone:
        _take_out(session, row.opinion_id, keys_of(row.folded))
        session.delete(row)
    return len(gone)
