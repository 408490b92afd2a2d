"""What-if and the ranking with its intervals, as pages show them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.reports.charts import (
    Scale,
    Segment,
    Stream,
    Tick,
    Whisker,
    percent,
    scale_for,
    stack,
    streams,
)
from survey_service.reports.presentation.forms import FormView
from survey_service.reports.presentation.ratings import CycleView, cycle_view
from survey_service.reports.presentation.turnout import UNKNOWN

Json = Mapping[str, Any]
MOST_SHOWN = 300
"""So many rows a page shows; the others stand in the answer of the API."""


@dataclass(frozen=True)
class NumberField:
    """A number that can be changed; `was` is the one of the scheme, `depth` indents it."""

    name: str
    label: str
    value: str
    was: str
    depth: int = 0

    @property
    def is_changed(self) -> bool:
        return self.value.strip() != self.was


@dataclass(frozen=True)
class MovedView:
    code: str
    name: str
    before: str
    after: str
    totals: str
    way: str
    reasons: Sequence[str]


@dataclass(frozen=True)
class MovedGroup:
    """Those who move the same way: `rises`, `falls` or `unclear`."""

    way: str
    title: str
    rows: Sequence[MovedView]


@dataclass(frozen=True)
class CountView:
    title: str
    before: int
    after: int
    difference: str


@dataclass(frozen=True)
class WhatIfResult:
    headline: str
    notes: Sequence[str]
    before: Sequence[Segment]
    after: Sequence[Segment]
    streams: Sequence[Stream]
    counts: Sequence[CountView]
    moved: Sequence[MovedGroup]


@dataclass(frozen=True)
class WhatIfPage:
    cycle: CycleView
    form: FormView
    maximum: str
    points: Sequence[NumberField]
    bands: Sequence[NumberField]
    quotas: Sequence[NumberField]
    result: WhatIfResult | None

    @property
    def changes(self) -> list[NumberField]:
        """Return the numbers that are not those of the scheme."""
        return [one for one in (*self.quotas, *self.bands, *self.points) if one.is_changed]


def what_if_page(cycle: Json, document: Json, form: FormView, found: Json | None) -> WhatIfPage:
    return WhatIfPage(
        cycle=cycle_view(cycle),
        form=form,
        maximum=_plain(document["scale"]["maximum"]),
        points=list(_points(document["indicators"], form, 0)),
        bands=list(_bands(document, form)),
        quotas=list(_quotas(document, form)),
        result=None if found is None else what_if_result(found),
    )


def _plain(number: str | None) -> str:
    """Write a decimal without zeros that say nothing."""
    return f"{float(number):g}" if number else ""


def _points(items: Sequence[Json], form: FormView, depth: int) -> Iterator[NumberField]:
    for item in items:
        if item.get("points") is not None:
            name = f"points.{item['code']}"
            yield _field(name, item["title"], item["points"], form, depth)
        yield from _points(item.get("children", ()), form, depth + 1)


def _field(name: str, label: str, present: str | None, form: FormView, depth: int = 0) -> NumberField:
    was = _plain(present)
    return NumberField(name, label, form.value(name, was), was, depth)


def _bands(document: Json, form: FormView) -> Iterator[NumberField]:
    for band in document["bands"][:-1]:
        name = f"bands.{band['grade']}"
        label = text("rating_outlook.what_if_band", grade=band["title"])
        yield _field(name, label, band["min"], form)


def _quotas(document: Json, form: FormView) -> Iterator[NumberField]:
    """Offer a maximum for every grade but the lowest, and a minimum for that: no other shares can be kept."""
    shares = {
        (one["grade"], side): one[side]
        for one in document.get("quotas", ())
        for side in ("max_percent", "min_percent")
        if one.get(side) is not None
    }
    lowest = document["bands"][-1]
    for band in document["bands"]:
        side = "min" if band is lowest else "max"
        name = f"{side}_percents.{band['grade']}"
        label = text(f"rating_outlook.what_if_{side}", grade=band["title"])
        yield _field(name, label, shares.get((band["grade"], f"{side}_percent")), form)


def what_if_result(found: Json) -> WhatIfResult:
    titles = {one["grade"]: one["title"] for one in found["grades"]}
    moved = found["moved"]
    headline = text("rating_outlook.what_if_result", count=len(moved) + found["moved_elsewhere"])
    if not moved and not found["moved_elsewhere"]:
        headline = text(
            "rating_outlook.what_if_nobody" if found["is_changed"] else "rating_outlook.what_if_same"
        )
    return WhatIfResult(
        headline=headline,
        notes=list(_notes(found)),
        before=stack([(one["title"], one["before"]) for one in found["grades"]]),
        after=stack([(one["title"], one["after"]) for one in found["grades"]]),
        streams=_streams(found),
        counts=[_count(one) for one in found["grades"]],
        moved=list(_groups(moved[:MOST_SHOWN], titles)),
    )


def _streams(found: Json) -> list[Stream]:
    parts = {one["grade"]: number for number, one in enumerate(found["grades"])}
    flows = {
        (parts.get(one["before"], -1), parts.get(one["after"], -1)): one["count"] for one in found["flows"]
    }
    return streams(len(parts), flows)


def _groups(moved: Sequence[Json], titles: Mapping[str, str]) -> Iterator[MovedGroup]:
    """Part those who rise from those who fall, each beginning with who moves the farthest."""
    for way in ("rises", "falls", "unclear"):
        rows = [_moved(one, titles) for one in sorted(moved, key=_distance) if _way(one["step"]) == way]
        if rows:
            yield MovedGroup(way, text(f"rating_outlook.what_if_{way}_title", count=len(rows)), rows)


def _distance(one: Json) -> int:
    step: int = one["step"]
    return -abs(step)


def _way(step: int) -> str:
    return "rises" if step > 0 else "falls" if step < 0 else "unclear"


def _notes(found: Json) -> Iterator[str]:
    yield text("rating_outlook.what_if_base", base=found["base"])
    if found["moved_elsewhere"]:
        yield text("rating_outlook.what_if_elsewhere", count=found["moved_elsewhere"])
    for one in found["rewards"]:
        if one["before"] != one["after"]:
            values = {"before": one["before"] or UNKNOWN, "after": one["after"]}
            yield one["title"] + "：" + text("rating_outlook.what_if_reward", **values)
    yield from found["warnings"]
    if len(found["moved"]) > MOST_SHOWN:
        yield text("rating_outlook.what_if_more", count=MOST_SHOWN)


def _count(one: Json) -> CountView:
    difference = one["after"] - one["before"]
    return CountView(one["title"], one["before"], one["after"], f"{difference:+d}" if difference else "")


def _moved(one: Json, titles: Mapping[str, str]) -> MovedView:
    totals = [one["total_before"] or UNKNOWN, one["total_after"] or UNKNOWN]
    return MovedView(
        code=one["organization_code"],
        name=one["name"],
        before=titles.get(one["grade_before"] or "", UNKNOWN),
        after=titles.get(one["grade_after"] or "", UNKNOWN),
        totals=totals[0] if totals[0] == totals[1] else " → ".join(totals),
        way=text(f"rating_outlook.what_if_{_way(one['step'])}", step=abs(one["step"])),
        reasons=one["reasons"],
    )


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
