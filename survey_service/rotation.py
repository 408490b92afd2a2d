"""Wrap every stored key anew when the master key changes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import key_label
from survey_service.core.audit import record
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict
from survey_service.core.privacy import Keyring
from survey_service.entrances.batches import batch_label
from survey_service.entrances.models import CodeBatch
from survey_service.opinions.models import OpinionKey
from survey_service.opinions.vault import key_label as opinion_key_label
from survey_service.staff.models import SecondFactor
from survey_service.staff.second_factor import secret_label
from survey_service.webhooks.models import Webhook
from survey_service.webhooks.service import secret_label as webhook_label

KEYS_TARGET = "keys"
_AT_ONCE = 100
"""Keys in one transaction: an interrupted rotation loses no more work than that."""


@dataclass(frozen=True)
class _Kept:
    """Where wrapped keys stand, and what binds each to its row."""

    name: str
    model: type[Campaign] | type[CodeBatch] | type[SecondFactor] | type[OpinionKey] | type[Webhook]
    id: InstrumentedAttribute[int]
    column: str
    label: Callable[[int], str]


_KEPT = (
    _Kept("campaign", Campaign, Campaign.id, "wrapped_key", key_label),
    _Kept("code_batch", CodeBatch, CodeBatch.id, "wrapped_key", batch_label),
    _Kept("opinion_key", OpinionKey, OpinionKey.id, "wrapped_key", opinion_key_label),
    _Kept("second_factor", SecondFactor, SecondFactor.staff_id, "wrapped_secret", secret_label),
    _Kept("webhook", Webhook, Webhook.id, "wrapped_secret", webhook_label),
)


@dataclass(frozen=True)
class Rotation:
    """How many keys of a table were wrapped anew, and how many were already."""

    table: str
    changed: int
    kept: int


def unsealed_campaigns(session: Session) -> list[int]:
    """Return the campaigns whose codes and devices still hang on the old master key."""
    has_key: ColumnElement[bool] = Campaign.wrapped_key.is_not(None)
    statement = select(Campaign.id).where(has_key, Campaign.withdrawn_at.is_(None)).order_by(Campaign.id)
    return list(session.scalars(statement))


def rotate_keys(*, earlier: Keyring, present: Keyring, is_forced: bool) -> list[Rotation]:
    """Wrap all keys by the present master key, some at a time; said again, it goes on where it stopped.

    Raises Conflict `campaigns_running` while printed codes still need the earlier key, unless forced, and
    ValueError for a key that neither master key opens.
    """
    with reading() as session:
        running = unsealed_campaigns(session)
    if running and not is_forced:
        raise Conflict("campaigns_running", campaigns="、".join(map(str, running)))
    return [_rotate(kept, earlier, present) for kept in _KEPT]


def _rotate(kept: _Kept, earlier: Keyring, present: Keyring) -> Rotation:
    changed = already = 0
    for ids in _portions(kept):
        with unit_of_work() as session:
            anew = sum(_rewrap(session, kept, one, earlier, present) for one in ids)
            if anew:
                record(session, "keys.rotate", KEYS_TARGET, after={"table": kept.name, "keys": anew})
        changed, already = changed + anew, already + len(ids) - anew
    return Rotation(kept.name, changed, already)


def _portions(kept: _Kept) -> Iterator[list[int]]:
    last = 0
    while True:
        column = getattr(kept.model, kept.column)
        statement = select(kept.id).where(kept.id > last, column.is_not(None)).order_by(kept.id)
        with reading() as session:
            ids = list(session.scalars(statement.limit(_AT_ONCE)))
        if not ids:
            return
        yield ids
        last = ids[-1]


def _rewrap(session: Session, kept: _Kept, one: int, earlier: Keyring, present: Keyring) -> bool:
    """Wrap one key anew; tell whether that was needed."""
    row = session.get(kept.model, one, with_for_update=True)
    wrapped = getattr(row, kept.column, None)
    label = kept.label(one)
    if wrapped is None or present.can_unwrap(wrapped, label=label):
        return False
    setattr(row, kept.column, present.wrap(earlier.unwrap(wrapped, label=label), label=label))
    return True
