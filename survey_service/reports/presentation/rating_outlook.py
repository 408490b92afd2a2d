"""The ranking with its intervals, warnings and the history, as pages show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.reports.charts import Scale, Tick, Whisker, percent, scale_for
from survey_service.reports.presentation.ratings import CycleView, cycle_view
from survey_service.reports.presentation.turnout import UNKNOWN
from survey_service.reports.presentation.what_if import MOST_SHOWN

Json = Mapping[str, Any]


@dataclass(frozen=True)
class PlacedView:
    """One row of the ranking; `state` colours what is said about the next one.

    `link` tells where a row stands in a chain of neighbours that cannot be told apart: `start`, `middle`,
    `end`, or nowhere.
    """

    place: int
    code: str
    name: str
    grade: str
    total: str
    interval: str
    drawn: Whisker
    state: str
    words: str
    difference: str
    lines: Sequence[str]
    link: str


@dataclass(frozen=True)
class RankingPage:
    cycle: CycleView
    headline: Sequence[str]
    ticks: Sequence[Tick]
    rows: Sequence[PlacedView]
    is_narrowed: bool


def ranking_page(cycle: Json, document: Json, found: Json, *, is_narrowed: bool = False) -> RankingPage:
    """Return the page; narrowed, it holds only pairs with different grades that cannot be told apart."""
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    maximum = Fraction(document["scale"]["maximum"])
    items = found["items"]
    shares = [_shares(one, maximum) for one in items]
    scale = scale_for([bounds[0] if bounds else total for total, bounds in shares])
    places = [place for place in range(len(items)) if not is_narrowed or _is_parted(items, place)]
    return RankingPage(
        cycle=cycle_view(cycle),
        headline=list(_headline(found)) + _too_many(len(places)),
        ticks=scale.ticks,
        rows=[_ranked(place, items, shares[place], scale, titles) for place in places[:MOST_SHOWN]],
        is_narrowed=is_narrowed,
    )


def _too_many(rows: int) -> list[str]:
    return [text("rating_outlook.ranking_more", count=MOST_SHOWN)] if rows > MOST_SHOWN else []


def _pairs_at(items: Sequence[Json], place: int) -> list[Json | None]:
    """Return what is said about a place and the one above it, and about it and the one below."""
    return [items[place - 1]["next"] if place else None, items[place]["next"]]


def _is_parted(items: Sequence[Json], place: int) -> bool:
    return any(pair is not None and pair["is_parted"] for pair in _pairs_at(items, place))


def _link(items: Sequence[Json], place: int) -> str:
    above, below = (pair is not None and not pair["is_distinguishable"] for pair in _pairs_at(items, place))
    return {(True, True): "middle", (True, False): "end", (False, True): "start"}.get((above, below), "")


def _shares(one: Json, maximum: Fraction) -> tuple[str, list[str] | None]:
    """Return total and interval in percent of the maximum, for the drawing."""
    interval = one["interval"]
    return _share(one["total"], maximum), interval and [_share(bound, maximum) for bound in interval]


def _share(value: str, maximum: Fraction) -> str:
    return str(100 * Fraction(value) / maximum)


def _headline(found: Json) -> Iterator[str]:
    if not found["has_intervals"]:
        yield text("rating_outlook.ranking_no_intervals")
    yield text("rating_outlook.ranking_close", pairs=found["pairs"], count=found["indistinguishable"])
    if found["parted"]:
        yield text("rating_outlook.ranking_parted", count=found["parted"])


def _ranked(
    place: int,
    items: Sequence[Json],
    shares: tuple[str, list[str] | None],
    scale: Scale,
    titles: Mapping[str, str],
) -> PlacedView:
    one = items[place]
    following = one["next"]
    state = "" if following is None else _state(following)
    return PlacedView(
        place=place + 1,
        code=one["organization_code"],
        name=one["name"],
        grade=titles[one["grade"]],
        total=one["total"],
        interval=_range(one["interval"]),
        drawn=scale.whisker(*shares),
        state=state,
        words=text(f"rating_outlook.ranking_{state}") if state else "",
        difference=text("rating_outlook.ranking_difference", difference=following["difference"])
        if following
        else "",
        lines=[text("rating_outlook.ranking_line", grade=titles[line]) for line in one["lines"]],
        link=_link(items, place),
    )


def _range(interval: Sequence[str] | None) -> str:
    return text("rating_outlook.ranking_interval", low=interval[0], high=interval[1]) if interval else ""


def _state(following: Json) -> str:
    if following["is_distinguishable"]:
        return "clear"
    return "split" if following["is_parted"] else "too_close"


@dataclass(frozen=True)
class WarningView:
    id: int
    kind: str
    sentence: str
    cycle: str
    cycle_id: int
    whose: str
    raised: str
    cleared: str
    answered: str
    is_standing: bool


def warning_views(found: Sequence[Json]) -> list[WarningView]:
    return [_warning(one) for one in found]


def _warning(one: Json) -> WarningView:
    people = "、".join(one["people"])
    return WarningView(
        id=one["id"],
        kind=text(f"rating_outlook.warning_kind_{one['kind']}"),
        sentence=one["text"],
        cycle=one["cycle"],
        cycle_id=one["cycle_id"],
        whose=text("rating_outlook.warning_whose", organization=one["organization"], people=people),
        raised=_at("raised", one["raised_at"]),
        cleared=_at("cleared", one["cleared_at"]),
        answered=_at("answered", one["answered_at"], answer=one["answer"]),
        is_standing=one["cleared_at"] is None,
    )


def _at(what: str, moment: datetime | None, **values: object) -> str:
    if moment is None:
        return ""
    return text(f"rating_outlook.warning_{what}", at=local_text(moment), **values)


@dataclass(frozen=True)
class YearView:
    """One year's grade; the place of its dot is a share of the width and pixels from the top."""

    year: int
    scheme: str
    grade: str
    total: str
    source: str
    x: str
    y: int
    tone: int
    cycle_id: int | None


@dataclass(frozen=True)
class HistoryPage:
    code: str
    name: str
    rows: Sequence[YearView]
    lines: Sequence[tuple[YearView, YearView]]


CHART_HEIGHT = 120
_CHART_EDGE = 16


def history_page(found: Json) -> HistoryPage:
    items = found["items"]
    step = Fraction(100, len(items) or 1)
    rows = [_year(one, percent(step * (number + Fraction(1, 2)))) for number, one in enumerate(items)]
    lines = [
        (left, right)
        for (left, before), (right, after) in pairwise(zip(rows, items, strict=True))
        if before["scheme"] == after["scheme"]
    ]
    return HistoryPage(found["organization_code"], found["name"], rows, lines)


def _year(one: Json, x: str) -> YearView:
    """The best grade stands at the top; schemes with more and with fewer grades share the height."""
    height = CHART_HEIGHT - 2 * _CHART_EDGE
    total, maximum = one["total"], f"{float(one['maximum']):g}"
    return YearView(
        year=one["year"],
        scheme=one["scheme_title"],
        grade=one["grade_title"],
        total=text("rating_outlook.history_out_of", total=total, maximum=maximum) if total else UNKNOWN,
        source=one["issuer"] or text("rating_outlook.history_own"),
        x=x,
        y=_CHART_EDGE + height * one["rank"] // max(one["grades"] - 1, 1),
        tone=one["rank"] + 1,
        cycle_id=one["cycle_id"],
    )
