"""The trace of a score: every number that led to it, so that a reader can redo it by hand.

The trace is JSON: whole numbers as numbers, exact fractions as text ("471/5"), bounds of intervals as decimal
text with six places. `docs/scoring.md` names the formulas that join the numbers.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.mass_evaluation.estimates import Cell, ClassEstimate, SubjectEstimate
from survey_service.mass_evaluation.intervals import Estimate, Interval, shares_of
from survey_service.mass_evaluation.slices import mode_weight
from survey_service.mass_evaluation.verdicts import Check
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice


def write_trace(
    *,
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
    estimate: SubjectEstimate,
    checks: Sequence[Check],
) -> dict[str, object]:
    """Return the trace of one subject as a structure of dicts, lists, text, whole numbers and None."""
    return {
        "formula": _formula(formula, items, slices),
        "slices": [write_row(tally, (tally.mode,)) for tally in slices],
        "checks": [_check(check) for check in checks],
        "classes": {
            rater_class.value: _class(part, eligible.get(rater_class))
            for rater_class, part in estimate.classes.items()
        },
        "score": _joined(estimate, lambda part: part.score),
        "satisfaction_rate": _joined(estimate, lambda part: part.rate),
    }


def _formula(
    formula: Formula, items: Sequence[ScoredItem], slices: Sequence[TallySlice]
) -> dict[str, object]:
    option_sets = sorted({item.option_set for item in items})
    return {
        "items": [
            {"key": item.key, "option_set": item.option_set, "weight": str(item.weight)} for item in items
        ],
        "coefficients": {
            option_set: {option: str(value) for option, value in formula.coefficients[option_set].items()}
            for option_set in option_sets
        },
        "positive": {option_set: sorted(formula.positive.get(option_set, ())) for option_set in option_sets},
        "count_not_informed": formula.count_not_informed,
        "count_abstained": formula.count_abstained,
        "mode_weights": {tally.mode.value: str(mode_weight(tally.mode, formula)) for tally in slices},
        "min_class": formula.min_class,
        "empty_class": formula.empty_class.value,
    }


def write_row(tally: TallySlice, modes: Sequence[Mode]) -> dict[str, object]:
    """Return the ballots of one class that came through one mode, or through several of the same weight."""
    return {
        "class": tally.rater_class.value,
        "modes": [mode.value for mode in modes],
        "returned": tally.returned,
        "valid": tally.valid,
        "standing": tally.standing,
        "invalid": tally.invalid,
        "counts": {item: dict(counts) for item, counts in tally.counts.items()},
    }


def _check(check: Check) -> dict[str, object]:
    return {
        "against": check.reason.value,
        "measures": check.measures,
        "scope": check.scope.value if check.scope else None,
        "actual": None if check.actual is None else str(check.actual),
        "limit": str(check.limit),
    }


def _class(part: ClassEstimate, eligible: int | None) -> dict[str, object]:
    return {
        "n": part.n,
        "eligible": eligible,
        "weight": str(part.weight),
        "is_counted": part.is_counted,
        "items": {key: _cell(cell) for key, cell in part.cells.items()},
        "score": _estimate(part.score),
        "satisfaction_rate": _estimate(part.rate),
    }


def _cell(cell: Cell) -> dict[str, object]:
    """A `corrected` n* of None means that everybody eligible answered."""
    return {
        "weighted": {option: str(number) for option, number in cell.weighted.items()},
        "denominator": str(cell.denominator),
        "n": cell.size.n,
        "effective": str(cell.size.effective),
        "corrected": None if cell.size.corrected is None else str(cell.size.corrected),
        "spread": str(cell.spread),
        "score": _estimate(cell.score),
        "satisfaction_rate": _estimate(cell.rate),
    }


def _joined(
    estimate: SubjectEstimate, choose: Callable[[ClassEstimate], Estimate | None]
) -> dict[str, object] | None:
    joined = _estimate(estimate.join(choose))
    if joined is None:
        return None
    counted = {key: part for key, part in estimate.counted.items() if choose(part)}
    shares = shares_of((Fraction(part.weight), choose(part)) for part in counted.values())
    return {
        **joined,
        "shares": {key.value: str(share) for key, (share, _) in zip(counted, shares, strict=True)},
    }


def _estimate(estimate: Estimate | None) -> dict[str, object] | None:
    if estimate is None:
        return None
    return {"value": str(estimate.value), "interval": _bounds(estimate.interval)}


def _bounds(interval: Interval | None) -> list[str] | None:
    if interval is None:
        return None
    return [f"{Decimal(round(bound * 10**6)).scaleb(-6):f}" for bound in interval]
