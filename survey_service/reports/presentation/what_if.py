"""What-if as pages show it: numbers to change, and who would move."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from survey_service.core.texts import text
from survey_service.reports.charts import Segment, Stream, stack, streams
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
