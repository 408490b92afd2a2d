"""What looks unusual in the demonstration: flagged ballots, a proposal to be decided, a dispute.

The scores stay as they are: flags take nothing out, and exclusions count from the closing on.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.anomalies.disputes import note_dispute
from survey_service.anomalies.service import propose_exclusion
from survey_service.ballots.rules import BallotFlag, participation_digest
from survey_service.campaigns.queries import list_subjects
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.permissions import Identity

PROPOSED, DISPUTED = 2, 3
"""The places of villages in the order of the campaign."""
FLAGGED = {
    PROPOSED: (Mode.HOUSEHOLD, BallotFlag.TOO_FAST, 7),
    DISPUTED: (Mode.HOUSEHOLD, BallotFlag.SERIAL_ORDER, 6),
    4: (Mode.OPEN_DEVICE, BallotFlag.BURST, 5),
    5: (Mode.HOUSEHOLD, BallotFlag.ODD_HOURS, 2),
}
"""Mode, flag and number of the ballots that came in an unusual way, by village."""


def flags_for(position: int, modes: Sequence[Mode]) -> Iterator[BallotFlag | None]:
    """Yield the flag of each ballot of a village, given their modes."""
    wanted, flag, left = FLAGGED.get(position, (None, None, 0))
    for mode in modes:
        is_flagged = mode is wanted and left > 0
        left -= is_flagged
        yield flag if is_flagged else None


def propose_and_dispute(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    key: bytes,
    spent: int,
    reason: str,
    now: datetime,
) -> None:
    """Propose one exclusion, and dispute the slot `spent` of another village."""
    subjects = list_subjects(session, campaign_id)
    propose_exclusion(
        session,
        staff=staff,
        campaign_id=campaign_id,
        organization_code=subjects[PROPOSED].organization_code,
        rater_class=RaterClass.VILLAGER,
        mode=Mode.HOUSEHOLD,
        flag=BallotFlag.TOO_FAST,
        reason=reason,
        now=now,
    )
    participation = participation_digest(key, kind="slot", value=str(spent))
    subject_id = subjects[DISPUTED].subject_id
    note_dispute(
        session, campaign_id=campaign_id, subject_id=subject_id, key=key, participation=participation
    )
