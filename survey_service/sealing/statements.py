"""The statements that take the order of arrival and the ids of the voters' secrets out of the tables.

PostgreSQL keeps rows where they were written, with the number of the transaction that wrote them. So all
rows of the campaign are deleted and written anew by one transaction, subject by subject in the order of their
new random ids.
On SQLite these tables are trees in the order of their keys: new keys are a new order, and `VACUUM` then
writes the pages anew.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import TextClause, text

# The flags go. That a ballot was left out of the score has to stay, or nobody could count it again.
_FLAG = """
CASE WHEN old.flag <> '' AND EXISTS (
    SELECT 1 FROM exclusion AS one
    WHERE one.campaign_id = :campaign_id AND one.state = 'confirmed' AND one.subject_id = old.subject_id
      AND one.rater_class = old.rater_class AND one.mode = old.mode AND one.place_id = old.place_id
      AND one.flag = old.flag
) THEN 'excluded' ELSE '' END"""
_POSTGRESQL_BALLOT = """
WITH old AS (
    DELETE FROM ballot WHERE campaign_id = :campaign_id
    RETURNING subject_id, rater_class, mode, place_id, flag, answers
)
INSERT INTO ballot (campaign_id, subject_id, id, rater_class, mode, place_id, flag, answers)
SELECT :campaign_id, subject_id, uuid_send(gen_random_uuid()) AS new_id, rater_class, mode, place_id, {flag},
    answers
FROM old ORDER BY subject_id, new_id""".replace("{flag}", _FLAG)
_POSTGRESQL_TEXT = """
WITH gone AS (DELETE FROM ballot_text WHERE campaign_id = :campaign_id RETURNING subject_id, item, text)
INSERT INTO ballot_text (campaign_id, subject_id, item, id, text)
SELECT :campaign_id, subject_id, item, uuid_send(gen_random_uuid()) AS new_id, text
FROM gone ORDER BY subject_id, new_id"""
# A receipt is a digest: in the order of the receipts nothing is left of the order of arrival.
_POSTGRESQL_RECEIPT = """
WITH gone AS (DELETE FROM receipt WHERE campaign_id = :campaign_id RETURNING receipt, subject_id)
INSERT INTO receipt (receipt, campaign_id, subject_id)
SELECT receipt, :campaign_id, subject_id FROM gone ORDER BY receipt COLLATE "C" """
_SQLITE_BALLOT = """
UPDATE ballot AS old SET id = randomblob(16), flag = {flag}
WHERE campaign_id = :campaign_id""".replace("{flag}", _FLAG)
_SQLITE_TEXT = "UPDATE ballot_text SET id = randomblob(16) WHERE campaign_id = :campaign_id"

REWRITE_BALLOTS: Mapping[str, TextClause] = {
    "postgresql": text(_POSTGRESQL_BALLOT),
    "sqlite": text(_SQLITE_BALLOT),
}
REWRITE_OTHERS: Mapping[str, Sequence[TextClause]] = {
    "postgresql": (text(_POSTGRESQL_TEXT), text(_POSTGRESQL_RECEIPT)),
    "sqlite": (text(_SQLITE_TEXT),),
}
"""By the name of the engine's dialect."""
