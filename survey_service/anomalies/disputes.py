"""A voter says that somebody else used his code; the county decides what follows.

One press counts one slot once. What is stored of it is a number per subject and a digest that dies at
sealing: nothing tells the staff which slot it was, and the answer to the voter is always the same.
"""

from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, bindparam, select, text
from sqlalchemy.orm import Session

from survey_service.anomalies.models import DisputeCount, DisputeRuling
from survey_service.anomalies.queries import count_disputes, list_rulings
from survey_service.anomalies.rules import DisputeDecision
from survey_service.ballots.queries import is_spent
from survey_service.campaigns.queries import find_subject_below, hold_unsealed, lock_subjects
from survey_service.campaigns.rules import campaign_target
from survey_service.core.audit import record
from survey_service.core.digests import keyed_digest
from survey_service.core.errors import Conflict, Gone
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.mass_evaluation.rules import MassScoreChanged

_DOMAIN = "dispute"
# The unique key decides, and says nothing on conflict, so that no error line can name a digest.
_INSERT = text(
    "INSERT INTO dispute (campaign_id, digest) VALUES (:campaign_id, :digest) "
    "ON CONFLICT DO NOTHING RETURNING campaign_id"
).bindparams(bindparam("campaign_id", type_=BigInteger), bindparam("digest", type_=LargeBinary))


def note_dispute(
    session: Session, *, campaign_id: int, subject_id: int, key: bytes, participation: bytes
) -> None:
    """Count that the holder of a spent slot says "this was not me".

    `participation` is the digest of the slot under the campaign key. A slot that has not been used has
    nothing to dispute, and is not told so: the answer must not say whether a code was used. Raises Gone
    `closed` when the sealing has begun.
    """
    try:
        hold_unsealed(session, campaign_id)
    except Conflict as error:
        raise Gone from error
    if not is_spent(session, campaign_id, participation):
        return
    digest = keyed_digest(key, _DOMAIN, participation)
    if session.execute(_INSERT, {"campaign_id": campaign_id, "digest": digest}).all():
        _count_one_more(session, campaign_id, subject_id)


def _count_one_more(session: Session, campaign_id: int, subject_id: int) -> None:
    lock_subjects(session, campaign_id, [subject_id])
    place = {"campaign_id": campaign_id, "subject_id": subject_id}
    count = session.scalar(select(DisputeCount).filter_by(**place).execution_options(populate_existing=True))
    if count is None:
        session.add(DisputeCount(**place, disputes=1))
    else:
        count.disputes += 1


def rule_on_disputes(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    organization_code: str,
    decision: DisputeDecision,
    reason: str,
    now: datetime,
) -> DisputeRuling:
    """Hold a disputed subject's score, or say that it is released.

    Raises NotFound, Forbidden, Conflict `wrong_state` where nobody has disputed anything, where the same is
    in force already, and when the sealing has begun.
    """
    hold_unsealed(session, campaign_id)
    subject = find_subject_below(session, staff, campaign_id, organization_code)
    lock_subjects(session, campaign_id, [subject.subject_id])
    disputes = count_disputes(session, campaign_id).get(subject.subject_id, 0)
    in_force = {one.subject_id: one.decision for one in list_rulings(session, campaign_id)}
    if not disputes or in_force.get(subject.subject_id) is decision:
        raise Conflict("wrong_state")
    ruling = DisputeRuling(
        campaign_id=campaign_id,
        subject_id=subject.subject_id,
        decision=decision,
        reason=reason,
        decided_by=staff.id,
        decided_at=now,
    )
    session.add(ruling)
    facts = {"organization_code": organization_code, "disputes": disputes, "reason": reason}
    record(session, "disputes.decide", campaign_target(campaign_id), after=facts | {"decision": decision})
    # What is shown of the score changes with it, and so does every rating that it enters.
    publish(session, MassScoreChanged(campaign_id))
    return ruling
