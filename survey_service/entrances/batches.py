"""Batches of codes: each has a key of its own, from which its codes are derived until it is destroyed."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core.audit import record
from survey_service.core.digests import DIGEST_BYTES
from survey_service.core.errors import Conflict
from survey_service.core.events import publish
from survey_service.core.privacy import Keyring, new_key
from survey_service.entrances import codes
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import digest_code, last_serials
from survey_service.entrances.rules import KEY_LIFETIME, SLOT_MODES, KeysDestroyed

FIRST_ISSUE = 1
"""Reissue raises this number of a slot, and with it the code changes."""
# A county is 92,000 rows: past the ORM, one statement for each batch, with its digests one behind the other.
_STORE_SLOTS = text(
    "INSERT INTO entrance (campaign_id, subject_id, panel_id, batch_id, turn, mode, rater_class, issue,"
    " place, is_preview, serial, code_digest)"
    " WITH RECURSIVE slot (serial) AS"
    " (SELECT CAST(:first AS integer) UNION ALL SELECT serial + 1 FROM slot WHERE serial < :last)"
    " SELECT campaign_id, subject_id, panel_id, id, turn, mode, rater_class, :issue, '', false, serial,"
    " substr(:digests, 1 + :length * (serial - :first), :length)"
    " FROM code_batch CROSS JOIN slot WHERE id = :batch_id"
    # The intake tells codes that come in the order of printing by the ids of their slots.
    " ORDER BY serial"
)


def batch_label(batch_id: int) -> str:
    """Return the label that binds a wrapped batch key to its batch."""
    return f"batch:{batch_id}"


def find_batches(
    session: Session, *, campaign_id: int, idempotency_key: str | None, request: str
) -> list[CodeBatch]:
    """Return what an earlier call with the same key made.

    Raises Conflict `idempotency_key_reused` when that call asked for something else.
    """
    if idempotency_key is None:
        return []
    batches = list(
        session.scalars(
            select(CodeBatch)
            .where(CodeBatch.campaign_id == campaign_id, CodeBatch.idempotency_key == idempotency_key)
            .order_by(CodeBatch.id)
        )
    )
    if any(batch.request_digest != request for batch in batches):
        raise Conflict("idempotency_key_reused")
    return batches


def add_batches(
    session: Session,
    keyring: Keyring,
    *,
    campaign_id: int,
    subject_ids: Iterable[int | None],
    mode: Mode,
    rater_class: RaterClass,
    request: str,
    now: datetime,
    idempotency_key: str | None = None,
    panel_id: int | None = None,
) -> list[CodeBatch]:
    """Make a batch with a fresh key for each subject, or for a panel, whose subject is None.

    Raises Conflict `idempotency_key_reused`.
    """
    batches = [
        CodeBatch(
            campaign_id=campaign_id,
            subject_id=subject_id,
            panel_id=panel_id,
            mode=mode,
            rater_class=rater_class,
            idempotency_key=idempotency_key,
            request_digest=request,
            created_at=now,
        )
        for subject_id in subject_ids
    ]
    session.add_all(batches)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("idempotency_key_reused") from error
    for batch in batches:
        batch.wrapped_key = keyring.wrap(new_key(), label=batch_label(batch.id))
    session.flush()
    return batches


def batch_key(keyring: Keyring, batch: CodeBatch) -> bytes:
    """Return the key of a batch; raises Conflict `codes_handed_out` when it has been destroyed."""
    if batch.wrapped_key is None:
        raise Conflict("codes_handed_out")
    return keyring.unwrap(batch.wrapped_key, label=batch_label(batch.id))


def slot_code(key: bytes, *, place_id: int, serial: int, issue: int) -> str:
    """Return the code of a slot; its subject or panel stands in the upper half of the number that goes in."""
    return codes.code_of_slot(key, serial=place_id << 32 | serial, issue=issue)


def code_in_clear(keyring: Keyring, batch: CodeBatch, entrance: Entrance) -> str:
    """Return an entrance's code; raises Conflict `codes_handed_out` when its batch key is gone.

    In a sitting `batch` is the lead, which has the key.
    """
    if entrance.code is not None:
        return entrance.code
    assert entrance.serial is not None
    # A batch of an earlier release may hold slots of several subjects.
    place_id = entrance.subject_id or batch.place_id
    key = batch_key(keyring, batch)
    return slot_code(key, place_id=place_id, serial=entrance.serial, issue=entrance.issue)


def make_slots(
    session: Session, keyring: Keyring, batches: Iterable[CodeBatch], serials: Mapping[int, range]
) -> None:
    """Store the slots of new batches; `serials` are those of each subject or panel, one after another."""
    for batch in batches:
        if numbers := serials[batch.place_id]:
            slots = {
                "batch_id": batch.id,
                "first": numbers[0],
                "last": numbers[-1],
                "issue": FIRST_ISSUE,
                "digests": b"".join(_slot_digests(keyring, batch, numbers)),
                "length": DIGEST_BYTES,
            }
            session.execute(_STORE_SLOTS, slots)


def _slot_digests(keyring: Keyring, batch: CodeBatch, serials: range) -> Iterator[bytes]:
    key = batch_key(keyring, batch)
    for serial in serials:
        yield digest_code(keyring, slot_code(key, place_id=batch.place_id, serial=serial, issue=FIRST_ISSUE))


def next_serials(
    session: Session, *, campaign_id: int, mode: Mode, rater_class: RaterClass, counts: Mapping[int, int]
) -> dict[int, range]:
    """Return the serials that follow the last of each subject, so many as `counts` says.

    The caller holds the subjects (`lock_subjects`).
    """
    last = last_serials(session, campaign_id=campaign_id, mode=mode, rater_class=rater_class)
    return {
        subject_id: range(last.get(subject_id, 0) + 1, last.get(subject_id, 0) + count + 1)
        for subject_id, count in counts.items()
    }


def mark_printed(batches: Iterable[CodeBatch], now: datetime) -> None:
    """Remember when codes left the system for the first time: the days of their keys begin."""
    for batch in batches:
        if batch.mode in SLOT_MODES:
            batch.printed_at = batch.printed_at or now


def hand_out(session: Session, batches: Sequence[CodeBatch], now: datetime) -> None:
    """Mark batches as handed out, and destroy their keys."""
    for batch in batches:
        batch.handed_out_at, batch.wrapped_key = now, None
    _tell(session, batches)


def destroy_due_keys(session: Session, *, now: datetime) -> int:
    """Destroy the keys whose time is over: printed seven days ago, or of a campaign that has ended."""
    due = session.scalars(_due_batches(now).with_for_update(of=CodeBatch, skip_locked=True)).all()
    for batch in due:
        batch.wrapped_key = None
    for campaign_id, batches in _by_campaign(due).items():
        facts = {"batches": [batch.id for batch in batches]}
        record(session, "codes.destroy_keys", campaign_target(campaign_id), after=facts)
    _tell(session, due)
    return len(due)


def has_due_keys(session: Session, *, now: datetime) -> bool:
    """Tell whether a key's time is over."""
    return session.scalar(_due_batches(now).with_only_columns(CodeBatch.id).limit(1)) is not None


def _due_batches(now: datetime) -> Select[CodeBatch]:
    has_ended = or_(
        Campaign.closed_at.is_not(None), Campaign.withdrawn_at.is_not(None), Campaign.closes_at < now
    )
    return (
        select(CodeBatch)
        .join(Campaign, Campaign.id == CodeBatch.campaign_id)
        .where(CodeBatch.wrapped_key.is_not(None))
        .where(or_(CodeBatch.printed_at < now - KEY_LIFETIME, has_ended))
    )


def _tell(session: Session, batches: Iterable[CodeBatch]) -> None:
    for campaign_id in _by_campaign(batches):
        publish(session, KeysDestroyed(campaign_id))


def _by_campaign(batches: Iterable[CodeBatch]) -> dict[int, list[CodeBatch]]:
    found: dict[int, list[CodeBatch]] = {}
    for batch in batches:
        found.setdefault(batch.campaign_id, []).append(batch)
    return found
