"""Fill a database with ballots as if they had come in before: the same rows, written in bulk."""

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from bench.city import ITEM_KEYS, OPTIONS, WEIGHTS, City

_FIRST_SERIAL = 1_000_000
"""Far above the serials of the slots that the load votes with."""

# Every ballot comes from a household of its own, from all villages in turn; its answers are drawn anew, which
# makes more different ballots than people do and is the harder case for a recount.
_STATEMENTS = (
    """INSERT INTO entrance (campaign_id, subject_id, mode, rater_class, code_digest, place, is_preview,
                              batch_id, serial, issue)
       SELECT %(campaign)s, (%(subjects)s::bigint[])[1 + n %% %(villages)s], 'household', 'villager',
              decode(md5('code' || n), 'hex'), '', false,
              (SELECT max(id) FROM code_batch), %(first_serial)s + n / %(villages)s, 1
       FROM generate_series(0, %(ballots)s - 1) n""",
    """INSERT INTO participation (campaign_id, digest)
       SELECT %(campaign)s, decode(md5('participation' || n), 'hex')
       FROM generate_series(0, %(ballots)s - 1) n""",
    """INSERT INTO receipt (receipt, campaign_id, subject_id)
       SELECT upper(left(md5('receipt' || n), 13)), %(campaign)s,
              (%(subjects)s::bigint[])[1 + n %% %(villages)s]
       FROM generate_series(0, %(ballots)s - 1) n""",
    """INSERT INTO ballot (campaign_id, subject_id, id, rater_class, mode, place_id, flag, answers)
       SELECT %(campaign)s, (%(subjects)s::bigint[])[1 + n %% %(villages)s],
              decode(md5('ballot' || n), 'hex'), 'villager', 'household', 0, '', {answers}
       FROM generate_series(0, %(ballots)s - 1) n""",
    """INSERT INTO dirty_mark (campaign_id, id, subject_id, ballot_id)
       SELECT DISTINCT ON (subject_id) campaign_id, decode(md5('mark' || subject_id), 'hex'), subject_id, id
       FROM ballot WHERE campaign_id = %(campaign)s""",
)


@dataclass(frozen=True)
class Counts:
    """What a campaign's tables hold."""

    participations: int
    ballots: int
    receipts: int

    @property
    def is_consistent(self) -> bool:
        return self.participations == self.ballots == self.receipts


def store_ballots(place: str, city: City, ballots: int) -> None:
    """Write so many ballots with their slots, participations and receipts, and mark every subject."""
    values = {
        "campaign": city.campaign_id,
        "subjects": list(city.subject_ids),
        "villages": len(city.subject_ids),
        "first_serial": _FIRST_SERIAL,
        "ballots": ballots,
    }
    with psycopg.connect(place, autocommit=True) as connection:
        # Foreign keys hold by construction, and nobody waits for the disk at each step.
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET synchronous_commit = off")
        for statement in _STATEMENTS:
            connection.execute(sql.SQL(statement).format(answers=_answers(ITEM_KEYS)), values)
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def _answers(keys: Sequence[str]) -> sql.Composable:
    """Return an expression that draws the answers of one ballot, written as the service writes them."""
    drawn = [option for option, weight in zip(OPTIONS, WEIGHTS, strict=True) for _ in range(weight)]
    options = sql.SQL("(ARRAY[{}])[1 + floor(random() * {})::int]").format(
        sql.SQL(",").join(map(sql.Literal, drawn)), sql.Literal(len(drawn))
    )
    parts = [
        sql.SQL("{} || {}").format(sql.Literal(f'{"," if number else "{"}"{key}":"'), options)
        + sql.SQL(" || '\"'")
        for number, key in enumerate(sorted(keys))
    ]
    return sql.SQL(" || ").join([*parts, sql.SQL("'}'")])


def count_stored(place: str, campaign_id: int) -> Counts:
    """Count what is stored."""
    tables = ("participation", "ballot", "receipt")
    with psycopg.connect(place) as connection:
        numbers = [
            connection.execute(
                sql.SQL("SELECT count(*) FROM {} WHERE campaign_id = %s").format(sql.Identifier(table)),
                [campaign_id],
            ).fetchone()
            for table in tables
        ]
    return Counts(*(number[0] for number in numbers if number))


def count_marks(place: str) -> int:
    """Count the ballots that no rebuild has seen yet."""
    with psycopg.connect(place) as connection:
        row = connection.execute("SELECT count(*) FROM dirty_mark").fetchone()
    return int(row[0]) if row else 0
