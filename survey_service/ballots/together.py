"""Store ballots that come together, from paper: as many as there are slots that nobody has used yet.

Participations and ballots come in one transaction and share nothing else. Which participation belongs to
which ballot is known to nobody: the ballots come shuffled, and get ids and receipts of secrets made for them
here, which are forgotten.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot, DirtyMark, Participation, Receipt
from survey_service.ballots.rules import derive_keys, stored_answers
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import is_sqlite
from survey_service.core.digests import DIGEST_BYTES
from survey_service.core.errors import Unavailable
from survey_service.questionnaires.rules import Closed

_SECRET_BYTES = 32
_Row = dict[str, Any]


def store_together(
    session: Session,
    *,
    campaign_id: int,
    subject_id: int,
    rater_class: RaterClass,
    mode: Mode,
    participations: Sequence[bytes],
    answers: Sequence[Closed],
) -> int:
    """Spend the slots, and store as many of the ballots, drawn by lot; returns how many that were.

    There are as many digests as ballots. A digest that stands already adds nothing, and takes one ballot,
    whichever, out of the count: whose slots those were is not to be known. The caller holds the campaign.
    """
    place = {"campaign_id": campaign_id, "subject_id": subject_id}
    spent = [{"campaign_id": campaign_id, "digest": digest} for digest in sorted(participations)]
    accepted = _insert(session, Participation.__table__, spent)
    drawn = secrets.SystemRandom().sample(list(answers), accepted)
    ballots: list[_Row] = []
    receipts: list[_Row] = []
    marks: list[_Row] = []
    for closed in drawn:
        keys = derive_keys(**place, secret=secrets.token_urlsafe(_SECRET_BYTES), text_items=())
        kind: _Row = {"rater_class": rater_class, "mode": mode, "place_id": 0, "flag": ""}
        ballots.append(place | kind | {"id": keys.ballot_id, "answers": stored_answers(closed)})
        receipts.append(place | {"receipt": keys.receipt})
        marks.append(_mark(place, keys.ballot_id))
    ballots.sort(key=lambda row: row["id"])
    receipts.sort(key=lambda row: row["receipt"])
    for table, rows in ((Ballot, ballots), (Receipt, receipts), (DirtyMark, marks)):
        if _insert(session, table.__table__, rows) != accepted:
            raise Unavailable
    return accepted


def mark_changed(session: Session, *, campaign_id: int, subject_id: int) -> None:
    """Let the next rebuild count a subject anew; the mark names no ballot."""
    place = {"campaign_id": campaign_id, "subject_id": subject_id}
    _insert(session, DirtyMark.__table__, [_mark(place, secrets.token_bytes(DIGEST_BYTES))])


def _mark(place: dict[str, int], ballot_id: bytes) -> _Row:
    return place | {"id": secrets.token_bytes(DIGEST_BYTES), "ballot_id": ballot_id}


def _insert(session: Session, table: Any, rows: Sequence[_Row]) -> int:
    """Insert what is not there yet, in one statement that names no digest when it fails; returns how many."""
    if not rows:
        return 0
    assert isinstance(table, Table)
    dialect = sqlite if is_sqlite(session) else postgresql
    statement = dialect.insert(table).values(rows).on_conflict_do_nothing().returning(table.c.campaign_id)
    return len(session.connection().execute(statement).all())
