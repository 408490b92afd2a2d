"""Use cases around paper: which entrances there are, and the codes of a panel."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    get_formula,
    get_visible_campaign,
    list_subjects,
    path_of_campaign,
)
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.errors import NotFound
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.entrances.queries import list_slots
from survey_service.entrances.service import IssuedCode, code_in_clear
from survey_service.reports.queries import (
    Posted,
    RatedPlace,
    Slots,
    count_slots,
    list_places,
    list_posted,
)


@dataclass(frozen=True)
class PlaceEntrances:
    """The entrances of one subject; `is_below` tells whether the reader stands above it."""

    place: RatedPlace
    posted: Sequence[Posted]
    slots: Sequence[Slots]
    is_below: bool


@dataclass(frozen=True)
class EntranceBoard:
    """The entrances of a campaign inside the reader's sub-tree."""

    campaign: Campaign
    places: Sequence[PlaceEntrances]
    classes: Sequence[RaterClass]
    is_own: bool
    """Whether the reader's sub-tree owns the campaign, and he may therefore run it."""


def read_entrances(session: Session, *, staff: Identity, campaign_id: int) -> EntranceBoard:
    """Return the entrances inside the reader's sub-tree; raises NotFound and Forbidden."""
    campaign = get_visible_campaign(session, campaign_id, staff)
    posted, slots = list_posted(session, campaign_id), count_slots(session, campaign_id)
    places = [
        PlaceEntrances(
            place,
            posted.get(place.subject_id, []),
            slots.get(place.subject_id, []),
            staff.is_above(place.path),
        )
        for place in list_places(session, campaign_id, within_path=staff.path)
    ]
    weights = get_formula(campaign).class_weights
    is_own = staff.covers(path_of_campaign(session, campaign_id=campaign_id))
    return EntranceBoard(campaign, places, [key for key in RaterClass if key in weights], is_own)


@dataclass(frozen=True)
class PanelCodes:
    """The one-time codes of one organization's panel, in the clear."""

    campaign: Campaign
    organization_name: str
    codes: Sequence[IssuedCode]


def list_panel_codes(
    session: Session, *, keyring: Keyring, campaign_id: int, organization_code: str
) -> PanelCodes:
    """Return the codes of a panel; raises NotFound, and Conflict when they have been handed out."""
    found = list_subjects(session, campaign_id, organization_codes=[organization_code])
    if not found:
        raise NotFound
    subject = found[0]
    slots = list_slots(session, campaign_id=campaign_id, subject_id=subject.subject_id, mode=Mode.PANEL)
    codes = [
        IssuedCode(
            code_in_clear(keyring, batch, entrance),
            organization_code,
            entrance.mode,
            entrance.rater_class,
            entrance.serial,
        )
        for entrance, batch in slots
    ]
    return PanelCodes(session.get_one(Campaign, campaign_id), subject.name, codes)
