"""Turnout as a page shows it: campaigns in a list, the progress of one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode, RaterClass, State
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.mass_evaluation.verdicts import Turnout
from survey_service.reminders.queries import StandingReminder
from survey_service.reports.charts import ChartColumn, columns, share
from survey_service.reports.presentation.frame import Link
from survey_service.reports.rules import add_turnouts, is_released_to
from survey_service.reports.service import CampaignSummary, Progress, ProgressBoard, response_rate
from survey_service.staff.rules import Role, is_allowed

UNKNOWN = "—"


@dataclass(frozen=True)
class TurnoutView:
    """R, E and their rate in words; `width` is that of the bar."""

    returned: int
    eligible: str
    rate: str
    width: str


@dataclass(frozen=True)
class CampaignCard:
    id: int
    title: str
    state: str
    state_label: str
    window: str
    subjects: int
    turnout: TurnoutView


@dataclass(frozen=True)
class ReminderCard:
    """What a secretary is reminded of: the campaign and its end, and nobody's name or number."""

    campaign_id: int
    sentence: str


@dataclass(frozen=True)
class CampaignHead:
    """What stands above every page of a campaign."""

    id: int
    title: str
    state: str
    state_label: str
    window: str
    tabs: Sequence[Link]


@dataclass(frozen=True)
class PartView:
    """The ballots of one mode or class, and their share of all."""

    label: str
    returned: int
    width: str


@dataclass(frozen=True)
class PlaceView:
    code: str
    name: str
    is_roster_generated: bool
    turnout: TurnoutView


@dataclass(frozen=True)
class ProgressPage:
    head: CampaignHead
    turnout: TurnoutView
    places: Sequence[PlaceView]
    modes: Sequence[PartView]
    classes: Sequence[PartView]
    days: Sequence[ChartColumn]
    made_at: str

    @property
    def has_generated_rosters(self) -> bool:
        return any(place.is_roster_generated for place in self.places)


def turnout_view(turnout: Turnout) -> TurnoutView:
    rate = response_rate(turnout)
    return TurnoutView(
        returned=turnout.returned,
        eligible=UNKNOWN if turnout.eligible is None else str(turnout.eligible),
        rate=UNKNOWN if rate is None else f"{rate}%",
        width=share(turnout.returned, turnout.eligible),
    )


def window_words(campaign: Campaign) -> str:
    opens, ends = clock.local_text(campaign.opens_at), clock.local_text(campaign.window.ends_at)
    return text("staff_pages.window", opens=opens, closes=ends)


def campaign_card(summary: CampaignSummary, *, now: datetime) -> CampaignCard:
    campaign = summary.campaign
    state = campaign.window.state(now)
    return CampaignCard(
        id=campaign.id,
        title=campaign.title,
        state=state,
        state_label=text(f"reports.state_{state}"),
        window=window_words(campaign),
        subjects=summary.subjects,
        turnout=turnout_view(summary.turnout),
    )


def reminder_card(reminder: StandingReminder) -> ReminderCard:
    until = clock.local_text(reminder.closes_at)
    sentence = text("reminders.sentence", title=reminder.title, until=until)
    return ReminderCard(reminder.campaign_id, sentence)


def campaign_head(campaign: Campaign, *, role: Role, current: str, now: datetime) -> CampaignHead:
    """Return the head of a campaign's pages with the tabs that a role may open."""
    state = campaign.window.state(now)
    offered = {
        "progress": is_allowed(role, "progress.read"),
        "scores": state is not State.DRAFT
        and is_allowed(role, "scores.read")
        and is_released_to(role, state),
        "anomalies": state is not State.DRAFT and is_allowed(role, "anomalies.read"),
        "entrances": is_allowed(role, "entrances.read"),
        "paper": is_allowed(role, "paper.read"),
        "codes": is_allowed(role, "entrances.read"),
        "method": is_allowed(role, "campaigns.read"),
    }
    address = f"/staff/campaigns/{campaign.id}"
    tabs = [
        Link(
            text(f"staff_pages.tab_{tab}"),
            address if tab == "progress" else f"{address}/{tab}",
            tab == current,
        )
        for tab, is_offered in offered.items()
        if is_offered
    ]
    label = text(f"reports.state_{state}")
    return CampaignHead(campaign.id, campaign.title, state, label, window_words(campaign), tabs)


def progress_page(board: ProgressBoard, *, role: Role, now: datetime) -> ProgressPage:
    head = campaign_head(board.campaign, role=role, current="progress", now=now)
    return ProgressPage(
        head=head,
        turnout=turnout_view(add_turnouts(row.turnout for row in board.rows)),
        places=[_place(row) for row in board.rows],
        modes=_parts(Mode, "mode", (row.by_mode for row in board.rows)),
        classes=_parts(RaterClass, "class", (row.by_class for row in board.rows)),
        days=columns(_every_day(board.by_day)),
        made_at=_made_at(board, now),
    )


def _made_at(board: ProgressBoard, now: datetime) -> str:
    """Say of when the numbers are."""
    day = next((row.as_of for row in board.rows if row.as_of), None)
    if day is None:
        return text("staff_pages.made_at", at=clock.local_text(now))
    return text("staff_pages.made_at_end_of_day", month=day.month, day=day.day)


def _place(row: Progress) -> PlaceView:
    place = row.place
    return PlaceView(
        place.organization_code, place.name, place.is_roster_generated, turnout_view(row.turnout)
    )


def _parts(
    keys: Iterable[Mode | RaterClass],
    word: str,
    rows: Iterable[Mapping[Mode, int] | Mapping[RaterClass, int] | None],
) -> list[PartView]:
    """Add up the parts of all subjects, in the order of the glossary; nothing where nothing may be seen."""
    counts: dict[str, int] = {}
    for row in rows:
        for key, number in (row or {}).items():
            counts[key] = counts.get(key, 0) + number
    whole = sum(counts.values())
    return [
        PartView(text(f"campaigns.{word}_{key}"), counts[key], share(counts[key], whole))
        for key in keys
        if key in counts
    ]


def _every_day(by_day: Mapping[date, int]) -> list[tuple[str, int]]:
    """Return the days from the first ballot to the last, those without ballots too."""
    if not by_day:
        return []
    first, last = min(by_day), max(by_day)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return [(text("staff_pages.day", month=day.month, day=day.day), by_day.get(day, 0)) for day in days]
