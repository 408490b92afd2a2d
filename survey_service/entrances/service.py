"""Use cases of entrances: make posted codes and slots, reissue, revoke, preview."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import SubjectRow, get_campaign, list_subjects
from survey_service.campaigns.rules import Mode, RaterClass, State
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring, new_key
from survey_service.core.texts import text
from survey_service.entrances import codes
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import digest_code, last_serials

MAX_COUNT = 5_000
MAX_CODES_PER_CALL = 20_000
POSTED_MODES = frozenset({Mode.OPEN})
SLOT_MODES = frozenset({Mode.HOUSEHOLD, Mode.PANEL})
OPEN_STATES = frozenset({State.DRAFT, State.SCHEDULED, State.OPEN})


@dataclass(frozen=True)
class IssuedCode:
    """A code in the clear, as it is handed to whoever may print it; posted codes have no serial."""

    code: str
    organization_code: str
    mode: Mode
    rater_class: RaterClass
    serial: int | None = None
    place: str = ""

    @property
    def path(self) -> str:
        return f"/s/{self.code}"


def batch_label(batch_id: int) -> str:
    """Return the label that binds a wrapped batch key to its batch."""
    return f"batch:{batch_id}"


def create_entrances(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    organization_codes: Sequence[str],
    mode: Mode,
    rater_class: RaterClass,
    now: datetime,
    count: int = 1,
    place: str = "",
    idempotency_key: str | None = None,
) -> list[IssuedCode]:
    """Make posted codes, or `count` slots with one-time codes for each organization.

    With an idempotency key the same call gives the same codes again. Raises Forbidden for organizations at
    or above the caller's own level, Invalid for a class without weight, Conflict `wrong_state` after closing.
    """
    campaign = get_campaign(session, campaign_id)
    _check_entrance(campaign, mode, rater_class, count * len(organization_codes), now)
    subjects = _subjects_below(session, staff, campaign_id, organization_codes)
    request = canonical_digest([campaign_id, sorted(organization_codes), mode, rater_class, count, place])
    repeated = _find_batch(session, campaign_id, idempotency_key, request)
    if repeated is not None:
        return list(_codes_of_batch(session, keyring, repeated))
    batch = _add_batch(session, keyring, campaign_id, idempotency_key, request, now)
    if mode in POSTED_MODES:
        return _add_posted(session, keyring, batch, subjects, mode, rater_class, place)
    if mode is Mode.HOUSEHOLD:
        campaign.has_household_codes = True
    _add_slots(session, keyring, batch, subjects, mode=mode, rater_class=rater_class, count=count)
    return list(_codes_of_batch(session, keyring, batch))


def _check_entrance(
    campaign: Campaign, mode: Mode, rater_class: RaterClass, codes_wanted: int, now: datetime
) -> None:
    if campaign.window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    if mode not in POSTED_MODES | SLOT_MODES:
        raise Invalid(errors={"mode": [text("entrances.unknown_mode")]})
    if str(rater_class) not in json.loads(campaign.formula)["class_weights"]:
        raise Invalid(errors={"rater_class": [text("entrances.class_without_weight")]})
    if codes_wanted > MAX_CODES_PER_CALL:
        raise Invalid(errors={"count": [text("entrances.too_many", most=MAX_CODES_PER_CALL)]})


def _subjects_below(
    session: Session, staff: Identity, campaign_id: int, organization_codes: Sequence[str]
) -> list[SubjectRow]:
    subjects = list_subjects(session, campaign_id, organization_codes=organization_codes)
    found = {subject.organization_code for subject in subjects}
    if unknown := sorted(set(organization_codes) - found):
        raise Invalid(
            errors={"organization_codes": [text("entrances.not_in_campaign", codes="、".join(unknown))]}
        )
    if not all(staff.is_above(subject.path) for subject in subjects):
        raise Forbidden
    return subjects


def _find_batch(
    session: Session, campaign_id: int, idempotency_key: str | None, request: str
) -> CodeBatch | None:
    if idempotency_key is None:
        return None
    batch = session.scalar(
        select(CodeBatch).where(
            CodeBatch.campaign_id == campaign_id, CodeBatch.idempotency_key == idempotency_key
        )
    )
    if batch is not None and batch.request_digest != request:
        raise Conflict("idempotency_key_reused")
    return batch


def _add_batch(
    session: Session,
    keyring: Keyring,
    campaign_id: int,
    idempotency_key: str | None,
    request: str,
    now: datetime,
) -> CodeBatch:
    batch = CodeBatch(
        campaign_id=campaign_id, idempotency_key=idempotency_key, request_digest=request, created_at=now
    )
    session.add(batch)
    session.flush()
    batch.wrapped_key = keyring.wrap(new_key(), label=batch_label(batch.id))
    return batch


def _batch_key(keyring: Keyring, batch: CodeBatch) -> bytes:
    if batch.wrapped_key is None:
        raise Conflict("codes_handed_out")
    return keyring.unwrap(batch.wrapped_key, label=batch_label(batch.id))


def _add_posted(
    session: Session,
    keyring: Keyring,
    batch: CodeBatch,
    subjects: Sequence[SubjectRow],
    mode: Mode,
    rater_class: RaterClass,
    place: str,
) -> list[IssuedCode]:
    key = _batch_key(keyring, batch)
    issued = [
        IssuedCode(
            codes.code_of_slot(key, serial=subject.subject_id, issue=0),
            subject.organization_code,
            mode,
            rater_class,
            place=place,
        )
        for subject in subjects
    ]
    session.execute(
        insert(Entrance),
        [
            {
                "campaign_id": batch.campaign_id,
                "subject_id": subject.subject_id,
                "mode": mode,
                "rater_class": rater_class,
                "code": one.code,
                "code_digest": digest_code(keyring, one.code),
                "place": place,
                "batch_id": batch.id,
            }
            for subject, one in zip(subjects, issued, strict=True)
        ],
    )
    return issued


def _add_slots(
    session: Session,
    keyring: Keyring,
    batch: CodeBatch,
    subjects: Sequence[SubjectRow],
    *,
    mode: Mode,
    rater_class: RaterClass,
    count: int,
) -> None:
    # Each slot's code follows from the batch key and the row's own id, which is unique in the batch.
    key = _batch_key(keyring, batch)
    last = last_serials(session, campaign_id=batch.campaign_id, mode=mode, rater_class=rater_class)
    session.execute(
        insert(Entrance),
        [
            {
                "campaign_id": batch.campaign_id,
                "subject_id": subject.subject_id,
                "mode": mode,
                "rater_class": rater_class,
                "code_digest": digest_code(keyring, _slot_code(key, subject.subject_id, serial, 1)),
                "batch_id": batch.id,
                "serial": serial,
            }
            for subject in subjects
            for serial in _following(last.get(subject.subject_id, 0), count)
        ],
    )


def _following(last: int, count: int) -> range:
    return range(last + 1, last + count + 1)


def _slot_code(key: bytes, subject_id: int, serial: int, issue: int) -> str:
    """Return the code of a slot; the subject stands in the upper half of the number that goes in."""
    return codes.code_of_slot(key, serial=subject_id << 32 | serial, issue=issue)


def _codes_of_batch(session: Session, keyring: Keyring, batch: CodeBatch) -> Iterator[IssuedCode]:
    """Return the codes of a batch in the clear; raises Conflict when it has been handed out."""
    entrances = session.scalars(
        select(Entrance)
        .where(Entrance.batch_id == batch.id, Entrance.revoked_at.is_(None))
        .order_by(Entrance.id)
    ).all()
    organization_codes = {
        subject.subject_id: subject.organization_code for subject in list_subjects(session, batch.campaign_id)
    }
    for entrance in entrances:
        yield IssuedCode(
            code_in_clear(keyring, batch, entrance),
            organization_codes[entrance.subject_id],
            entrance.mode,
            entrance.rater_class,
            serial=entrance.serial,
            place=entrance.place,
        )


def code_in_clear(keyring: Keyring, batch: CodeBatch, entrance: Entrance) -> str:
    """Return an entrance's code; raises Conflict `codes_handed_out` when its batch key is gone."""
    if entrance.code is not None:
        return entrance.code
    assert entrance.serial is not None
    return _slot_code(_batch_key(keyring, batch), entrance.subject_id, entrance.serial, entrance.issue)


