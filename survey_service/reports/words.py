"""Figures in words: why there is no score, and what a reader must know about one."""

from collections.abc import Sequence

from survey_service.core.texts import text
from survey_service.reports.service import Score, TotalScore


def status_words(score: Score, *, min_cell: int) -> str:
    """Return why a subject has no score, or nothing where it has one."""
    reason = score.figures["reason"]
    return text(f"reports.reason_{reason}", min_cell=min_cell) if reason else ""


def total_words(total: TotalScore, *, min_cell: int) -> str:
    """Return why a total has no score, or nothing where it has one."""
    reason = total.figures["reason"]
    return text(f"reports.reason_{reason}", min_cell=min_cell) if reason else ""


def remarks(score: Score, *, min_cell: int) -> Sequence[str]:
    """Return what stands beside the figures: flags, a release that lags, invented roster sizes."""
    found = [text(f"reports.flag_{flag}") for flag in score.figures["flags"]]
    if (second := score.figures["with_excluded"]) is not None:
        found.append(text("reports.with_excluded", count=score.figures["excluded"], score=second["score"]))
    if score.figures["reason"] is None and score.as_of_returned != score.turnout.returned:
        found.append(text("reports.lagging", count=score.as_of_returned, min_cell=min_cell))
    if score.place.is_roster_generated:
        found.append(text("reports.roster_generated"))
    return found
