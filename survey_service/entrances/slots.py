"""Slots by their serial numbers: revoke and reissue, without ever learning which of them are spent.

Nothing here reads a participation, and every answer is the same for a spent slot and a free one. A reissued
slot stays the same row, and its row is the credential: a spent slot stays spent under its new code.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign, lock_subjects
from survey_service.campaigns.rules import Mode, RaterClass, State, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.batches import add_batches, batch_key, slot_code
from survey_service.entrances.models import Entrance
from survey_service.entrances.queries import digest_code
from survey_service.entrances.rules import OPEN_STATES, RevokedAs, SlotsChanged
from survey_service.entrances.serials import write_serials
from survey_service.entrances.slot_places import SlotPlace, list_slot_places

_BEFORE_OPENING = frozenset({State.DRAFT, State.SCHEDULED})


@dataclass(frozen=True)
class ChosenSlots:
    """Some slots of one organization, mode and class, by their serials."""

    organization_code: str
    mode: Mode
    rater_class: RaterClass
    serials: Sequence[int]

    @property
    def facts(self) -> dict[str, object]:
        return asdict(self) | {"serials": write_serials(self.serials)}


def revoke_slots(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    chosen: ChosenSlots,
    revoked_as: RevokedAs,
    now: datetime,
) -> int:
    """Close slots at once and return how many serials were named; those closed before stay as they are.

    Letters count as undelivered before the vote begins only, since later somebody may have used them. Raises
    Forbidden at or above the caller's own level, Invalid for unknown serials, Conflict `wrong_state` after
    closing and `voting_has_begun`.
    """
    campaign, _, slots = _find(session, staff, campaign_id, chosen, now)
    is_early = campaign.window.state(now) in _BEFORE_OPENING
    if revoked_as is RevokedAs.UNDELIVERED and not is_early:
        raise Conflict("voting_has_begun")
    for slot in slots:
        if slot.revoked_at is None:
            slot.revoked_at, slot.revoked_as = now, revoked_as
    facts = chosen.facts | {"revoked_as": revoked_as}
    record(session, "entrances.revoke", campaign_target(campaign_id), after=facts)
    publish(session, SlotsChanged(campaign_id))
    return len(slots)


def reissue_slots(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    chosen: ChosenSlots,
    now: datetime,
) -> int:
    """Give slots new codes in a batch of their own, to be printed, and return how many.

    The old codes open nothing any more, at once. A revoked slot opens again. Raises as `revoke_slots` does.
    """
    _, place, slots = _find(session, staff, campaign_id, chosen, now)
    [batch] = add_batches(
        session,
        keyring,
        campaign_id=campaign_id,
        subject_ids=[place.subject_id],
        panel_id=place.panel_id,
        mode=chosen.mode,
        rater_class=chosen.rater_class,
        request=canonical_digest([campaign_id, chosen.facts]),
        now=now,
    )
    key = batch_key(keyring, batch)
    for slot in slots:
        assert slot.serial is not None
        slot.issue, slot.batch_id, slot.revoked_at, slot.revoked_as = slot.issue + 1, batch.id, None, None
        code = slot_code(key, place_id=batch.place_id, serial=slot.serial, issue=slot.issue)
        slot.code_digest = digest_code(keyring, code)
    record(session, "entrances.reissue", campaign_target(campaign_id), after=chosen.facts)
    publish(session, SlotsChanged(campaign_id))
    return len(slots)


def _find(
    session: Session, staff: Identity, campaign_id: int, chosen: ChosenSlots, now: datetime
) -> tuple[Campaign, SlotPlace, list[Entrance]]:
    """Return the slots, held together with whom they rate; raises Invalid where a serial is unknown."""
    campaign = get_campaign(session, campaign_id)
    if campaign.window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    place = _place(session, staff, campaign_id, chosen)
    lock_subjects(session, campaign_id, place.rated)
    slots = list(
        session.scalars(
            select(Entrance)
            .where(Entrance.campaign_id == campaign_id, place.is_slot())
            .where(Entrance.mode == chosen.mode, Entrance.rater_class == chosen.rater_class)
            .where(Entrance.serial.in_(chosen.serials))
            .order_by(Entrance.serial)
        )
    )
    if unknown := set(chosen.serials) - {slot.serial for slot in slots}:
        raise Invalid(errors={"serials": [text("entrances.unknown_serials", serials=write_serials(unknown))]})
    return campaign, place, slots


def _place(session: Session, staff: Identity, campaign_id: int, chosen: ChosenSlots) -> SlotPlace:
    codes = [chosen.organization_code]
    return list_slot_places(
        session, staff=staff, campaign_id=campaign_id, mode=chosen.mode, organization_codes=codes
    )[0]
