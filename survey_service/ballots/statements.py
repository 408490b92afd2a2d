"""The statements that store a ballot. On PostgreSQL they are one, on SQLite they run one after another.

Everything is inserted out of the gate: the locked row of a campaign that takes ballots at this moment. Close
and seal lock the same row exclusively, so whatever was acknowledged is there when they count. Each insert
is decided by a unique key and says nothing on conflict, so that no error line can name a digest.
"""

import re
from functools import cache

from sqlalchemy import BigInteger, LargeBinary, String, TextClause, bindparam, text

from survey_service.core.db import UtcDateTime

_GATE = """
SELECT campaign.id FROM campaign JOIN entrance ON entrance.campaign_id = campaign.id
WHERE campaign.id = :campaign_id AND entrance.id = :entrance_id
  AND entrance.code_digest = :code_digest AND entrance.revoked_at IS NULL
  AND campaign.launched_at IS NOT NULL AND campaign.withdrawn_at IS NULL AND campaign.frozen_at IS NULL
  AND campaign.opens_at <= :now AND :now <= campaign.accepts_until AND :opened_at <= campaign.closes_at
  AND (campaign.closed_at IS NULL OR :opened_at <= campaign.closed_at)
"""

_PARTICIPATION = "INSERT INTO participation (campaign_id, digest) SELECT id, :digest FROM {source}"
_BALLOT = """
INSERT INTO ballot (campaign_id, subject_id, id, rater_class, mode, place_id, flag, answers)
SELECT id, :subject_id, :ballot_id, :rater_class, :mode, :place_id, :flag, :answers FROM {source}"""
_RECEIPT = (
    "INSERT INTO receipt (receipt, campaign_id, subject_id) SELECT :receipt, id, :subject_id FROM {source}"
)
_MARK = """
INSERT INTO dirty_mark (campaign_id, id, subject_id, ballot_id)
SELECT id, :mark_id, :subject_id, :ballot_id FROM {source}"""
_TEXT = """
INSERT INTO ballot_text (campaign_id, subject_id, item, id, text)
SELECT id, :subject_id, :item_{n}, :text_id_{n}, :text_{n} FROM {source}"""

# WHERE true keeps SQLite from reading ON CONFLICT as a part of the select.
_QUIETLY = " WHERE true ON CONFLICT DO NOTHING RETURNING campaign_id AS id"

# PostgreSQL: an open campaign under a share lock, unless the secret has made a ballot before. All other rows
# follow from the participation, so a spent credential inserts nothing. Only if two posts with one secret meet
# can a participation stand without its ballot: then the statement fails itself, and nothing of it stays.
_FRESH_GATE = """
fresh AS (SELECT id FROM gate WHERE NOT EXISTS (
  SELECT FROM ballot WHERE campaign_id = :campaign_id AND subject_id = :subject_id AND id = :ballot_id))"""
_OUTCOME = """
SELECT (SELECT count(*) FROM gate), stored / CASE WHEN spent = stored THEN 1 ELSE 0 END
FROM (SELECT (SELECT count(*) FROM insert_0) AS spent, (SELECT count(*) FROM insert_1) AS stored) AS counts"""

_PARAMETER = re.compile(r":(\w+)")

# A type for each parameter, since SQLite stores times as text and binary values have their own form.
_TYPES = {
    "campaign_id": BigInteger,
    "entrance_id": BigInteger,
    "subject_id": BigInteger,
    "place_id": BigInteger,
    "code_digest": LargeBinary,
    "digest": LargeBinary,
    "ballot_id": LargeBinary,
    "mark_id": LargeBinary,
    "now": UtcDateTime,
    "opened_at": UtcDateTime,
    "rater_class": String,
    "mode": String,
    "flag": String,
    "answers": String,
    "receipt": String,
}


def _inserts(texts: int) -> list[str]:
    return [_PARTICIPATION, _BALLOT, _RECEIPT, _MARK, *(_TEXT.replace("{n}", str(n)) for n in range(texts))]


def _typed(sql: str) -> TextClause:
    """Attach the types of the parameters that a statement uses."""
    clause = text(sql)
    for name in clause.compile().params:
        kind = _TYPES.get(name) or (LargeBinary if name.startswith("text_id") else String)
        clause = clause.bindparams(bindparam(name, type_=kind))
    return clause


@cache
def whole_statement(texts: int) -> str:
    """Return the one statement for PostgreSQL, a transaction of its own, in the words of its driver.

    It yields whether the gate was open and whether a ballot was stored, 1 or 0 each; DivisionByZero when two
    posts with one secret met. All values go to the driver as they are: what SQLAlchemy would do with them and
    with the one row of the answer costs as much as the rest of the service.
    """
    parts = [f"gate AS MATERIALIZED ({_GATE} FOR SHARE OF campaign)", _FRESH_GATE]
    for n, sql in enumerate(_inserts(texts)):
        source = "fresh" if n == 0 else "insert_0"
        parts.append(f"insert_{n} AS ({sql.format(source=source)}{_QUIETLY})")
    return _PARAMETER.sub(r"%(\1)s", f"WITH {', '.join(parts)} {_OUTCOME}")


@cache
def single_statements(texts: int) -> tuple[TextClause, tuple[TextClause, ...]]:
    """Return the gate and the inserts for an engine whose writers take turns (SQLite)."""
    source = "(SELECT id FROM campaign WHERE id = :campaign_id)"
    inserts = (_typed(sql.format(source=source) + _QUIETLY) for sql in _inserts(texts))
    return _typed(_GATE), tuple(inserts)


@cache
def gate_statement(*, locks: bool) -> TextClause:
    """Return the gate alone, for replacing a ballot."""
    return _typed(_GATE + (" FOR SHARE OF campaign" if locks else ""))
