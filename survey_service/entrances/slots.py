"""Slots by their serial numbers: revoke and reissue, without ever learning which of them are spent.

Nothing here reads a participation, and every answer is the same for a spent slot and a free one. A reissued
slot stays the same row, and its row is the credential: a spent slot stays spent under its new code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign, hold_rated
from survey_service.campaigns.rules import Mode, RaterClass, State, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Conflict, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.batches import add_batches, batch_key, slot_code
from survey_service.entrances.models import Entrance, Panel
from survey_service.entrances.panels import rated_by_panel
from survey_service.entrances.queries import digest_code
from survey_service.entrances.rules import OPEN_STATES, RevokedAs, SlotsChanged
from survey_service.entrances.serials import write_serials
from survey_service.entrances.sittings import find_shared, follow, list_shared
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


@dataclass(frozen=True)
class _Found:
    """The slots that were named, and with them those that their codes open in other running campaigns."""

    slots: Sequence[Entrance]
    campaigns: Mapping[int, Campaign]

    def of(self, campaign_id: int) -> list[Entrance]:
        return [slot for slot in self.slots if slot.campaign_id == campaign_id]

    def states(self, now: datetime) -> set[State]:
        return {campaign.window.state(now) for campaign in self.campaigns.values()}


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

    A code of a sitting is closed in all its running campaigns. Letters count as undelivered before the vote
    begins only, since later somebody may have used them. Raises Forbidden at or above the caller's own level,
    Invalid for unknown serials, Conflict `wrong_state` after closing and `voting_has_begun`.
    """
    found = _find(session, staff, campaign_id, chosen, now)
    if revoked_as is RevokedAs.UNDELIVERED and not found.states(now) <= _BEFORE_OPENING:
        raise Conflict("voting_has_begun")
    for slot in found.slots:
        if slot.revoked_at is None:
            slot.revoked_at, slot.revoked_as = now, revoked_as
    _tell(session, "entrances.revoke", found, chosen.facts | {"revoked_as": revoked_as})
    return len(found.of(campaign_id))


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

    The old codes open nothing that still runs, at once. A revoked slot opens again. The new code of a sitting
    is for those of its campaigns that still run. Raises as `revoke_slots` does.
    """
    found = _find(session, staff, campaign_id, chosen, now)
    request = canonical_digest([campaign_id, chosen.facts])
    for codes in _by_campaigns(found.slots):
        _reissue(session, keyring, chosen, codes, request, now)
    _tell(session, "entrances.reissue", found, chosen.facts)
    return len(found.of(campaign_id))


def _by_campaigns(slots: Sequence[Entrance]) -> list[list[list[Entrance]]]:
    """Group slots by their code, in the order of its turns, and the codes by their campaigns."""
    codes: dict[bytes, list[Entrance]] = {}
    for slot in sorted(slots, key=lambda slot: (slot.serial, slot.turn)):
        codes.setdefault(slot.code_digest, []).append(slot)
    groups: dict[tuple[int, ...], list[list[Entrance]]] = {}
    for members in codes.values():
        groups.setdefault(tuple(slot.campaign_id for slot in members), []).append(members)
    return list(groups.values())


def _reissue(
    session: Session,
    keyring: Keyring,
    chosen: ChosenSlots,
    codes: Sequence[Sequence[Entrance]],
    request: str,
    now: datetime,
) -> None:
    first, *others = codes[0]
    [lead] = add_batches(
        session,
        keyring,
        campaign_id=first.campaign_id,
        subject_ids=[first.subject_id],
        panel_id=first.panel_id,
        mode=chosen.mode,
        rater_class=chosen.rater_class,
        request=request,
        now=now,
    )
    batches = [lead, *follow(session, lead, [session.get_one(Panel, slot.panel_id) for slot in others])]
    key = batch_key(keyring, lead)
    for members in codes:
        serial, issue = members[0].serial, max(slot.issue for slot in members) + 1
        assert serial is not None
        code = slot_code(key, place_id=lead.place_id, serial=serial, issue=issue)
        for slot, batch in zip(members, batches, strict=True):
            slot.issue, slot.batch_id, slot.turn, slot.revoked_at, slot.revoked_as = (
                issue,
                batch.id,
                batch.turn,
                None,
                None,
            )
            slot.code_digest = digest_code(keyring, code)


def _tell(session: Session, action: str, found: _Found, facts: dict[str, object]) -> None:
    for campaign_id in found.campaigns:
        serials = [slot.serial for slot in found.of(campaign_id) if slot.serial is not None]
        after = facts | {"serials": write_serials(serials)}
        record(session, action, campaign_target(campaign_id), after=after)
        publish(session, SlotsChanged(campaign_id))


def _find(session: Session, staff: Identity, campaign_id: int, chosen: ChosenSlots, now: datetime) -> _Found:
    """Return the slots, held together with whom they rate; raises Invalid where a serial is unknown."""
    if get_campaign(session, campaign_id).window.state(now) not in OPEN_STATES:
        raise Conflict("wrong_state")
    place = _place(session, staff, campaign_id, chosen)
    campaigns = _running_together(session, campaign_id, place, now)
    # Campaign by campaign in the order of the ids, as `inviting` does.
    for one in campaigns:
        rated = rated_by_panel(session, campaign_id=one, organization_code=place.organization_code)
        hold_rated(session, one, rated if place.panel_id else place.rated)
    slots = list(
        session.scalars(
            select(Entrance)
            .where(Entrance.campaign_id == campaign_id, place.is_slot())
            .where(Entrance.mode == chosen.mode, Entrance.rater_class == chosen.rater_class)
            .where(Entrance.serial.in_(chosen.serials))
        )
    )
    if unknown := set(chosen.serials) - {slot.serial for slot in slots}:
        raise Invalid(errors={"serials": [text("entrances.unknown_serials", serials=write_serials(unknown))]})
    shared = [slot for slot in find_shared(session, slots) if slot.campaign_id in campaigns]
    touched = {slot.campaign_id for slot in shared}
    return _Found(shared, {key: one for key, one in campaigns.items() if key in touched})


def _running_together(
    session: Session, campaign_id: int, place: SlotPlace, now: datetime
) -> dict[int, Campaign]:
    """Return the campaign, and those that still run and share codes with a panel of it, by their ids."""
    shared = list_shared(session, campaign_id=campaign_id).get(place.panel_id or 0, ())
    ids = sorted({campaign_id, *(one.campaign_id for one in shared)})
    campaigns = {one: get_campaign(session, one) for one in ids}
    return {key: one for key, one in campaigns.items() if one.window.state(now) in OPEN_STATES}


def _place(session: Session, staff: Identity, campaign_id: int, chosen: ChosenSlots) -> SlotPlace:
    codes = [chosen.organization_code]
    return list_slot_places(
        session, staff=staff, campaign_id=campaign_id, mode=chosen.mode, organization_codes=codes
    )[0]
