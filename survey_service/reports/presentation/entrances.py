"""Entrances as a page shows them: where codes are posted, how many were made, what can be printed."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode
from survey_service.core.texts import text
from survey_service.entrances.codes import grouped
from survey_service.entrances.rules import OPEN_STATES, EntranceMode
from survey_service.entrances.schemas import EntrancesIn
from survey_service.entrances.service import IssuedCode
from survey_service.questionnaires.rules import FormFields
from survey_service.reports.entrances import EntranceBoard, PanelCodes, PanelPlace, PlaceEntrances
from survey_service.reports.presentation.forms import Body, Choice, choices, load
from survey_service.reports.presentation.turnout import CampaignHead, campaign_head
from survey_service.reports.queries import Posted, Slots
from survey_service.staff.rules import Role, is_allowed

_KEY_BYTES = 12
_FEWEST_OF_PANEL = 2


@dataclass(frozen=True)
class PostedView:
    label: str
    code: str
    url: str
    drawing_url: str


@dataclass(frozen=True)
class PlaceView:
    code: str
    name: str
    posted: Sequence[PostedView]
    slots: Sequence[str]
    has_sheet: bool
    has_panel: bool


@dataclass(frozen=True)
class PanelView:
    code: str
    name: str
    subjects: str
    slots: Sequence[str]
    shared: str = ""


@dataclass(frozen=True)
class EntrancesPage:
    head: CampaignHead
    places: Sequence[PlaceView]
    may_create: bool
    organizations: Sequence[Choice]
    classes: Sequence[Choice]
    panel_places: Sequence[Choice]
    """For panels the reader's own place stands first: its codes rate everything below it."""
    panels: Sequence[PanelView]
    modes: Sequence[str]
    companions: Sequence[Choice]
    """Other campaigns that the same panel codes may be for."""
    key: str
    """Makes a form that is sent twice create its entrances once."""
    refusal: Sequence[str] = ()


@dataclass(frozen=True)
class CodeView:
    serial: int
    rater_class: str
    code: str
    drawing_url: str
    rates: str


@dataclass(frozen=True)
class CodesPage:
    campaign_id: int
    title: str
    organization: str
    codes: Sequence[CodeView]
    typing_address: str


def entrances_page(
    board: EntranceBoard, *, role: Role, now: datetime, refusal: Sequence[str] = ()
) -> EntrancesPage:
    state = board.campaign.window.state(now)
    may_create = is_allowed(role, "entrances.create") and state in OPEN_STATES
    below = [place for place in board.places if place.is_below]
    everywhere = Choice("", text("staff_pages.everywhere", count=len(below)))
    whole = _whole(board)
    return EntrancesPage(
        head=campaign_head(board.campaign, role=role, current="entrances", now=now),
        places=[_place(one, role) for one in board.places],
        may_create=may_create and bool(below),
        organizations=[everywhere, *(Choice(one.place.organization_code, one.place.name) for one in below)],
        classes=choices(board.classes, "campaigns.class_"),
        panel_places=[
            *whole,
            *(Choice(one.place.organization_code, one.place.name) for one in below),
        ],
        panels=[_panel(one) for one in board.panels],
        modes=[str(mode) for mode in EntranceMode],
        companions=[_companion(*one) for one in board.companions] if whole else [],
        key=secrets.token_urlsafe(_KEY_BYTES),
        refusal=refusal,
    )


def _whole(board: EntranceBoard) -> list[Choice]:
    """Return the choice of all subjects with one code, where there are several below the reader."""
    is_rated = any(one.place.organization_code == board.home.code for one in board.places)
    if is_rated or len(board.places) < _FEWEST_OF_PANEL:
        return []
    return [Choice(board.home.code, text("staff_pages.panel_of_all", count=len(board.places)))]


def _companion(campaign: Campaign, subjects: int) -> Choice:
    kind = text(f"staff_pages.subject_{campaign.subject_kind}")
    named = text("staff_pages.companion", title=campaign.title, count=subjects, kind=kind)
    return Choice(str(campaign.id), named)


def _shared(one: PanelPlace) -> str:
    titles = "".join(f"《{campaign.title}》" for campaign in one.shared)
    return text("staff_pages.panel_shared", titles=titles) if titles else ""


def _panel(one: PanelPlace) -> PanelView:
    subjects = text("staff_pages.panel_subjects", count=one.subjects)
    slots = [
        text(
            "staff_pages.slots",
            mode=text(f"campaigns.mode_{Mode.PANEL}"),
            rater_class=text(f"campaigns.class_{rater_class}"),
            count=count,
        )
        for rater_class, count in one.slots.items()
    ]
    return PanelView(one.organization_code, one.name, subjects, slots, _shared(one))


def _place(one: PlaceEntrances, role: Role) -> PlaceView:
    may_see_codes = one.is_below and is_allowed(role, "code_sheets.print")
    modes = {str(slots.mode) for slots in one.slots} if may_see_codes else set()
    return PlaceView(
        code=one.place.organization_code,
        name=one.place.name,
        posted=[_posted(posted) for posted in one.posted],
        slots=[_slots(slots) for slots in one.slots],
        has_sheet=EntranceMode.HOUSEHOLD in modes,
        has_panel=EntranceMode.PANEL in modes,
    )


def _posted(posted: Posted) -> PostedView:
    return PostedView(
        label="·".join(filter(None, [text(f"campaigns.class_{posted.rater_class}"), posted.place])),
        code=grouped(posted.code),
        url=f"/s/{posted.code}",
        drawing_url=f"/api/v1/entrances/{posted.code}.png",
    )


def _slots(slots: Slots) -> str:
    mode, rater_class = text(f"campaigns.mode_{slots.mode}"), text(f"campaigns.class_{slots.rater_class}")
    return text("staff_pages.slots", mode=mode, rater_class=rater_class, count=slots.count)


def entrances_asked_for(board: EntranceBoard, values: FormFields) -> Body:
    """Return what the form of new entrances asks of the service.

    Without an organization all below the reader are meant. Raises Invalid.
    """
    chosen = values.get("organization_code")
    below = [one.place.organization_code for one in board.places if one.is_below]
    given: Body = {name: values.get(name) for name in ("mode", "rater_class", "count", "place")}
    given = {name: value for name, value in given.items() if value}
    given["also_campaign_ids"] = values.getlist("also_campaign_ids")
    body = load(EntrancesIn(), given | {"organization_codes": [chosen] if chosen else below})
    return body | {"mode": Mode(body["mode"]), "idempotency_key": values.get("key") or None}


def codes_page(panel: PanelCodes, *, public_url: str) -> CodesPage:
    return CodesPage(
        campaign_id=panel.campaign.id,
        title=panel.campaign.title,
        organization=panel.organization_name,
        codes=[_code(one) for one in panel.codes],
        typing_address=public_url.split("://", 1)[-1],
    )


def _code(one: IssuedCode) -> CodeView:
    return CodeView(
        serial=one.serial or 0,
        rater_class=text(f"campaigns.class_{one.rater_class}"),
        code=grouped(one.code),
        drawing_url=f"/api/v1/entrances/{one.code}.svg",
        rates=text("staff_pages.rates", rated=one.rates) if one.rates else "",
    )
