"""Use cases around paper: which entrances there are, and the codes of a panel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    get_formula,
    get_visible_campaign,
    list_subjects,
    path_of_campaign,
)
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.errors import Forbidden
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.entrances.batches import code_in_clear, mark_printed
from survey_service.entrances.inviting import list_panel_codes as list_codes_of_panel
from survey_service.entrances.panels import count_panel_slots, count_subjects, list_panels
from survey_service.entrances.printing import printable_slots
from survey_service.entrances.queries import list_slots
from survey_service.entrances.service import IssuedCode
from survey_service.entrances.sittings import SharedCampaign, list_candidates, list_shared
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
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
class PanelPlace:
    """The panel of an organization: how many subjects it rates, with how many codes of each class."""

    organization_code: str
    name: str
    subjects: int
    slots: Mapping[RaterClass, int]
    shared: Sequence[SharedCampaign] = ()
    """The other campaigns that the same codes are for."""


@dataclass(frozen=True)
class EntranceBoard:
    """The entrances of a campaign inside the reader's sub-tree."""

    campaign: Campaign
    places: Sequence[PlaceEntrances]
    classes: Sequence[RaterClass]
    panels: Sequence[PanelPlace]
    home: Organization
    """Where the reader belongs to; when it is not rated itself, its panel rates all that is below."""
    companions: Sequence[tuple[Campaign, int]]
    """Campaigns of the same owner that panel codes may rate as well, with how many they rate here."""


def read_entrances(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> EntranceBoard:
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
    classes = [key for key in RaterClass if key in weights]
    home = session.get_one(Organization, staff.organization_id)
    companions = list_candidates(session, campaign=campaign, within_path=home.path, now=now) if is_own else []
    panels = _panels(session, staff, campaign_id)
    return EntranceBoard(campaign, places, classes, panels, home, companions)


def _panels(session: Session, staff: Identity, campaign_id: int) -> list[PanelPlace]:
    panels = list_panels(session, campaign_id=campaign_id)
    if not panels:
        return []
    subjects = count_subjects(session, campaign_id=campaign_id)
    slots = count_panel_slots(session, campaign_id=campaign_id)
    shared = list_shared(session, campaign_id=campaign_id)
    return [
        PanelPlace(
            place.code,
            place.name,
            subjects.get(panel.id, 0),
            slots.get(panel.id, {}),
            shared.get(panel.id, ()),
        )
        for panel, place in panels
        if staff.covers(place.path)
    ]


@dataclass(frozen=True)
class PanelCodes:
    """The one-time codes of one organization's panel, in the clear."""

    campaign: Campaign
    organization_name: str
    codes: Sequence[IssuedCode]


def list_panel_codes(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    organization_code: str,
    now: datetime,
) -> PanelCodes:
    """Return the codes of a panel, which rates an organization or all subjects below it.

    From now on their days are counted. Raises NotFound, Forbidden unless the reader stands above whom it
    rates, and Conflict when the codes have been handed out.
    """
    found = list_subjects(session, campaign_id, organization_codes=[organization_code])
    if not found:
        where = get_organization(session, code=organization_code)
        issued = list_codes_of_panel(
            session,
            staff=staff,
            keyring=keyring,
            campaign_id=campaign_id,
            organization_code=organization_code,
            now=now,
        )
        return PanelCodes(session.get_one(Campaign, campaign_id), where.name, issued)
    subject = found[0]
    if not staff.is_above(subject.path):
        raise Forbidden
    slots = printable_slots(
        list_slots(session, campaign_id=campaign_id, subject_id=subject.subject_id, mode=Mode.PANEL)
    )
    mark_printed((batch for _, batch in slots), now)
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
