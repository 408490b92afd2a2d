"""Use cases around one-time codes: what became of them, beside how many were used."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_visible_campaign, list_subjects
from survey_service.campaigns.rules import ONE_TIME_MODES, Mode
from survey_service.core.permissions import Identity
from survey_service.entrances.slot_queries import CodeCounts, count_codes, count_codes_rating
from survey_service.paper_entry.queries import SheetCounts, count_sheets
from survey_service.print_runs.queries import RunProgress, list_runs
from survey_service.reports.service import Progress, read_progress


@dataclass(frozen=True)
class PlaceCodes:
    """What became of the codes of one organization, by mode and class.

    `used` is the number of ballots that came with a one-time code, by whatever channel; None for a reader
    who may not see parts of the turnout, and for panels, whose ballots are those of whom they rate.
    """

    organization_code: str
    name: str
    counts: Sequence[CodeCounts]
    used: int | None
    is_panel: bool = False

    def total(self, name: str) -> int:
        """Add up one of the numbers over all modes and classes."""
        return sum(getattr(one, name) for one in self.counts)


@dataclass(frozen=True)
class CodeBoard:
    """The one-time codes of a campaign inside the reader's sub-tree, and what was printed of them."""

    campaign: Campaign
    places: Sequence[PlaceCodes]
    runs: Sequence[RunProgress]
    is_above_some: bool
    """Whether the reader stands above somebody who is rated, and may therefore make codes."""


def read_codes(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> list[PlaceCodes]:
    """Return what became of the codes of every organization inside the reader's sub-tree that has some.

    Raises NotFound, and Forbidden where the campaign concerns nobody there.
    """
    rows = read_progress(session, staff=staff, campaign_id=campaign_id, now=now)
    used = {row.place.subject_id: _count_used(row) for row in rows}
    found: dict[tuple[int | None, str], list[CodeCounts]] = {}
    for one in count_codes(session, campaign_id=campaign_id, within_path=staff.path):
        found.setdefault((one.subject_id, one.organization_code), []).append(one)
    return [
        PlaceCodes(code, counts[0].name, counts, used.get(subject_id or 0), is_panel=subject_id is None)
        for (subject_id, code), counts in found.items()
    ]


def _count_used(row: Progress) -> int | None:
    if row.by_mode is None:
        return None
    return sum(number for mode, number in row.by_mode.items() if mode in ONE_TIME_MODES)


def read_code_board(session: Session, *, staff: Identity, campaign_id: int, now: datetime) -> CodeBoard:
    """Return the page of codes; raises NotFound and Forbidden."""
    campaign = get_visible_campaign(session, campaign_id, staff)
    places = read_codes(session, staff=staff, campaign_id=campaign_id, now=now)
    runs = list_runs(session, campaign_id=campaign_id, within_path=staff.path)
    subjects = list_subjects(session, campaign_id, within_path=staff.path)
    return CodeBoard(campaign, places, runs, any(staff.is_above(one.path) for one in subjects))


@dataclass(frozen=True)
class SubjectPaper:
    """What stands beside the score of a subject: its codes, those of panels among them, and its sheets.

    `used` is the number of ballots by channel; None for a reader who may not see parts of the turnout.
    """

    codes: Sequence[CodeCounts]
    used: Mapping[Mode, int] | None
    sheets: Sequence[SheetCounts]

    def total(self, name: str) -> int:
        """Add up one of the numbers of codes."""
        return sum(getattr(one, name) for one in self.codes)


def read_subject_paper(
    session: Session, *, staff: Identity, campaign_id: int, organization_code: str, now: datetime
) -> SubjectPaper | None:
    """Return what became of the paper of one subject, or None where it has none.

    A rated party sees its own codes only: neither those of panels nor what came on sheets.
    """
    rows = read_progress(session, staff=staff, campaign_id=campaign_id, now=now)
    row = next((one for one in rows if one.place.organization_code == organization_code), None)
    if row is None:
        return None
    place = {"campaign_id": campaign_id, "subject_id": row.place.subject_id}
    codes, sheets = count_codes_rating(session, **place), count_sheets(session, **place)
    if row.by_mode is None or not staff.is_above(row.place.path):
        own = [one for one in codes if one.subject_id is not None]
        return SubjectPaper(own, None, []) if own else None
    used = {mode: number for mode, number in row.by_mode.items() if mode in ONE_TIME_MODES}
    return SubjectPaper(codes, used, sheets) if codes or sheets else None
