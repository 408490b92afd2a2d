"""The way of a ballot: validate, de-duplicate, store; and what is said when it cannot be stored.

`domain.md` section 7 gives the table that `_settle` follows: whether the credential is spent and whether the
secret is known decide together, and every one of the four cases has its answer.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from sqlalchemy import Result, delete, exists, insert, select, update
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot, BallotText, DirtyMark, Participation
from survey_service.ballots.queries import find_ballot, is_spent
from survey_service.ballots.rules import (
    BallotCast,
    BallotFlag,
    BallotKeys,
    derive_keys,
    is_same,
    stored_answers,
)
from survey_service.ballots.statements import gate_statement, single_statements, whole_statement
from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.queries import lock_campaign
from survey_service.campaigns.rules import Revote, campaign_target
from survey_service.core.audit import record
from survey_service.core.db import begin_transaction, fetch_alone, is_sqlite
from survey_service.core.errors import Conflict, Gone, NotFound, Unavailable
from survey_service.core.events import publish
from survey_service.entrances.models import Entrance
from survey_service.entrances.rules import Ticket
from survey_service.questionnaires.rules import CheckedAnswers, Plan

_MARK_BYTES = 16


@dataclass(frozen=True)
class CastBallot:
    """The answer to a voter: the receipt, and whether the ballot was stored just now."""

    receipt: str
    is_new: bool


def cast_ballot(
    session: Session,
    *,
    ticket: Ticket,
    participation: bytes,
    secret: str,
    plan: Plan,
    checked: CheckedAnswers,
    now: datetime,
    flag: BallotFlag | None = None,
) -> CastBallot:
    """Store a valid ballot once, or say why not.

    `participation` is the keyed digest of the credential. Raises NotFound `unknown_entrance`, Gone `closed`,
    Conflict `already_submitted`, `secret_in_use` or `different_answers`.
    """
    keys = derive_keys(
        campaign_id=ticket.campaign_id,
        subject_id=ticket.subject_id,
        secret=secret,
        text_items=plan.text_items,
    )
    row = _row_parameters(ticket, participation, keys, checked)
    parameters = _gate_parameters(ticket, now) | row | {"flag": str(flag or "")}
    outcome = _insert(session, parameters, texts=len(checked.texts))
    if outcome is _Outcome.STORED:
        publish(session, BallotCast(ticket.campaign_id))
        return CastBallot(keys.receipt, is_new=True)
    # Nothing of a half-accepted ballot may stay, and what follows must see what others have committed.
    session.rollback()
    if outcome is _Outcome.SHUT:
        raise _refusal(session, ticket)
    return _settle(session, ticket, participation, keys, checked, parameters)


def _gate_parameters(ticket: Ticket, now: datetime) -> dict[str, object]:
    return {
        "campaign_id": ticket.campaign_id,
        "entrance_id": ticket.entrance_id,
        "code_digest": ticket.code_digest,
        "opened_at": ticket.opened_at,
        "now": now,
    }


def _row_parameters(
    ticket: Ticket, participation: bytes, keys: BallotKeys, checked: CheckedAnswers
) -> dict[str, object]:
    parameters: dict[str, object] = {
        "digest": participation,
        "subject_id": ticket.subject_id,
        "ballot_id": keys.ballot_id,
        "rater_class": str(ticket.rater_class),
        "mode": str(ticket.mode),
        "place_id": ticket.place_id,
        "answers": stored_answers(checked.closed),
        "receipt": keys.receipt,
        "mark_id": secrets.token_bytes(_MARK_BYTES),
    }
    for n, (item, words) in enumerate(checked.texts.items()):
        parameters |= {f"item_{n}": item, f"text_id_{n}": keys.text_ids[item], f"text_{n}": words}
    return parameters


class _Outcome(Enum):
    """What became of the inserts: all done, or none since the gate was shut or a key stood already."""

    STORED = auto()
    SHUT = auto()
    KNOWN = auto()


def _insert(session: Session, parameters: Mapping[str, object], *, texts: int) -> _Outcome:
    """Insert everything or, in the end, nothing."""
    if is_sqlite(session):
        return _insert_in_turn(session, parameters, texts=texts)
    try:
        ((gate, stored),) = fetch_alone(session, whole_statement(texts), parameters)
    except DataError:
        return _Outcome.KNOWN
    if not gate:
        return _Outcome.SHUT
    return _Outcome.STORED if stored else _Outcome.KNOWN


def _insert_in_turn(session: Session, parameters: Mapping[str, object], *, texts: int) -> _Outcome:
    gate_clause, inserts = single_statements(texts)
    if not _rows(session.execute(gate_clause, parameters)):
        return _Outcome.SHUT
    spent, stored, *_ = [_rows(session.execute(clause, parameters)) for clause in inserts]
    return _Outcome.STORED if spent and stored else _Outcome.KNOWN


def _rows(result: Result[tuple[int]]) -> int:
    return len(result.all())


def require_open(session: Session, *, ticket: Ticket, now: datetime) -> None:
    """Raise Gone `closed` or NotFound `unknown_entrance` when the gate is shut for this ticket."""
    if ticket.is_preview:
        return
    if session.execute(gate_statement(locks=False), _gate_parameters(ticket, now)).first() is None:
        raise _refusal(session, ticket)


def _refusal(session: Session, ticket: Ticket) -> Exception:
    """Say why the gate was shut: the entrance was revoked or reissued, or the campaign takes no ballots."""
    is_valid = session.scalar(
        select(
            exists().where(
                Entrance.id == ticket.entrance_id,
                Entrance.code_digest == ticket.code_digest,
                Entrance.revoked_at.is_(None),
            )
        )
    )
    return Gone() if is_valid else NotFound("unknown_entrance")


def _settle(
    session: Session,
    ticket: Ticket,
    participation: bytes,
    keys: BallotKeys,
    checked: CheckedAnswers,
    parameters: Mapping[str, object],
) -> CastBallot:
    stored = find_ballot(session, ticket.campaign_id, ticket.subject_id, keys)
    if not is_spent(session, ticket.campaign_id, participation):
        if stored is not None:
            raise Conflict("secret_in_use")
        # Whoever held the key has rolled back meanwhile; the phone tries again.
        raise Unavailable
    if stored is None:
        raise Conflict("already_submitted")
    if is_same(checked, answers=stored.answers, texts=stored.texts):
        return CastBallot(keys.receipt, is_new=False)
    if session.get_one(Campaign, ticket.campaign_id).revote is Revote.NEVER:
        raise Conflict("different_answers")
    _replace(session, ticket, keys, checked, parameters)
    return CastBallot(keys.receipt, is_new=False)


def _replace(
    session: Session,
    ticket: Ticket,
    keys: BallotKeys,
    checked: CheckedAnswers,
    parameters: Mapping[str, object],
) -> None:
    """Put other answers in the place of a ballot, behind the same gate as a new one."""
    begin_transaction(session)
    gate = session.execute(gate_statement(locks=not is_sqlite(session)), parameters).first()
    if gate is None:
        raise Gone
    place = {"campaign_id": ticket.campaign_id, "subject_id": ticket.subject_id}
    # A rebuild that writes this ballot anew holds the subject; an update would not find the new row.
    session.execute(select(CampaignSubject.position).filter_by(**place).with_for_update(read=True))
    session.execute(
        update(Ballot)
        .where(Ballot.campaign_id == ticket.campaign_id, Ballot.subject_id == ticket.subject_id)
        .where(Ballot.id == keys.ballot_id)
        .values(answers=stored_answers(checked.closed))
    )
    session.execute(
        delete(BallotText)
        .where(BallotText.campaign_id == ticket.campaign_id, BallotText.subject_id == ticket.subject_id)
        .where(BallotText.id.in_(keys.text_ids.values()))
    )
    if checked.texts:
        rows = [
            place | {"item": item, "id": keys.text_ids[item], "text": words}
            for item, words in checked.texts.items()
        ]
        session.execute(insert(BallotText), rows)
    session.execute(
        insert(DirtyMark), [place | {"id": secrets.token_bytes(_MARK_BYTES), "ballot_id": keys.ballot_id}]
    )
    publish(session, BallotCast(ticket.campaign_id))


def withdraw_unused_campaign(session: Session, *, campaign_id: int, now: datetime) -> Campaign:
    """Withdraw a campaign in which nobody has voted; raises Conflict `wrong_state` otherwise."""
    campaign = lock_campaign(session, campaign_id)
    has_ballots = session.scalar(select(exists().where(Participation.campaign_id == campaign_id)))
    if has_ballots or campaign.closed_at is not None or campaign.withdrawn_at is not None:
        raise Conflict("wrong_state")
    campaign.withdrawn_at = now
    record(session, "campaigns.withdraw", campaign_target(campaign_id), after={"withdrawn_at": now})
    return campaign
