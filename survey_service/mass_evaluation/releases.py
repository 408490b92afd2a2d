"""The one gate between counted ballots and anybody's eyes: what is released of one subject, and when.

Pages, the API, the summary sheet, the seal's snapshot and its corrections show what passes here, and what a
reader's role takes out of it afterwards (`reports/rules.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.disclosure import is_step_due
from survey_service.mass_evaluation.disclosure import (
    Disclosure,
    plan_disclosure,
    withhold_figures,
    withhold_items,
    withhold_trace,
)
from survey_service.mass_evaluation.estimates import SubjectEstimate, estimate_subject
from survey_service.mass_evaluation.figures import item_figure
from survey_service.mass_evaluation.rules import MassScore, score_subject, withhold
from survey_service.mass_evaluation.slices import counted_slices, merge_slices
from survey_service.mass_evaluation.verdicts import Reason, Status
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice


class Timing(StrEnum):
    """Which ballots the figures are made of."""

    STEPWISE = "stepwise"
    """Those that could be shown in steps of `min_cell`, class by class and mode by mode."""
    EXACT = "exact"
    """All of them."""
    WITHHELD = "withheld"
    """None, until no ballot can come any more."""


@dataclass(frozen=True)
class Release:
    """What may be shown of a subject, and the slices that it follows from.

    `slices` are what the next step starts from, and what the figures can be computed from again.
    """

    score: MassScore
    slices: tuple[TallySlice, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing that enters a shown score is withheld beside it."""
        withheld: Any = (self.score.trace or {}).get("withheld")
        # A withheld class that enters the score takes all items with it.
        return withheld is None or not (withheld["items"] or withheld["counts"])

    @property
    def as_of_returned(self) -> int:
        """The ballots behind the figures; those looked at where there are none."""
        if self.score.status is not Status.OK:
            return self.score.returned
        return sum(tally.returned for tally in self.slices)


@dataclass(frozen=True)
class Gate:
    """The gate of one subject, with everything that decides its score besides its ballots."""

    formula: Formula
    items: Sequence[ScoredItem]
    eligible: Mapping[RaterClass, int | None]
    issued: Mapping[Mode, int | None]

    def score(self, slices: Sequence[TallySlice]) -> MassScore:
        """Score some ballots and take out what must not be shown even when all of them are in."""
        score = self._count(slices)
        if score.status is not Status.OK:
            return score
        counted = counted_slices(merge_slices(slices))
        estimate = estimate_subject(self.formula, self.items, counted, self.eligible)
        return self._disclose(score, estimate, plan_disclosure(self.formula, self.items, counted, estimate))

    def _count(self, slices: Sequence[TallySlice]) -> MassScore:
        """Score some ballots, and hide nothing: never shown."""
        return score_subject(
            formula=self.formula,
            items=self.items,
            slices=slices,
            eligible=self.eligible,
            issued=self.issued,
        )

    def _disclose(self, score: MassScore, estimate: SubjectEstimate, disclosure: Disclosure) -> MassScore:
        shown = disclosure.shown_slices()
        modes = dict.fromkeys(score.by_mode or {}, disclosure.modes) if disclosure.modes else {}
        return replace(
            score,
            valid=score.valid if disclosure.is_valid_shown else None,
            satisfaction_rate=None if disclosure.is_mixed else score.satisfaction_rate,
            satisfaction_interval=None if disclosure.is_mixed else score.satisfaction_interval,
            with_excluded=None if disclosure.is_mixed else score.with_excluded,
            by_class=withhold_figures(score.by_class or {}, disclosure.classes),
            by_mode=withhold_figures(score.by_mode or {}, modes),
            items=withhold_items((item_figure(item, shown, estimate) for item in self.items), disclosure),
            trace=withhold_trace(score.trace or {}, disclosure),
        )

    def release(
        self, standing: Sequence[TallySlice], *, shown: Sequence[TallySlice], timing: Timing
    ) -> Release:
        """Return what is released of the standing ballots; `shown` are the slices shown last."""
        standing = merge_slices(standing)
        if timing is Timing.WITHHELD:
            return Release(withhold(self._count(standing), Reason.UNTIL_CLOSING), tuple(shown))
        if timing is Timing.EXACT:
            return Release(self.score(standing), tuple(standing))
        used = renew_slices(shown, standing, self.formula.min_cell)
        score = self.score(used) if used else self._bare(standing)
        return Release(score, tuple(used if score.status is Status.OK else shown))

    def _bare(self, standing: Sequence[TallySlice]) -> MassScore:
        """Say why nothing can be shown of ballots none of which may be looked at yet."""
        score = self._count(standing)
        is_hidden = score.reason is Reason.NONE or score.status is Status.INSUFFICIENT
        return withhold(score, Reason.SMALL_CELL if is_hidden else score.reason)


def renew_slices(
    shown: Sequence[TallySlice], standing: Sequence[TallySlice], min_cell: int
) -> list[TallySlice]:
    """Take each class and mode as it stands where a step is due, and as it was shown last where none is."""
    last, found = _by_channel(shown), _by_channel(standing)
    return merge_slices(
        [
            tally
            for key in last.keys() | found.keys()
            for tally in _renew(last.get(key, []), found.get(key, []), min_cell)
        ]
    )


def _by_channel(slices: Sequence[TallySlice]) -> dict[tuple[RaterClass, Mode], list[TallySlice]]:
    channels: dict[tuple[RaterClass, Mode], list[TallySlice]] = {}
    for tally in slices:
        channels.setdefault((tally.rater_class, tally.mode), []).append(tally)
    return channels


def _renew(
    shown: Sequence[TallySlice], standing: Sequence[TallySlice], min_cell: int
) -> Sequence[TallySlice]:
    """Choose for one class and mode; where ballots are excluded, late ones wait for the exact figures.

    Of a few late ballots some may belong to an excluded group: two figures would part them.
    """
    if any(tally.is_excluded for tally in standing):
        return shown
    sizes = [sum(tally.returned for tally in slices) for slices in (shown, standing)]
    return standing if is_step_due(released=sizes[0], standing=sizes[1], min_cell=min_cell) else shown
