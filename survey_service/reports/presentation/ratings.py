"""Rating cycles as pages show them: the list, the table of grades, one grade step by step."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from survey_service.core.texts import text
from survey_service.ratings.vocabulary import Level
from survey_service.reports.charts import Segment, percent, stack
from survey_service.reports.presentation.turnout import UNKNOWN

Json = Mapping[str, Any]


@dataclass(frozen=True)
class CycleView:
    """A cycle in a list; `state` colours its chip."""

    id: int
    title: str
    scheme: str
    state: str
    state_label: str


@dataclass(frozen=True)
class StepView:
    title: str
    actor: str
    state: str


@dataclass(frozen=True)
class GradeView:
    """One subject: its total as a number and as a share of the maximum, its grades in words."""

    code: str
    name: str
    total: str
    width: str
    by_score: str
    proposed: str
    final: str
    is_moved: bool
    needs_decision: bool
    reasons: Sequence[str]


@dataclass(frozen=True)
class RatingPage:
    cycle: CycleView
    steps: Sequence[StepView]
    assumptions: Sequence[str]
    distribution: Sequence[Segment]
    rows: Sequence[GradeView]
    count: int
    following: int | None
    """The position behind which the next page begins."""
    is_stale: bool
    rewards: Sequence[Json]
    phase: str
    hash: str


@dataclass(frozen=True)
class IndicatorView:
    """A line of the tree; `depth` indents it."""

    title: str
    depth: int
    value: str
    maximum: str
    width: str
    basis: str


@dataclass(frozen=True)
class GradeTracePage:
    cycle: CycleView
    code: str
    name: str
    final: str
    proposed: str
    total: str
    reasons: Sequence[str]
    indicators: Sequence[IndicatorView]
    bonus: str
    penalty: str
    levels: Sequence[tuple[str, str]]
    mass: Sequence[tuple[str, str]]
    decisions: Sequence[str]
    hash: str
    json_url: str
    score_url: str
    """Where the mass score is explained item by item; empty without a campaign."""


def cycle_view(cycle: Json) -> CycleView:
    state = "sealed" if cycle["is_final"] else "open"
    label = text("ratings.page_final" if cycle["is_final"] else "ratings.page_draft")
    scheme = text("ratings.page_scheme", title=cycle["scheme_title"], version=cycle["version"])
    return CycleView(cycle["id"], cycle["title"], scheme, state, label)


def rating_page(cycle: Json, table: Json, document: Json) -> RatingPage:
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    maximum = Fraction(document["scale"]["maximum"])
    return RatingPage(
        cycle=cycle_view(cycle),
        steps=list(_steps(cycle["steps"])),
        assumptions=cycle["assumptions"],
        distribution=stack([(title, table["counts"][grade]) for grade, title in titles.items()]),
        rows=[_grade(row, titles, maximum) for row in table["items"]],
        count=table["total"],
        following=table["next"],
        is_stale=table["is_stale"],
        rewards=cycle["rewards"],
        phase=cycle["phase"] or "",
        hash=cycle["hash"],
    )


def _steps(steps: Sequence[Json]) -> Iterator[StepView]:
    is_due = True
    for step in steps:
        state = "done" if step["is_done"] else "due" if is_due else "later"
        is_due = is_due and step["is_done"]
        yield StepView(step["title"], step["actor"], text(f"ratings.page_step_{state}"))


def _grade(row: Json, titles: Mapping[str, str], maximum: Fraction) -> GradeView:
    by_score, proposed, final = (
        titles.get(row[name] or "", UNKNOWN) for name in ("grade_by_score", "grade_proposed", "grade_final")
    )
    return GradeView(
        code=row["organization_code"],
        name=row["name"],
        total=row["total"] or UNKNOWN,
        width=percent(100 * Fraction(row["total"] or 0) / maximum),
        by_score=by_score,
        proposed=proposed,
        final=final,
        is_moved=row["grade_by_score"] != row["grade_proposed"],
        needs_decision=row["needs_decision"],
        reasons=row["reasons"],
    )


def trace_page(cycle: Json, trace: Json, document: Json, *, name: str) -> GradeTracePage:
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    proposal = trace["proposal"]
    total = proposal["total"]
    code = proposal["organization_code"]
    return GradeTracePage(
        cycle=cycle_view(cycle),
        code=code,
        name=name,
        final=titles.get(trace["grade_final"] or "", UNKNOWN),
        proposed=titles.get(proposal["grade_proposed"] or "", UNKNOWN),
        total=total["value"] or UNKNOWN,
        reasons=trace["reasons"],
        indicators=list(_indicators(total["indicators"], 0)),
        bonus=total["bonus"],
        penalty=total["penalty"],
        levels=[
            (text(f"ratings.page_level_{level}"), proposal["levels"][level] or UNKNOWN) for level in Level
        ],
        mass=list(_mass(proposal["mass"])),
        decisions=[_decision(one, titles) for one in trace["decisions"]],
        hash=proposal["scheme"]["hash"],
        json_url=f"/api/v1/rating-cycles/{cycle['id']}/grades/{code}/trace",
        score_url=f"/staff/campaigns/{cycle['campaign_id']}/scores/{code}" if proposal["mass"] else "",
    )


def _indicators(nodes: Sequence[Json], depth: int) -> Iterator[IndicatorView]:
    for node in nodes:
        value, maximum = node["value"], Fraction(node["maximum"])
        level = text(f"ratings.page_level_{node['level']}") if "level" in node else ""
        yield IndicatorView(
            title=node["title"],
            depth=depth,
            value=value or UNKNOWN,
            maximum=node["maximum"],
            width=percent(100 * Fraction(value or 0) / maximum) if maximum else "0%",
            basis=text(f"ratings.page_basis_{node['basis']}", level=level),
        )
        yield from _indicators(node.get("children", ()), depth + 1)


def _mass(mass: Json | None) -> Iterator[tuple[str, str]]:
    """Name what the mass evaluation gave, down to the hash of its formula."""
    if mass is None:
        return
    yield text("ratings.page_mass_status"), text(f"ratings.status_{mass['status']}")
    for name in ("score", "satisfaction_rate", "formula_hash", "snapshot_digest"):
        if mass.get(name) is not None:
            yield text(f"ratings.page_mass_{name}"), str(mass[name])


def _decision(made: Any, titles: Mapping[str, str]) -> str:
    return text(
        "ratings.page_decision",
        kind=text(f"ratings.page_decision_{made.kind}"),
        grade=titles.get(made.grade, made.grade),
        reason=made.reason or UNKNOWN,
    )
