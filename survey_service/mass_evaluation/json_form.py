"""The score of one subject as the API shows it (`api.md`): decimals as text with two places."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.canonical import canonical_json
from survey_service.mass_evaluation.rules import Figure, Interval, ItemFigure, MassScore, show
from survey_service.mass_evaluation.verdicts import STATUS_OF, Reason
from survey_service.tallies.rules import TallySlice


def summary_json(score: MassScore) -> dict[str, object]:
    """Return the figures of one row of a score table; what a status withholds is None."""
    return {
        "status": score.status.value,
        "reason": score.reason.value or None,
        "score": show(score.score),
        "interval": _bounds(score.interval),
        "satisfaction_rate": show(score.satisfaction_rate),
        "satisfaction_interval": _bounds(score.satisfaction_interval),
        "returned": score.returned,
        "valid": score.valid,
        "eligible": score.eligible,
        "response_rate": show(score.response_rate),
        "by_class": _figures(score.by_class),
        "by_mode": _figures(score.by_mode),
        "flags": [flag.value for flag in score.flags],
        **(_exclusion(score) if score.excluded else {}),
    }


def total_text(score: MassScore) -> str:
    """Write the figures of a total for storage: those of a score table without its parts."""
    figures = {name: value for name, value in summary_json(score).items() if name not in NO_EXCLUSION}
    return canonical_json({**figures, "valid": None, "by_class": None, "by_mode": None})


NO_EXCLUSION: Mapping[str, object] = {"excluded": 0, "with_excluded": None}
"""What stored figures leave out where no ballot is excluded."""


def _exclusion(score: MassScore) -> dict[str, object]:
    second = score.with_excluded
    shown = second and {"score": show(second.score), "satisfaction_rate": show(second.satisfaction_rate)}
    return {"excluded": score.excluded, "with_excluded": shown}


NOTHING_DERIVED = canonical_json({"items": None, "trace": None})
_KEPT_WHERE_HELD = frozenset({"returned", "eligible", "response_rate", "flags", "excluded"})


def held_figures(figures: Mapping[str, object]) -> dict[str, object]:
    """Return what is shown of a score that is held until a dispute is settled."""
    shown = {name: value if name in _KEPT_WHERE_HELD else None for name, value in figures.items()}
    return shown | {"status": STATUS_OF[Reason.HELD].value, "reason": Reason.HELD.value}


def detail_json(score: MassScore) -> dict[str, object]:
    """Return the same with the items and the trace."""
    items = None if score.items is None else [_item(item) for item in score.items]
    return {**summary_json(score), "items": items, "trace": score.trace}


def figures_text(score: MassScore) -> str:
    """Write the figures of one row of a score table for storage."""
    return canonical_json(summary_json(score))


def derivation_text(score: MassScore) -> str:
    """Write items and trace for storage."""
    whole = detail_json(score)
    return canonical_json({"items": whole["items"], "trace": whole["trace"]})


def slices_text(slices: Iterable[TallySlice]) -> str:
    """Write counted ballots for storage."""
    return canonical_json([_slice(tally) for tally in slices])


def _slice(tally: TallySlice) -> dict[str, object]:
    written = asdict(tally)
    if not tally.is_excluded:
        del written["is_excluded"]
    return written


def read_slices(written: str) -> list[TallySlice]:
    """Return the counted ballots that `slices_text` wrote."""
    return [
        TallySlice(**one | {"rater_class": RaterClass(one["rater_class"]), "mode": Mode(one["mode"])})
        for one in json.loads(written)
    ]


def _figures(
    figures: Mapping[RaterClass, Figure] | Mapping[Mode, Figure] | None,
) -> dict[str, object] | None:
    return None if figures is None else {str(key): _figure(figure) for key, figure in figures.items()}


def _figure(figure: Figure) -> dict[str, object]:
    return {
        "returned": figure.returned,
        "n": figure.n,
        "weight": _two_places(figure.weight),
        "score": show(figure.score),
        "interval": _bounds(figure.interval),
        "withheld": figure.withheld and figure.withheld.value,
    }


def _item(item: ItemFigure) -> dict[str, object]:
    return {
        "key": item.key,
        "option_set": item.option_set,
        "n": _counts(item.n),
        "abstained": item.abstained,
        "by_class": None
        if item.by_class is None
        else {rater_class.value: _counts(counts) for rater_class, counts in item.by_class.items()},
        "score": show(item.score),
        "interval": _bounds(item.interval),
        "withheld": item.withheld and item.withheld.value,
    }


def _counts(counts: Mapping[str, int] | None) -> dict[str, int] | None:
    return None if counts is None else dict(counts)


def _bounds(interval: Interval | None) -> list[str | None] | None:
    return None if interval is None else [show(bound) for bound in interval]


def _two_places(weight: Decimal) -> str | None:
    return show(Fraction(weight))
