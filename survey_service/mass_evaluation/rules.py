"""From the tally slices of one subject to its score, or to the reason why it has none.

Everything is exact: whole ballots, fractions, and whole-number roots for the intervals; `show` rounds at the
end. `docs/scoring.md` explains the formulas; the neighbours of this module hold one step each.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction
from math import floor
from types import MappingProxyType

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.events import Event
from survey_service.mass_evaluation.estimates import SubjectEstimate, estimate_subject
from survey_service.mass_evaluation.figures import (
    Figure,
    ItemFigure,
    class_figures,
    interval_of,
    item_figure,
    mode_figures,
    value_of,
)
from survey_service.mass_evaluation.intervals import HUNDRED, Estimate, Interval, distinguishable
from survey_service.mass_evaluation.slices import (
    counted_slices,
    ignore_exclusions,
    merge_slices,
    weighing,
)
from survey_service.mass_evaluation.traces import write_trace
from survey_service.mass_evaluation.verdicts import (
    STATUS_OF,
    Reason,
    Status,
    check_subject,
    turnout,
    verdict,
)
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice

__all__ = [
    "Estimate",
    "Figure",
    "Flag",
    "Interval",
    "ItemFigure",
    "MassScore",
    "MassScoreChanged",
    "Reason",
    "Status",
    "distinguishable",
    "score_subject",
    "show",
    "withhold",
]


@dataclass(frozen=True)
class MassScoreChanged(Event):
    """Scores of a campaign were computed anew."""

    campaign_id: int


MOST_ASSISTED = Fraction(1, 5)
"""A larger share of assisted ballots raises a flag (`domain.md` section 3: shown apart)."""


class Flag(StrEnum):
    """What a reader of the figures must know; a flag withholds nothing."""

    MORE_RETURNED_THAN_ELIGIBLE = "more_returned_than_eligible"
    NO_FINITE_CORRECTION = "no_finite_correction"
    ASSISTED_SHARE = "assisted_share"
    """More than a fifth of the ballots came by assisted visits: somebody should look how."""
    DISPUTED = "disputed"
    """Too many voters say that others used their codes; never shown to the rated party."""


@dataclass(frozen=True)
class WithExcluded:
    """The score as it would be with the excluded ballots: it always stands beside the one without them."""

    score: Fraction | None
    satisfaction_rate: Fraction | None


@dataclass(frozen=True)
class MassScore:
    """The mass evaluation of one subject; percentages in [0, 100], exact.

    With any status but OK only `returned`, `excluded`, `eligible`, `response_rate` and `flags` are filled in.
    `eligible` and `response_rate` are None where a class's number of eligible people is unknown. `excluded`
    ballots are among the returned ones, and in no other figure but those of `with_excluded`.
    """

    status: Status
    reason: Reason
    returned: int
    eligible: int | None
    response_rate: Fraction | None
    flags: tuple[Flag, ...] = ()
    valid: int | None = None
    score: Fraction | None = None
    interval: Interval | None = None
    satisfaction_rate: Fraction | None = None
    satisfaction_interval: Interval | None = None
    by_class: Mapping[RaterClass, Figure] | None = None
    by_mode: Mapping[Mode, Figure] | None = None
    items: tuple[ItemFigure, ...] | None = None
    trace: Mapping[str, object] | None = None
    excluded: int = 0
    with_excluded: WithExcluded | None = None


def score_subject(
    *,
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
    issued: Mapping[Mode, int | None] = MappingProxyType({}),
) -> MassScore:
    """Score one subject by the ballots that are not excluded.

    Several slices of the same class and mode are added up. A class missing in `eligible`, or a mode missing
    in `issued`, is unknown. The formula must hold a coefficient map for every item's option set.
    """
    slices = merge_slices(slices)
    counted = counted_slices(slices)
    estimate = estimate_subject(formula, items, counted, eligible)
    checks = check_subject(
        formula=formula, estimate=estimate, slices=slices, eligible=eligible, issued=issued
    )
    reason = verdict(checks)
    bare = replace(
        _bare_score(reason, formula, slices, eligible),
        excluded=sum(tally.returned for tally in slices if tally.is_excluded),
    )
    if reason is not Reason.NONE:
        return bare
    score, rate = estimate.score, estimate.rate
    return replace(
        bare,
        flags=(*bare.flags, *_interval_flags(estimate)),
        valid=sum(tally.valid for tally in counted),
        score=value_of(score),
        interval=interval_of(score),
        satisfaction_rate=value_of(rate),
        satisfaction_interval=interval_of(rate),
        by_class=class_figures(formula, slices, estimate),
        by_mode=mode_figures(formula, items, slices, eligible),
        items=tuple(item_figure(item, weighing(counted, formula), estimate) for item in items),
        trace=write_trace(
            formula=formula, items=items, slices=counted, eligible=eligible, estimate=estimate, checks=checks
        ),
        with_excluded=_score_with_excluded(formula, items, slices, eligible) if bare.excluded else None,
    )


def _score_with_excluded(
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
) -> WithExcluded:
    everything = merge_slices(ignore_exclusions(slices))
    estimate = estimate_subject(formula, items, everything, eligible)
    score, rate = estimate.score, estimate.rate
    return WithExcluded(value_of(score), value_of(rate))


def withhold(score: MassScore, reason: Reason) -> MassScore:
    """Take everything out of a score that its new status does not allow."""
    return MassScore(
        status=STATUS_OF[reason],
        reason=reason,
        returned=score.returned,
        eligible=score.eligible,
        response_rate=score.response_rate,
        excluded=score.excluded,
        flags=tuple(flag for flag in score.flags if flag is not Flag.NO_FINITE_CORRECTION),
    )


def show(value: Fraction | None) -> str | None:
    """Write a value that is not negative with two decimal places, half rounded up; None stays None."""
    if value is None:
        return None
    hundredths = floor(value * 100 + Fraction(1, 2))
    return f"{hundredths // 100}.{hundredths % 100:02}"


def _bare_score(
    reason: Reason,
    formula: Formula,
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
) -> MassScore:
    whole = turnout(formula, slices, eligible)
    crowded = any(
        response.eligible is not None and response.returned > response.eligible
        for response in (turnout(formula, slices, eligible, rater_class) for rater_class in RaterClass)
    )
    return MassScore(
        status=STATUS_OF[reason],
        reason=reason,
        returned=whole.returned,
        eligible=whole.eligible,
        response_rate=None if whole.share is None else whole.share * HUNDRED,
        flags=tuple(_turnout_flags(slices, whole.returned, is_crowded=crowded)),
    )


def _turnout_flags(slices: Sequence[TallySlice], returned: int, *, is_crowded: bool) -> Iterator[Flag]:
    if is_crowded:
        yield Flag.MORE_RETURNED_THAN_ELIGIBLE
    assisted = sum(tally.returned for tally in slices if tally.mode is Mode.ASSISTED)
    if returned and Fraction(assisted, returned) > MOST_ASSISTED:
        yield Flag.ASSISTED_SHARE


def _interval_flags(estimate: SubjectEstimate) -> tuple[Flag, ...]:
    cells = [cell for part in estimate.counted.values() for cell in part.cells.values()]
    return (Flag.NO_FINITE_CORRECTION,) if any(cell.size.exceeds_eligible for cell in cells) else ()
