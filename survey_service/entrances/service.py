"""Use cases of entrances: make posted codes and slots, reissue, revoke, preview."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    get_campaign,
    get_formula,
    list_subjects,
    lock_subjects,
)
from survey_service.campaigns.rules import Mode, RaterClass, State, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring, new_key
from survey_service.core.texts import text
from survey_service.entrances import codes
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import digest_code, find_entrance, last_serials

MAX_COUNT = 5_000
MAX_CODES_PER_CALL = 20_000
POSTED_MODES = frozenset({Mode.OPEN})
SLOT_MODES = frozenset({Mode.HOUSEHOLD, Mode.PANEL})
FIRST_ISSUE = 1
"""Reissue raises this number of a slot, and with it the code changes."""
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


@dataclass(frozen=True)
class _Wanted:
    """What is made for each organization."""

    mode: Mode
    rater_class: RaterClass
    count: int
    place: str


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
    """Make `count` posted codes, or slots with one-time codes, for each organization.

    With an idempotency key the same call gives the same codes again. Raises Forbidden for organizations at
    or above the caller's own level, Invalid for a class without weight, Conflict `wrong_state` after closing.
    """
    campaign = get_campaign(session, campaign_id)
    check_entrance(campaign, mode, rater_class, count * len(organization_codes), now)
    subjects = _subjects_below(session, staff, campaign_id, organization_codes)
    # Others who make entrances of the same subjects wait here, for the serials and for the batch.
    lock_subjects(session, campaign_id, [subject.subject_id for subject in subjects])
    wanted = _Wanted(mode, rater_class, count, place)
    request = canonical_digest([campaign_id, sorted(organization_codes), *astuple(wanted)])
    batch = find_batch(session, campaign_id, idempotency_key, request)
    is_repeated = batch is not None
    if batch is None:
        batch = add_batch(session, keyring, campaign_id, idempotency_key, request, now)
        session.execute(insert(Entrance), _rows(session, keyring, batch, subjects, wanted))
        if mode is Mode.HOUSEHOLD and campaign.launched_at is None:
            campaign.has_household_codes = True
    facts = asdict(wanted) | {"batch": batch.id, "organization_codes": sorted(organization_codes)}
    if is_repeated:
        facts |= {"shown_again": True}
    record(session, "entrances.create", campaign_target(campaign_id), after=facts)
    return list(_codes_of_batch(session, keyring, batch, subjects))


def check_entrance(
    campaign: Campaign, mode: Mode, rater_class: RaterClass, codes_wanted: int, now: datetime
) -> None:
    if campaign.window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    if mode not in POSTED_MODES | SLOT_MODES:
        raise Invalid(errors={"mode": [text("entrances.unknown_mode")]})
    if rater_class not in get_formula(campaign).class_weights:
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


def find_batch(
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


def add_batch(
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
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict("idempotency_key_reused") from error
    batch.wrapped_key = keyring.wrap(new_key(), label=batch_label(batch.id))
    return batch


def batch_key(keyring: Keyring, batch: CodeBatch) -> bytes:
    if batch.wrapped_key is None:
        raise Conflict("codes_handed_out")
    return keyring.unwrap(batch.wrapped_key, label=batch_label(batch.id))


def _rows(
    session: Session, keyring: Keyring, batch: CodeBatch, subjects: Sequence[SubjectRow], wanted: _Wanted
) -> list[dict[str, object]]:
    """Return the rows of new entrances, subject by subject."""
    shared = {
        "campaign_id": batch.campaign_id,
        "batch_id": batch.id,
        "mode": wanted.mode,
        "rater_class": wanted.rater_class,
        "place": wanted.place,
    }
    if wanted.mode in POSTED_MODES:
        parts = [_posted_part(keyring, subject) for subject in subjects for _ in range(wanted.count)]
    else:
        parts = list(_slot_parts(session, keyring, batch, subjects, wanted))
    return [shared | part for part in parts]


def _posted_part(keyring: Keyring, subject: SubjectRow) -> dict[str, object]:
    code = codes.random_code()
    return {"subject_id": subject.subject_id, "code": code, "code_digest": digest_code(keyring, code)}


def _slot_parts(
    session: Session, keyring: Keyring, batch: CodeBatch, subjects: Sequence[SubjectRow], wanted: _Wanted
) -> Iterator[dict[str, object]]:
    """Yield the slots that follow the last serial of each subject."""
    key = batch_key(keyring, batch)
    last = last_serials(
        session, campaign_id=batch.campaign_id, mode=wanted.mode, rater_class=wanted.rater_class
    )
    for subject_id in (subject.subject_id for subject in subjects):
        first = last.get(subject_id, 0) + 1
        for serial in range(first, first + wanted.count):
            digest = digest_code(keyring, slot_code(key, subject_id, serial, FIRST_ISSUE))
            yield {"subject_id": subject_id, "serial": serial, "code_digest": digest}


def slot_code(key: bytes, place_id: int, serial: int, issue: int) -> str:
    """Return the code of a slot; its subject or panel stands in the upper half of the number that goes in."""
    return codes.code_of_slot(key, serial=place_id << 32 | serial, issue=issue)


def _codes_of_batch(
    session: Session, keyring: Keyring, batch: CodeBatch, subjects: Sequence[SubjectRow]
) -> Iterator[IssuedCode]:
    """Return the valid codes of a batch in the clear; raises Conflict when it has been handed out."""
    organization_codes = {subject.subject_id: subject.organization_code for subject in subjects}
    entrances = session.scalars(
        select(Entrance)
        .where(Entrance.batch_id == batch.id, Entrance.revoked_at.is_(None))
        .order_by(Entrance.id)
    )
    for entrance in entrances:
        yield IssuedCode(
            code_in_clear(keyring, batch, entrance),
            organization_codes[entrance.subject_id or 0],
            entrance.mode,
            entrance.rater_class,
            serial=entrance.serial,
            place=entrance.place,
        )


def code_in_clear(keyring: Keyring, batch: CodeBatch, entrance: Entrance) -> str:
    """Return an entrance's code; raises Conflict `codes_handed_out` when its batch key is gone."""
    if entrance.code is not None:
        return entrance.code
    # A batch holds the slots of subjects or those of one panel, never both.
    place_id = entrance.subject_id or entrance.panel_id
    assert entrance.serial is not None
    assert place_id is not None
    return slot_code(batch_key(keyring, batch), place_id, entrance.serial, entrance.issue)


