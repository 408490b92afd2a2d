"""Scores as a page shows them: the table of a campaign, and one subject."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.questionnaires.rules import ScoredItem
from survey_service.reports.charts import Scale, Segment, Tick, Whisker, scale_for, stack
from survey_service.reports.presentation.formula import Clause, describe_formula
from survey_service.reports.presentation.trace import TraceView, trace_view, why_withheld
from survey_service.reports.presentation.turnout import (
    UNKNOWN,
    CampaignHead,
    TurnoutView,
    campaign_head,
    turnout_view,
)
from survey_service.reports.service import Figures, Score, ScoreTable, SubjectReport, TotalScore
from survey_service.reports.words import remarks, status_words, total_words
from survey_service.staff.rules import Role, is_allowed


@dataclass(frozen=True)
class FigureView:
    """A score with its interval, in words and as a drawing; without a score `shown` is a dash."""

    label: str
    shown: str
    interval: str
    whisker: Whisker | None
    returned: int = 0
    n: str = ""
    weight: str = ""
    why: str = ""


@dataclass(frozen=True)
class ScoreRow:
    code: str
    name: str
    status: str
    status_label: str
    why: str
    remarks: Sequence[str]
    figure: FigureView
    satisfaction_rate: str
    turnout: TurnoutView


@dataclass(frozen=True)
class TotalRow:
    name: str
    status: str
    status_label: str
    why: str
    figure: FigureView
    satisfaction_rate: str
    turnout: TurnoutView


@dataclass(frozen=True)
class ScorePage:
    head: CampaignHead
    rows: Sequence[ScoreRow]
    totals: Sequence[TotalRow]
    ticks: Sequence[Tick]
    formula_hash: str
    is_final: bool
    made_at: str
    may_export: bool

    @property
    def released(self) -> int:
        return sum(1 for row in self.rows if row.status == "ok")


@dataclass(frozen=True)
class ItemView:
    """One question: its score, and its options as parts of a bar and as numbers."""

    text: str
    figure: FigureView
    segments: Sequence[Segment]
    abstained: str
    why: str


@dataclass(frozen=True)
class SubjectPage:
    head: CampaignHead
    subject_name: str
    row: ScoreRow
    scale: Sequence[Tick]
    satisfaction: FigureView
    classes: Sequence[FigureView]
    modes: Sequence[FigureView]
    items: Sequence[ItemView]
    method: Sequence[Clause]
    trace: TraceView | None
    json_url: str
    formula_hash: str
    valid: str

    @property
    def legend(self) -> Sequence[Segment]:
        """The options of the first question that is shown."""
        return next((item.segments for item in self.items if item.segments), ())


def score_page(table: ScoreTable, *, role: Role, now: datetime) -> ScorePage:
    head = campaign_head(table.campaign, role=role, current="scores", now=now)
    figures = [score.figures for score in table.scores] + [total.figures for total in table.totals]
    lows = list(_lower_ends(figures))
    scale = scale_for(lows)
    return ScorePage(
        head=head,
        rows=[_row(score, scale, min_cell=table.campaign.min_cell) for score in table.scores],
        totals=[_total(total, scale, min_cell=table.campaign.min_cell) for total in table.totals],
        ticks=scale.ticks if lows else (),
        formula_hash=table.campaign.formula_hash or "",
        is_final=head.state in {"closed", "sealed"},
        made_at=clock.local_text(now),
        may_export=is_allowed(role, "scores.export"),
    )


def _lower_ends(figures: Iterable[Figures]) -> Iterator[str]:
    """Yield the lowest place of each drawing."""
    for one in figures:
        if one["score"] is not None:
            yield one["interval"][0] if one["interval"] else one["score"]


def _row(score: Score, scale: Scale, *, min_cell: int) -> ScoreRow:
    status = score.figures["status"]
    return ScoreRow(
        code=score.place.organization_code,
        name=score.place.name,
        status=status,
        status_label=text(f"reports.status_{status}"),
        why=status_words(score, min_cell=min_cell),
        remarks=remarks(score, min_cell=min_cell),
        figure=_figure("", score.figures, scale),
        satisfaction_rate=_percentage(score.figures["satisfaction_rate"]),
        turnout=turnout_view(score.turnout),
    )


def _total(total: TotalScore, scale: Scale, *, min_cell: int) -> TotalRow:
    status = total.figures["status"]
    return TotalRow(
        name=text("reports.total", name=total.name),
        status=status,
        status_label=text(f"reports.status_{status}"),
        why=total_words(total, min_cell=min_cell),
        figure=_figure("", total.figures, scale),
        satisfaction_rate=_percentage(total.figures["satisfaction_rate"]),
        turnout=turnout_view(total.turnout),
    )


def _percentage(shown: str | None) -> str:
    return UNKNOWN if shown is None else f"{shown}%"


def _figure(label: str, figures: Figures, scale: Scale, **more: Any) -> FigureView:
    score, interval = figures["score"], figures["interval"]
    return FigureView(
        label=label,
        shown=score or UNKNOWN,
        interval="–".join(interval) if interval else UNKNOWN,
        whisker=scale.whisker(score, interval) if score else None,
        **more,
    )


def subject_page(
    report: SubjectReport, *, scored_items: Sequence[ScoredItem], role: Role, now: datetime
) -> SubjectPage:
    figures, campaign = report.score.figures, report.campaign
    by_class, by_mode, items = figures["by_class"] or {}, figures["by_mode"] or {}, report.items or []
    scale = scale_for(list(_lower_ends([figures, *by_class.values(), *by_mode.values(), *items])))
    texts = {item.key: item.text for item in scored_items}
    row = _row(report.score, scale, min_cell=campaign.min_cell)
    return SubjectPage(
        head=campaign_head(campaign, role=role, current="scores", now=now),
        subject_name=report.score.place.subject_name,
        row=row,
        scale=scale.ticks,
        satisfaction=_satisfaction(figures),
        classes=_parts(RaterClass, "class", by_class, scale),
        modes=_parts(Mode, "mode", by_mode, scale),
        items=[_item(item, texts, scale) for item in items],
        method=describe_formula(report.formula, scored_items),
        trace=trace_view(report.trace, texts) if report.trace else None,
        json_url=f"/api/v1/campaigns/{campaign.id}/scores/{row.code}",
        formula_hash=campaign.formula_hash or "",
        valid=UNKNOWN if figures["valid"] is None else str(figures["valid"]),
    )


def _satisfaction(figures: Figures) -> FigureView:
    rate = {"score": figures["satisfaction_rate"], "interval": figures["satisfaction_interval"]}
    return _figure(text("reports.column_satisfaction_rate"), rate, Scale(0))


def _parts(
    keys: Iterable[RaterClass | Mode], word: str, parts: Mapping[str, Figures], scale: Scale
) -> list[FigureView]:
    """Return the classes or modes of a subject in the order of the glossary."""
    return [
        _figure(
            text(f"campaigns.{word}_{key}"),
            part,
            scale,
            returned=part["returned"],
            n=UNKNOWN if part["n"] is None else str(part["n"]),
            weight=part["weight"],
            why=why_withheld(part["withheld"]),
        )
        for key in keys
        if (part := parts.get(key))
    ]


def _item(item: Figures, texts: Mapping[str, str], scale: Scale) -> ItemView:
    counts = item["n"] or {}
    options = OPTION_SETS[item["option_set"]].options if counts else ()
    return ItemView(
        text=texts.get(item["key"], item["key"]),
        figure=_figure("", item, scale),
        segments=stack([(option.label, counts[option.key]) for option in options]),
        abstained=UNKNOWN if item["abstained"] is None else str(item["abstained"]),
        why=why_withheld(item["withheld"]),
    )
