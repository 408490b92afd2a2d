"""What is shown beside a score: the figures of each class, mode and item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.disclosure import Withholding
from survey_service.mass_evaluation.estimates import SubjectEstimate, estimate_subject
from survey_service.mass_evaluation.intervals import Estimate, Interval
from survey_service.mass_evaluation.slices import counted_slices, mode_weight
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import BLANK, TallySlice


@dataclass(frozen=True)
class Figure:
    """One class or one mode: R in all modes, n standing ballots, its configured weight and its own score.

    The score is None for fewer ballots than `min_cell`, and for a class that does not count. What is withheld
    has only its turnout and its weight.
    """

    returned: int
    n: int | None
    weight: Decimal
    score: Fraction | None
    interval: Interval | None
    withheld: Withholding | None = None


@dataclass(frozen=True)
class ItemFigure:
    """One item over the weighing modes: n by option, in all classes and in each, and its score.

    A class that is withheld is None in `by_class`; of a withheld item only the names are left.
    """

    key: str
    option_set: str
    n: Mapping[str, int] | None
    abstained: int | None
    by_class: Mapping[RaterClass, Mapping[str, int] | None] | None
    score: Fraction | None
    interval: Interval | None
    withheld: Withholding | None = None


def class_figures(
    formula: Formula, slices: Sequence[TallySlice], estimate: SubjectEstimate
) -> dict[RaterClass, Figure]:
    """Return what each class says alone."""
    figures = {}
    for rater_class, part in estimate.classes.items():
        returned = sum(tally.returned for tally in slices if tally.rater_class == rater_class)
        shown = part.score if part.is_counted and part.n >= formula.min_cell else None
        figures[rater_class] = Figure(returned, part.n, part.weight, value_of(shown), interval_of(shown))
    return figures


def mode_figures(
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
) -> dict[Mode, Figure]:
    """Score the ballots of each mode as if there were no other, without gates and over the classes it has.

    `returned` counts the excluded ballots as well.
    """
    present = {tally.mode for tally in slices}
    figures = {}
    for mode in (mode for mode in Mode if mode in present):
        own = [tally for tally in slices if tally.mode == mode]
        alone = replace(formula, mode_weights={mode: Decimal(1)})
        estimate = estimate_subject(alone, items, counted_slices(own), eligible)
        shown = estimate.score if estimate.counted_n >= formula.min_cell else None
        returned = sum(tally.returned for tally in own)
        weight = mode_weight(mode, formula)
        figures[mode] = Figure(returned, estimate.n, weight, value_of(shown), interval_of(shown))
    return figures


def item_figure(item: ScoredItem, slices: Sequence[TallySlice], estimate: SubjectEstimate) -> ItemFigure:
    """Return what one item says; `slices` are those of weighing modes."""
    score = estimate.join(lambda part: part.cells[item.key].score if item.key in part.cells else None)
    return ItemFigure(
        key=item.key,
        option_set=item.option_set,
        n=_counts(item, slices),
        abstained=sum(tally.counts.get(item.key, {}).get(BLANK, 0) for tally in slices),
        by_class={
            rater_class: _counts(item, [tally for tally in slices if tally.rater_class == rater_class])
            for rater_class in estimate.classes
        },
        score=value_of(score),
        interval=interval_of(score),
    )


def _counts(item: ScoredItem, slices: Sequence[TallySlice]) -> dict[str, int]:
    return {
        option.key: sum(tally.counts.get(item.key, {}).get(option.key, 0) for tally in slices)
        for option in OPTION_SETS[item.option_set].options
    }


def value_of(estimate: Estimate | None) -> Fraction | None:
    return estimate.value if estimate else None


def interval_of(estimate: Estimate | None) -> Interval | None:
    return estimate.interval if estimate else None
