"""Delete what the schedule says, or count it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Delete, Update, delete, exists, func, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey_service.ballots.models import BallotText
from survey_service.campaigns.models import Campaign, CampaignRecording
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.db import Base
from survey_service.entrances.models import CodeBatch, Entrance, HouseholdGroup
from survey_service.opinions.models import Opinion, OpinionOriginal, OpinionPhoto, OpinionStep
from survey_service.opinions.rules import State
from survey_service.print_runs.models import PrintRun
from survey_service.retention.models import THE_ONE, RetentionRun
from survey_service.retention.rules import Kind, Purged, Rule
from survey_service.staff.models import StaffToken
from survey_service.webhooks.models import WebhookDelivery


@dataclass(frozen=True)
class _Selection:
    """Rows of a table that are due, and what is done with them."""

    table: type[Base]
    condition: ColumnElement[bool]
    act: Delete | Update


def run_schedule(session: Session, *, schedule: Sequence[Rule], now: datetime) -> Sequence[Purged]:
    """Delete what is due, and leave an entry with the numbers in the audit trail."""
    session.get_one(RetentionRun, THE_ONE).ran_on = clock.local_day(now)
    purged = [Purged(rule, _purge(session, rule, now)) for rule in schedule]
    numbers = {str(one.rule.kind): one.number for one in purged}
    record(session, "retention.run", "retention", after=numbers)
    return purged


def preview_schedule(session: Session, *, schedule: Sequence[Rule], now: datetime) -> Sequence[Purged]:
    """Count what a run would delete."""
    return [Purged(rule, _count(session, rule, now)) for rule in schedule]


def is_due(session: Session, *, now: datetime, is_locked: bool = False) -> bool:
    """Tell whether the schedule has not been run today; `is_locked` lets others wait for who runs it now."""
    run = session.get_one(RetentionRun, THE_ONE, with_for_update=is_locked or None)
    return run.ran_on != clock.local_day(now)


def _count(session: Session, rule: Rule, now: datetime) -> int:
    if (limit := rule.limit(now)) is None:
        return 0
    found = _SELECTIONS[rule.kind](limit)
    return session.scalar(select(func.count()).select_from(found.table).where(found.condition)) or 0


def _purge(session: Session, rule: Rule, now: datetime) -> int:
    if (limit := rule.limit(now)) is None:
        return 0
    found = _SELECTIONS[rule.kind](limit)
    if rule.kind is Kind.RECORDINGS:
        session.execute(_forget_recordings(limit))
    result: CursorResult[Any] = session.connection().execute(found.act.where(found.condition))
    return result.rowcount


def _is_sealed(campaign_id: InstrumentedAttribute[int], before: datetime) -> ColumnElement[bool]:
    """Return the condition that a row belongs to a campaign that was sealed before a moment."""
    return campaign_id.in_(select(Campaign.id).where(Campaign.sealed_at < before))


def _forget_recordings(before: datetime) -> Update:
    return update(Campaign).where(Campaign.sealed_at < before).values(recording_digest=None)


def _tokens(before: datetime) -> _Selection:
    return _Selection(StaffToken, StaffToken.expires_at < before, delete(StaffToken))


def _retries(before: datetime) -> _Selection:
    due = CodeBatch.idempotency_key.is_not(None) & (CodeBatch.created_at < before)
    return _Selection(CodeBatch, due, update(CodeBatch).values(idempotency_key=None))


def _slots(before: datetime) -> _Selection:
    """Posted codes stay: a sealed ballot names the place where its code hung."""
    due = Entrance.serial.is_not(None) & _is_sealed(Entrance.campaign_id, before)
    return _Selection(Entrance, due, delete(Entrance))


def _batches(before: datetime) -> _Selection:
    is_named = exists().where(Entrance.batch_id == CodeBatch.id, Entrance.serial.is_(None))
    due = _is_sealed(CodeBatch.campaign_id, before) & ~is_named
    return _Selection(CodeBatch, due, delete(CodeBatch))


def _groups(before: datetime) -> _Selection:
    due = _is_sealed(HouseholdGroup.campaign_id, before)
    return _Selection(HouseholdGroup, due, delete(HouseholdGroup))


def _print_runs(before: datetime) -> _Selection:
    return _Selection(PrintRun, _is_sealed(PrintRun.campaign_id, before), delete(PrintRun))


def _recordings(before: datetime) -> _Selection:
    due = _is_sealed(CampaignRecording.campaign_id, before)
    return _Selection(CampaignRecording, due, delete(CampaignRecording))


def _texts(before: datetime) -> _Selection:
    return _Selection(BallotText, _is_sealed(BallotText.campaign_id, before), delete(BallotText))


def _deliveries(before: datetime) -> _Selection:
    return _Selection(WebhookDelivery, WebhookDelivery.created_at < before, delete(WebhookDelivery))


def _is_of_ended_case(opinion_id: InstrumentedAttribute[int], before: datetime) -> ColumnElement[bool]:
    """Return the condition that nothing has happened to a case since it ended, before a moment."""
    limit = clock.local_day(before)
    is_recent = exists().where(OpinionStep.opinion_id == Opinion.id, OpinionStep.taken_on >= limit)
    has_ended = Opinion.state.in_([State.CLOSED, State.DECLINED, State.JOINED])
    return opinion_id.in_(select(Opinion.id).where(has_ended, ~is_recent))


def _originals(before: datetime) -> _Selection:
    due = _is_of_ended_case(OpinionOriginal.opinion_id, before)
    return _Selection(OpinionOriginal, due, delete(OpinionOriginal))


def _photos(before: datetime) -> _Selection:
    due = _is_of_ended_case(OpinionPhoto.opinion_id, before)
    return _Selection(OpinionPhoto, due, delete(OpinionPhoto))


_SELECTIONS: Mapping[Kind, Callable[[datetime], _Selection]] = {
    Kind.STAFF_TOKENS: _tokens,
    Kind.IDEMPOTENCY_KEYS: _retries,
    Kind.CREDENTIALS: _slots,
    Kind.CODE_BATCHES: _batches,
    Kind.HOUSEHOLD_GROUPS: _groups,
    Kind.PRINT_RUNS: _print_runs,
    Kind.RECORDINGS: _recordings,
    Kind.TEXTS: _texts,
    Kind.OPINION_ORIGINALS: _originals,
    Kind.OPINION_PHOTOS: _photos,
    Kind.WEBHOOK_DELIVERIES: _deliveries,
}
