"""Use cases of entrances: make posted codes and slots, reissue, revoke, preview."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    get_campaign,
    get_formula,
    get_visible_campaign,
    hold_rated,
    list_subjects,
)
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances import codes
from survey_service.entrances.batches import (
    add_batches,
    code_in_clear,
    find_batches,
    make_slots,
    mark_printed,
    next_serials,
)
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import digest_code, find_entrances
from survey_service.entrances.rules import OPEN_STATES, POSTED_MODES, SLOT_MODES

MAX_COUNT = 5_000
MAX_CODES_PER_CALL = 20_000


@dataclass(frozen=True)
class IssuedCode:
    """A code in the clear, as it is handed to whoever may print it; posted codes have no serial."""

    code: str
    organization_code: str
    mode: Mode
    rater_class: RaterClass
    serial: int | None = None
    place: str = ""
    rates: str = ""
    """Whom a panel's code rates, in words, where it is shown for printing."""

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
    are_shown: bool = True,
) -> list[IssuedCode]:
    """Make `count` posted codes, or slots with one-time codes, for each organization.

    With an idempotency key the same call gives the same codes again. `are_shown` says that the caller hands
    the codes on: the days begin after which they cannot be shown again. Raises Forbidden for organizations
    at or above the caller's own level, Invalid for a class without weight, Conflict `wrong_state` after
    closing, and `codes_handed_out`.
    """
    campaign = get_visible_campaign(session, campaign_id, staff)
    check_entrance(campaign, mode, rater_class, now)
    check_number(count * len(organization_codes))
    subjects = subjects_below(session, staff, campaign_id, organization_codes)
    # Others who make entrances of the same subjects wait here, for the serials and for the batch.
    hold_rated(session, campaign_id, [subject.subject_id for subject in subjects])
    wanted = _Wanted(mode, rater_class, count, place)
    request = canonical_digest([campaign_id, sorted(organization_codes), *astuple(wanted)])
    made = find_batches(session, campaign_id=campaign_id, idempotency_key=idempotency_key, request=request)
    batches = made or _make(session, keyring, campaign, subjects, wanted, request, idempotency_key, now)
    facts = asdict(wanted) | {"organization_codes": sorted(organization_codes)}
    if made:
        facts |= {"shown_again": True}
    record(session, "entrances.create", campaign_target(campaign_id), after=facts)
    if are_shown:
        mark_printed(batches, now)
    return list(_codes_of(session, keyring, batches, subjects))


def _make(
    session: Session,
    keyring: Keyring,
    campaign: Campaign,
    subjects: Sequence[SubjectRow],
    wanted: _Wanted,
    request: str,
    idempotency_key: str | None,
    now: datetime,
) -> list[CodeBatch]:
    batches = add_batches(
        session,
        keyring,
        campaign_id=campaign.id,
        subject_ids=[subject.subject_id for subject in subjects],
        mode=wanted.mode,
        rater_class=wanted.rater_class,
        request=request,
        idempotency_key=idempotency_key,
        now=now,
    )
    if wanted.mode in POSTED_MODES:
        session.execute(insert(Entrance), list(_posted_rows(keyring, batches, wanted)))
        return batches
    counts = {subject.subject_id: wanted.count for subject in subjects}
    serials = next_serials(
        session, campaign_id=campaign.id, mode=wanted.mode, rater_class=wanted.rater_class, counts=counts
    )
    make_slots(session, keyring, batches, serials)
    note_household_codes(campaign, wanted.mode)
    return batches


def note_household_codes(campaign: Campaign, mode: Mode) -> None:
    """Let the households be the eligible of a campaign that is not frozen yet."""
    if mode is Mode.HOUSEHOLD and campaign.launched_at is None:
        campaign.has_household_codes = True


def check_entrance(campaign: Campaign, mode: Mode, rater_class: RaterClass, now: datetime) -> None:
    """Refuse what cannot be made: Conflict `wrong_state` after closing, Invalid."""
    if campaign.window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    if mode not in POSTED_MODES | SLOT_MODES:
        raise Invalid(errors={"mode": [text("entrances.unknown_mode")]})
    if rater_class not in get_formula(campaign).class_weights:
        raise Invalid(errors={"rater_class": [text("entrances.class_without_weight")]})


def check_number(codes_wanted: int) -> None:
    """Refuse to make too many codes in one call; raises Invalid."""
    if codes_wanted > MAX_CODES_PER_CALL:
        raise Invalid(errors={"count": [text("entrances.too_many", most=MAX_CODES_PER_CALL)]})


def subjects_below(
    session: Session, staff: Identity, campaign_id: int, organization_codes: Sequence[str]
) -> list[SubjectRow]:
    """Return subjects of a campaign; raises Invalid for others, Forbidden at or above the caller's level."""
    subjects = list_subjects(session, campaign_id, organization_codes=organization_codes)
    found = {subject.organization_code for subject in subjects}
    if unknown := sorted(set(organization_codes) - found):
        raise Invalid(
            errors={"organization_codes": [text("entrances.not_in_campaign", codes="、".join(unknown))]}
        )
    if not all(staff.is_above(subject.path) for subject in subjects):
        raise Forbidden
    return subjects


def _posted_rows(
    keyring: Keyring, batches: Sequence[CodeBatch], wanted: _Wanted
) -> Iterator[dict[str, object]]:
    for batch in batches:
        for _ in range(wanted.count):
            code = codes.random_code()
            yield {
                "campaign_id": batch.campaign_id,
                "subject_id": batch.subject_id,
                "batch_id": batch.id,
                "mode": wanted.mode,
                "rater_class": wanted.rater_class,
                "place": wanted.place,
                "code": code,
                "code_digest": digest_code(keyring, code),
            }


def _codes_of(
    session: Session, keyring: Keyring, batches: Sequence[CodeBatch], subjects: Sequence[SubjectRow]
) -> Iterator[IssuedCode]:
    """Return the valid codes of batches in the clear; raises Conflict when they have been handed out."""
    organization_codes = {subject.subject_id: subject.organization_code for subject in subjects}
    by_id = {batch.id: batch for batch in batches}
    entrances = session.scalars(
        select(Entrance)
        .where(Entrance.batch_id.in_(by_id), Entrance.revoked_at.is_(None))
        .order_by(Entrance.batch_id, Entrance.serial, Entrance.id)
    )
    for entrance in entrances:
        assert entrance.batch_id is not None
        yield IssuedCode(
            code_in_clear(keyring, by_id[entrance.batch_id], entrance),
            organization_codes[entrance.subject_id or 0],
            entrance.mode,
            entrance.rater_class,
            serial=entrance.serial,
            place=entrance.place,
        )


def create_preview(
    session: Session, *, staff: Identity, keyring: Keyring, campaign_id: int, organization_code: str
) -> IssuedCode:
    """Make a posted entrance whose ballots are checked and thrown away."""
    campaign = get_campaign(session, campaign_id)
    (subject,) = subjects_below(session, staff, campaign_id, [organization_code])
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

    A code of a sitting is closed in all its campaigns. Raises NotFound `unknown_entrance`, and Forbidden for
    staff who do not stand above the organization.
    """
    for entrance, path in find_entrances(session, keyring=keyring, raw_code=raw_code):
        # A panel's organization is not rated itself; all whom it rates stand below.
        if not (staff.covers(path) if entrance.panel_id else staff.is_above(path)):
            raise Forbidden
        entrance.revoked_at = now
        facts = {"campaign_id": entrance.campaign_id, "mode": entrance.mode, "serial": entrance.serial}
        record(session, "entrances.revoke", f"entrance:{entrance.id}", after=facts)