def create_preview(
    session: Session, *, staff: Identity, keyring: Keyring, campaign_id: int, organization_code: str
) -> IssuedCode:
    """Make a posted entrance whose ballots are checked and thrown away."""
    campaign = get_campaign(session, campaign_id)
    (subject,) = _subjects_below(session, staff, campaign_id, [organization_code])
    rater_class = next(iter(get_formula(campaign).class_weights))
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
    facts = {"organization_code": organization_code}
    record(session, "entrances.preview", campaign_target(campaign_id), after=facts)
    return IssuedCode(code, organization_code, Mode.OPEN, rater_class)


def revoke_entrance(
    session: Session, *, staff: Identity, keyring: Keyring, raw_code: str, now: datetime
) -> None:
    """Close an entrance at once; ballots that came through it stay.

    Raises NotFound `unknown_entrance`, and Forbidden for staff who do not stand above the organization.
    """
    entrance, path = find_entrance(session, keyring=keyring, raw_code=raw_code)
    # A panel's organization is not rated itself; all whom it rates stand below.
    if not (staff.covers(path) if entrance.panel_id else staff.is_above(path)):
        raise Forbidden
    entrance.revoked_at = now
    facts = {"campaign_id": entrance.campaign_id, "mode": entrance.mode, "serial": entrance.serial}
    record(session, "entrances.revoke", f"entrance:{entrance.id}", after=facts)
