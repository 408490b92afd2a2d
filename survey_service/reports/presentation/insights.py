"""What many opinions say together, as pages show it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from urllib.parse import urlencode

from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.insights.figures import FiguresTable, PlaceFigures
from survey_service.insights.models import OpinionWord
from survey_service.insights.queries import LikeGroup, WarningRow
from survey_service.insights.rules import MIN_AUTHORS, OpinionFigures, WarningKind
from survey_service.insights.search import FoundPage
from survey_service.opinions.models import Opinion
from survey_service.opinions.topics import common_words
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import place_name
from survey_service.reports.charts import percent

_MOST_SHOWN = 90
_URGENT = frozenset({WarningKind.SAFETY, WarningKind.THREAT})


@dataclass(frozen=True)
class WarningView:
    id: int
    kind: str
    is_urgent: bool
    about: str
    words: str
    number: str
    told: str
    seen_by: str
    is_seen: bool
    url: str


@dataclass(frozen=True)
class OpinionLine:
    id: int
    text: str
    place: str
    state: str
    remark: str
    url: str


@dataclass(frozen=True)
class GroupView:
    first_id: int
    title: str
    count: str
    lead: OpinionLine | None
    others: Sequence[OpinionLine]


@dataclass(frozen=True)
class PlaceWords:
    place: str
    words: Sequence[str]


@dataclass(frozen=True)
class FigureRow:
    """A place; `width` is the share of answers in time as a share of the drawing's width."""

    place: str
    is_total: bool
    is_shown: bool
    cells: Sequence[str]
    width: str


@dataclass(frozen=True)
class OverviewPage:
    looked_at: str
    least: int
    warnings: Sequence[WarningView]
    groups: Sequence[GroupView]
    words: Sequence[PlaceWords]
    figures: Sequence[FigureRow]


@dataclass(frozen=True)
class SearchPage:
    words: str
    problem: str
    summary: str
    lines: Sequence[OpinionLine]
    next_url: str


def overview_page(
    *,
    looked_at: datetime | None,
    warnings: Sequence[WarningRow],
    groups: Sequence[LikeGroup],
    words: Iterable[tuple[Organization, OpinionWord]],
    figures: FiguresTable,
) -> OverviewPage:
    """Put everything on one page; what nobody has to look at any more stands last."""
    return OverviewPage(
        looked_at=text("insights.looked_at", at=clock.local_text(looked_at))
        if looked_at
        else text("insights.never_looked"),
        least=MIN_AUTHORS,
        warnings=sorted(map(_warning, warnings), key=lambda one: (one.is_seen, not one.is_urgent)),
        groups=sorted(map(_group, groups), key=lambda one: -len(one.others)),
        words=_by_place(words),
        figures=[_row(one) for one in figures.places] + [_total(figures.total)],
    )


def _warning(row: WarningRow) -> WarningView:
    one = row.warning
    return WarningView(
        id=one.id,
        kind=text(f"insights.warning_{one.kind}"),
        is_urgent=one.kind in _URGENT,
        about=text(
            "insights.warning_about", place=place_name(one.organization.name), day=f"{one.raised_on:%m月%d日}"
        ),
        words=text("insights.warning_words", words=one.words) if one.words else "",
        number=text("insights.warning_opinions", count=one.opinions) if one.opinions > 1 else "",
        told=text("insights.warning_told", count=one.receivers) if one.receivers else "",
        seen_by=text("insights.warning_seen_by", count=row.seen_by) if row.seen_by else "",
        is_seen=row.is_seen,
        url=f"/staff/opinions/{one.opinion_id}" if one.opinion_id else "",
    )


def _group(group: LikeGroup) -> GroupView:
    lead = group.lead
    joinable = {one.id for one in group.joinable}
    likeness = {one.opinion.id: one.similarity for one in group.members}
    return GroupView(
        first_id=group.first_id,
        title="、".join(common_words([one.opinion.text for one in group.members], most=4)),
        count=text("insights.group_count", count=len(group.members)),
        lead=_line(lead) if lead else None,
        others=[
            _line(one.opinion, text("insights.group_similarity", percent=f"{likeness[one.opinion.id]:.0%}"))
            for one in group.members
            if one.opinion.id in joinable
        ],
    )


def _line(opinion: Opinion, remark: str = "") -> OpinionLine:
    shown = opinion.text if len(opinion.text) <= _MOST_SHOWN else f"{opinion.text[:_MOST_SHOWN]}…"
    return OpinionLine(
        id=opinion.id,
        text=shown,
        place=place_name(opinion.organization.name),
        state=text(f"opinions.state_{opinion.state}"),
        remark=remark,
        url=f"/staff/opinions/{opinion.id}",
    )


def _by_place(words: Iterable[tuple[Organization, OpinionWord]]) -> list[PlaceWords]:
    found: dict[str, list[str]] = {}
    for organization, word in words:
        found.setdefault(place_name(organization.name), []).append(f"{word.word} {word.opinions}")
    return [PlaceWords(place, some) for place, some in found.items()]


def _row(place: PlaceFigures) -> FigureRow:
    return _figures(place_name(place.organization.name), place.figures, is_total=False)


def _total(figures: OpinionFigures) -> FigureRow:
    return _figures(text("insights.all_places"), figures, is_total=True)


def _figures(name: str, figures: OpinionFigures, *, is_total: bool) -> FigureRow:
    per_100 = figures.opinions_per_100
    cells = [
        "–" if figures.opinions is None else str(figures.opinions),
        "–" if per_100 is None else f"{float(per_100):.1f}",
        *map(_percent, (figures.on_time, figures.closed, figures.satisfied)),
    ]
    width = percent(100 * figures.on_time) if figures.on_time is not None else "0%"
    return FigureRow(name, is_total, figures.opinions is not None, cells, width)


def _percent(share: Fraction | None) -> str:
    return "–" if share is None else f"{float(share):.0%}"


def search_page(words: str, found: FoundPage, problem: str) -> SearchPage:
    """Show what was found, and the way to the next page."""
    lines = [_line(one) for one in found.opinions]
    summary = ""
    if words and not problem:
        kind = "found_more" if found.next_after else "found" if lines else "found_none"
        summary = text(f"insights.{kind}", count=len(lines))
    query = urlencode({"words": words, "cursor": found.next_after})
    next_url = f"/staff/opinions/search?{query}" if found.next_after else ""
    return SearchPage(words, problem, summary, lines, next_url)
