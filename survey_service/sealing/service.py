"""The steps of sealing, each in a unit of work of its own; `running.py` takes them one after another.

Each step begins with the row of the campaign, held exclusively, and ends with its mark in the same
transaction: a step is done or it is not, and whoever was interrupted goes on from the last mark.
"""

from datetime import datetime

from sqlalchemy import Delete, TextClause, delete, update
from sqlalchemy.orm import Session

from survey_service.anomalies.models import Dispute
from survey_service.ballots.models import DirtyMark, Participation
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign_key, lock_campaign
from survey_service.campaigns.rules import State, campaign_target
from survey_service.core.audit import record
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.entrances.models import CodeBatch
from survey_service.mass_evaluation.service import settle_scores
from survey_service.paper_entry.queries import count_open_batches
from survey_service.sealing.models import Sealing
from survey_service.sealing.queries import count_published, get_digest
from survey_service.sealing.recording import write_down
from survey_service.sealing.rules import CampaignSealed, Step
from survey_service.sealing.statements import REWRITE_BALLOTS, REWRITE_OTHERS
from survey_service.tallies.service import find_difference, settle_marks


def begin_sealing(session: Session, *, campaign_id: int, staff: Identity | None, now: datetime) -> Step:
    """Shut the gate for ballots, or find out how far an earlier attempt came; returns the step reached.

    The lock waits for ballots on their way, so that what was acknowledged is sealed. Raises Conflict
    `wrong_state` for a campaign that is not closed, or is sealed already; `paper_is_open` while a batch of
    paper is being keyed: it is closed or given up first.
    """
    campaign = lock_campaign(session, campaign_id)
    sealing = session.get(Sealing, campaign_id, populate_existing=True)
    if sealing is None:
        sealing = _freeze(session, campaign, staff, now)
    if sealing.step is Step.SEALED:
        raise Conflict("wrong_state")
    sealing.moved_at = now
    record(session, "campaigns.seal", campaign_target(campaign_id), after={"step": sealing.step})
    return sealing.step


def _freeze(session: Session, campaign: Campaign, staff: Identity | None, now: datetime) -> Sealing:
    if campaign.window.state(now) is not State.CLOSED:
        raise Conflict("wrong_state")
    if count_open_batches(session, campaign.id):
        raise Conflict("paper_is_open")
    # Nobody needs to have closed a campaign whose time is over.
    campaign.closed_at = campaign.closed_at or campaign.closes_at
    campaign.frozen_at = now
    sealing = Sealing(campaign_id=campaign.id, step=Step.FROZEN, staff_id=staff and staff.id, moved_at=now)
    session.add(sealing)
    return sealing


def record_snapshot(session: Session, *, campaign_id: int, keyring: Keyring, now: datetime) -> Step:
    """Count what is waiting, recount everything from the ballots, and store snapshot and bulletin.

    Raises Conflict `counts_differ` where the stored rows contradict each other; nothing is stored then.
    """
    campaign, sealing = _require(session, campaign_id, Step.FROZEN)
    settle_marks(session, campaign_id=campaign_id, now=now)
    scoring = settle_scores(session, campaign_id=campaign_id, now=now)
    key = get_campaign_key(session, keyring=keyring, campaign_id=campaign_id)
    difference = find_difference(session, campaign_id=campaign_id) or write_down(
        session, campaign=campaign, scoring=scoring, key=key, staff_id=sealing.staff_id, now=now
    )
    if difference is not None:
        raise Conflict("counts_differ")
    return _reach(session, sealing, Step.RECORDED, now)


def unlink_ballots(session: Session, *, campaign_id: int, now: datetime) -> Step:
    """Give ballots and texts random ids and order; delete participations, keys, flags, marks and disputes.

    Raises Conflict `counts_differ` unless exactly the recorded ballots and participations were there.
    """
    campaign, sealing = _require(session, campaign_id, Step.RECORDED)
    dialect = session.get_bind().dialect.name
    rewritten = _run(session, REWRITE_BALLOTS[dialect], campaign_id)
    for statement in REWRITE_OTHERS[dialect]:
        _run(session, statement, campaign_id)
    gone = _run(session, delete(Participation).where(Participation.campaign_id == campaign_id))
    if not count_published(session, campaign_id) == rewritten == gone:
        raise Conflict("counts_differ")
    _run(session, delete(DirtyMark).where(DirtyMark.campaign_id == campaign_id))
    _run(session, delete(Dispute).where(Dispute.campaign_id == campaign_id))
    session.execute(update(CodeBatch).where(CodeBatch.campaign_id == campaign_id).values(wrapped_key=None))
    campaign.wrapped_key = None
    return _reach(session, sealing, Step.UNLINKED, now)


def _run(session: Session, statement: TextClause | Delete, campaign_id: int | None = None) -> int:
    """Run a statement past the ORM, and return how many rows it wrote."""
    parameters = {} if campaign_id is None else {"campaign_id": campaign_id}
    return session.connection().execute(statement, parameters).rowcount


def finish_sealing(session: Session, *, campaign_id: int, now: datetime) -> Step:
    """Call the campaign sealed, when the files of the database have been cleaned."""
    campaign, sealing = _require(session, campaign_id, Step.UNLINKED)
    campaign.sealed_at = now
    publish(session, CampaignSealed(campaign_id))
    return _reach(session, sealing, Step.SEALED, now)


def _require(session: Session, campaign_id: int, step: Step) -> tuple[Campaign, Sealing]:
    """Hold a campaign that has reached a step; raises Conflict where somebody else took it further."""
    campaign = lock_campaign(session, campaign_id)
    sealing = session.get_one(Sealing, campaign_id, populate_existing=True)
    if sealing.step is not step:
        raise Conflict("wrong_state")
    return campaign, sealing


def _reach(session: Session, sealing: Sealing, step: Step, now: datetime) -> Step:
    sealing.step, sealing.moved_at = step, now
    facts = {"step": step, "snapshot_digest": get_digest(session, sealing.campaign_id)}
    record(session, "campaigns.seal", campaign_target(sealing.campaign_id), after=facts)
    return step