def create_preview(
    session: Session, *, staff: Identity, keyring: Keyring, campaign_id: int, organization_code: str
) -> IssuedCode:
    """Make a posted entrance whose ballots are checked and thrown away."""
    campaign = get_campaign(session, campaign_id)
    (subject,) = _subjects_below(session, staff, campaign_id, [organization_code])
    rater_class = RaterClass(next(iter(json.loads(campaign.formula)["class_weights"])))
    code = codes.random_code()
    session.add(
        Entrance(
            campaign_id=campaign_id,
            subject_id=subject.subject_id,
            mode=Mode.OPEN,
            rater_class=rater_class,
            code=code,
            code_digest=digest_code(keyring, code),
            is_preview=True,
        )
    )
    return IssuedCode(code, organization_code, Mode.OPEN, rater_class)


def revoke_entrance(
    session: Session, *, staff: Identity, keyring: Keyring, raw_code: str, now: datetime
) -> None:
    """Close an entrance at once; ballots that came through it stay."""
    code = codes.normalize(raw_code)
    entrance = session.scalar(
        select(Entrance).where(Entrance.code_digest == digest_code(keyring, code or ""))
    )
    if entrance is None or entrance.revoked_at is not None:
        raise NotFound("unknown_entrance")
    staff.require(_path_of(session, entrance))
    entrance.revoked_at = now


def _path_of(session: Session, entrance: Entrance) -> str:
    subjects = list_subjects(session, entrance.campaign_id)
    return next(subject.path for subject in subjects if subject.subject_id == entrance.subject_id)
