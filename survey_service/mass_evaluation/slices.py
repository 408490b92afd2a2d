"""Which slices score, and how much their ballots weigh."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

from survey_service.campaigns.rules import DEFAULT_MODE_WEIGHTS, Formula, Mode, RaterClass
from survey_service.tallies.rules import TallySlice


def mode_weight(mode: Mode, formula: Formula) -> Decimal:
    """Return w of a mode; a mode that the formula does not name has its default."""
    return formula.mode_weights.get(mode, DEFAULT_MODE_WEIGHTS[mode])


def weighing(slices: Sequence[TallySlice], formula: Formula) -> tuple[TallySlice, ...]:
    """Return the slices whose mode has a weight above 0: only they score, and only they meet gates."""
    return tuple(tally for tally in slices if mode_weight(tally.mode, formula) > 0)


def counted_slices(slices: Sequence[TallySlice]) -> list[TallySlice]:
    """Return the slices whose ballots stand in the score: all but the excluded ones."""
    return [tally for tally in slices if not tally.is_excluded]


def ignore_exclusions(slices: Sequence[TallySlice]) -> list[TallySlice]:
    """Count excluded ballots like all others, as while a campaign is open."""
    return [replace(tally, is_excluded=False) for tally in slices]


def merge_slices(slices: Sequence[TallySlice]) -> list[TallySlice]:
    """Add up the slices of the same class and mode, as of several places, the excluded ones apart.

    They come in the order of the enums.
    """
    parts: dict[tuple[RaterClass, Mode, bool], list[TallySlice]] = {}
    for tally in slices:
        parts.setdefault((tally.rater_class, tally.mode, tally.is_excluded), []).append(tally)
    order = [
        (rater_class, mode, is_excluded)
        for rater_class in RaterClass
        for mode in Mode
        for is_excluded in (False, True)
    ]
    return [sum_slices(parts[key]) for key in order if key in parts]


def sum_slices(parts: Sequence[TallySlice]) -> TallySlice:
    """Add up slices of one class; the mode, and whether they are excluded, are those of the first."""
    items = sorted({item for part in parts for item in part.counts})
    return TallySlice(
        rater_class=parts[0].rater_class,
        mode=parts[0].mode,
        returned=sum(part.returned for part in parts),
        valid=sum(part.valid for part in parts),
        standing=sum(part.standing for part in parts),
        counts={item: _sum_counts([part.counts.get(item, {}) for part in parts]) for item in items},
        invalid=sum(part.invalid for part in parts),
        is_excluded=parts[0].is_excluded,
    )


def _sum_counts(parts: Sequence[Mapping[str, int]]) -> dict[str, int]:
    options = sorted({option for part in parts for option, number in part.items() if number})
    return {option: sum(part.get(option, 0) for part in parts) for option in options}
