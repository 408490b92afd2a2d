"""Write stored ballots anew, in random order: what a transaction wrote together, it must not tell for long.

PostgreSQL keeps each row where it was written, with the number of the transaction that wrote it. A
participation keeps that number until it is deleted, so ballots and texts have to lose it: one transaction
deletes several of a subject and inserts them again. On SQLite rows have no such number and stand in the order
of their keys; there is nothing to rewrite.
"""

from collections.abc import Sequence

from sqlalchemy import ARRAY, BigInteger, Integer, LargeBinary, bindparam, text
from sqlalchemy.orm import Session

from survey_service.core.db import is_sqlite

# `earlier` came while the subject had too few. `drawn` were written anew before, and are of the kind of those
# that come nearly alone: the kind stands in the ballot, so one among others must be one among its like. What
# has a waiting mark has its turn later. Texts are found by the very number that leads from them to a ballot:
# nothing else does.
_REWRITE = text(
    """
WITH marked AS MATERIALIZED (
    SELECT id, xmin AS came, rater_class, mode, place_id FROM ballot
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id AND id = ANY(:named)
), others AS (
    SELECT id, xmin AS came, rater_class, mode, place_id FROM ballot
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id AND NOT id = ANY(:named)
      AND id NOT IN (SELECT ballot_id FROM dirty_mark WHERE campaign_id = :campaign_id)
), earlier AS MATERIALIZED (
    SELECT * FROM others ORDER BY random() LIMIT :earlier
), fresh AS MATERIALIZED (
    SELECT * FROM marked UNION ALL SELECT * FROM earlier
), few AS MATERIALIZED (
    SELECT rater_class, mode, place_id, count(*) AS number FROM fresh
    GROUP BY rater_class, mode, place_id HAVING count(*) < :least
), drawn AS MATERIALIZED (
    SELECT id FROM (
        SELECT id, number, row_number() OVER (
            PARTITION BY rater_class, mode, place_id ORDER BY random()
        ) AS place
        FROM others JOIN few USING (rater_class, mode, place_id)
        WHERE id NOT IN (SELECT id FROM earlier)
    ) AS shuffled
    WHERE number + place <= :least
), gone AS (
    DELETE FROM ballot
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id
      AND id IN (SELECT id FROM fresh UNION ALL SELECT id FROM drawn)
    RETURNING id, rater_class, mode, place_id, flag, answers
), named_text AS MATERIALIZED (
    SELECT item, id FROM ballot_text
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id AND xmin IN (SELECT came FROM fresh)
), drawn_text AS MATERIALIZED (
    SELECT item, id FROM ballot_text
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id AND xmin NOT IN (SELECT came FROM fresh)
      AND EXISTS (SELECT FROM named_text)
    ORDER BY random() LIMIT greatest(0, :least - (SELECT count(*) FROM named_text))
), gone_text AS (
    DELETE FROM ballot_text
    WHERE campaign_id = :campaign_id AND subject_id = :subject_id
      AND (item, id) IN (SELECT item, id FROM named_text UNION ALL SELECT item, id FROM drawn_text)
    RETURNING item, id, text
), rewritten_text AS (
    INSERT INTO ballot_text (campaign_id, subject_id, item, id, text)
    SELECT :campaign_id, :subject_id, item, id, text FROM gone_text ORDER BY random()
)
INSERT INTO ballot (campaign_id, subject_id, id, rater_class, mode, place_id, flag, answers)
SELECT :campaign_id, :subject_id, id, rater_class, mode, place_id, flag, answers FROM gone ORDER BY random()
"""
).bindparams(
    bindparam("campaign_id", type_=BigInteger),
    bindparam("subject_id", type_=BigInteger),
    bindparam("named", type_=ARRAY(LargeBinary)),
    bindparam("earlier", type_=Integer),
    bindparam("least", type_=Integer),
)


def rewrite_ballots(
    session: Session,
    *,
    campaign_id: int,
    subject_id: int,
    named: Sequence[bytes],
    least: int,
    before: int,
    present: int,
) -> None:
    """Rewrite the named ballots of a subject and the texts that came with them, in random order.

    Never fewer than `least` of a class, mode and place, where there are so many: others drawn at random fill
    up. A subject with fewer ballots is left as it is, and gets its turn when it has enough; `before` and
    `present` are its numbers of ballots before and after the named ones. The caller holds the row of the
    subject, so that nobody changes a ballot meanwhile.
    """
    if present < least or is_sqlite(session):
        return
    parameters = {
        "campaign_id": campaign_id,
        "subject_id": subject_id,
        "named": list(named),
        "earlier": before if before < least else 0,
        "least": least,
    }
    session.connection().execute(_REWRITE, parameters)
