"""Reads of ballots on the voter's way; none of them starts from a person."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot, BallotText, DirtyMark, Participation, Receipt
from survey_service.ballots.rules import BallotKeys


class ReceiptState(StrEnum):
    """What is said about a receipt, and nothing else."""

    COUNTED = "counted"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StoredBallot:
    """What was stored under a secret: closed answers as text, and the texts by item."""

    answers: str
    texts: dict[str, str]


_SPENT = select(
    exists().where(
        Participation.campaign_id == bindparam("campaign_id"), Participation.digest == bindparam("digest")
    )
)


def is_spent(session: Session, campaign_id: int, participation: bytes) -> bool:
    """Tell whether a credential has been used."""
    return bool(session.scalar(_SPENT, {"campaign_id": campaign_id, "digest": participation}))


def find_ballot(session: Session, campaign_id: int, subject_id: int, keys: BallotKeys) -> StoredBallot | None:
    """Return the ballot that a secret leads to."""
    answers = session.scalar(
        select(Ballot.answers).where(
            Ballot.campaign_id == campaign_id, Ballot.subject_id == subject_id, Ballot.id == keys.ballot_id
        )
    )
    if answers is None:
        return None
    texts = session.execute(
        select(BallotText.item, BallotText.text)
        .where(BallotText.campaign_id == campaign_id, BallotText.subject_id == subject_id)
        .where(BallotText.item.in_(keys.text_ids), BallotText.id.in_(keys.text_ids.values()))
    )
    return StoredBallot(answers, dict(texts.all()))


def find_receipt(session: Session, receipt: str | None) -> ReceiptState:
    """Say whether a receipt is known, and whether its subject's tally is up to date."""
    row = session.execute(
        select(Receipt.campaign_id, Receipt.subject_id).where(Receipt.receipt == receipt)
    ).first()
    if row is None:
        return ReceiptState.UNKNOWN
    is_waiting = session.scalar(
        select(
            exists().where(DirtyMark.campaign_id == row.campaign_id, DirtyMark.subject_id == row.subject_id)
        )
    )
    return ReceiptState.ACCEPTED if is_waiting else ReceiptState.COUNTED
