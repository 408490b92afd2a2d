"""What staff do with groups and warnings."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.audit import keep_silent
from survey_service.core.errors import Conflict
from survey_service.core.permissions import Identity
from survey_service.insights import queries
from survey_service.insights.models import OpinionWarning, WarningSight
from survey_service.insights.rules import hour_of
from survey_service.opinions.rules import Policy
from survey_service.opinions.service import Call, join_opinion, lock_in_order
from survey_service.opinions.statements import insert_once


def join_group(
    session: Session,
    *,
    staff: Identity,
    first_id: int,
    opinion_ids: Collection[int],
    policy: Policy,
    now: datetime,
) -> int:
    """Let the chosen opinions of a group go on in its earliest case; return how many did.

    All authors get that case's answer. Raises NotFound for a group that is not shown, Conflict
    `group_changed` where one of the chosen cannot be joined any more.
    """
    group = queries.get_group(session, staff=staff, first_id=first_id)
    lead = group.lead
    joinable = {one.id for one in group.joinable}
    if lead is None or not set(opinion_ids) <= joinable:
        raise Conflict("group_changed")
    lock_in_order(session, lead.id, *opinion_ids)
    for opinion_id in opinion_ids:
        call = Call(staff=staff, opinion_id=opinion_id, now=now)
        join_opinion(session, call=call, policy=policy, into=lead.id)
    return len(set(opinion_ids))


def see_warning(session: Session, *, staff: Identity, warning_id: int, now: datetime) -> OpinionWarning:
    """Write down that somebody has seen a warning; said again, it stays as it was."""
    warning = queries.get_warning(session, staff=staff, warning_id=warning_id)
    insert_once(session, WarningSight, {"warning_id": warning.id, "staff_id": staff.id, "at": now})
    # Who has seen it stands in the row itself; thousands of entries would hide what matters in the trail.
    keep_silent(session)
    return warning


def claim_hour(session: Session, *, now: datetime) -> bool:
    """Take the look of this hour upon oneself; False where somebody else has."""
    run = queries.hold_run(session)
    if run.hour == hour_of(now):
        return False
    run.hour = hour_of(now)
    return True
