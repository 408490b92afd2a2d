"""What of one subject's score may be shown: small parts, and parts that would give them away, are taken out.

The total stays exact. Beside it only numbers stand that follow from the sums over rows, where a row is the
ballots of one class and one mode, or of one class and all modes of the same weight; a shown row has at least
`min_cell` ballots. So whoever joins everything shown learns sums over rows and no more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeVar

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.disclosure import Withholding, is_small, withhold_addends, withhold_parts
from survey_service.mass_evaluation.estimates import ClassEstimate, SubjectEstimate
from survey_service.mass_evaluation.figures import Figure, ItemFigure
from survey_service.mass_evaluation.slices import mode_weight, sum_slices
from survey_service.mass_evaluation.traces import write_row
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import BLANK, TallySlice

_KeyT = TypeVar("_KeyT", RaterClass, Mode)


@dataclass(frozen=True)
class Row:
    """Ballots of one class that weigh the same, from one mode or from several."""

    modes: tuple[Mode, ...]
    tally: TallySlice
    weight: Decimal
    withheld: Withholding | None = None


@dataclass(frozen=True)
class Disclosure:
    """The parts of one subject's figures that are withheld, each with the reason.

    Of an `uncounted` class the score is shown, and no counts: ballots of different weights stand in it, of
    one weight only few. `is_mixed` says that a withheld class enters the score.
    """

    classes: Mapping[RaterClass, Withholding]
    uncounted: frozenset[RaterClass]
    items: Mapping[str, Withholding]
    modes: Withholding | None
    rows: Sequence[Row]
    is_mixed: bool
    is_valid_shown: bool

    def is_counted_out(self, rater_class: RaterClass) -> bool:
        """Tell whether ballots of a class are shown by item and option."""
        return rater_class not in self.classes and rater_class not in self.uncounted

    def shown_slices(self) -> list[TallySlice]:
        """Return the rows that figures of items may be made of."""
        return [row.tally for row in self.rows if row.withheld is None and row.weight > 0]


def plan_disclosure(
    formula: Formula, items: Sequence[ScoredItem], slices: Sequence[TallySlice], estimate: SubjectEstimate
) -> Disclosure:
    """Decide what is withheld of a subject's figures; `slices` are merged, one for each class and mode."""
    return _Planner(formula, items, slices, estimate).plan()


@dataclass(frozen=True)
class _Planner:
    formula: Formula
    items: Sequence[ScoredItem]
    slices: Sequence[TallySlice]
    estimate: SubjectEstimate

    def plan(self) -> Disclosure:
        rows = [row for group in self._groups for row in self._rows(group)]
        # How many ballots of an uncounted class stand is shown, so they do not hide those beside them.
        withheld = sum(
            row.tally.returned
            for row in rows
            if row.withheld and (row.weight == 0 or row.tally.rater_class in self._classes)
        )
        return Disclosure(
            classes=self._classes,
            uncounted=self._uncounted,
            items=self._items,
            modes=None if self._are_modes_shown else Withholding.SMALL_CELL,
            rows=rows,
            is_mixed=self._is_mixed,
            is_valid_shown=not is_small(withheld, self.formula.min_cell),
        )

    @cached_property
    def _groups(self) -> list[Row]:
        """The ballots of each class and weight."""
        found: dict[tuple[RaterClass, Decimal], list[TallySlice]] = {}
        for tally in self.slices:
            key = (tally.rater_class, mode_weight(tally.mode, self.formula))
            found.setdefault(key, []).append(tally)
        return [
            Row(tuple(one.mode for one in parts), sum_slices(parts), weight)
            for (_, weight), parts in found.items()
        ]

    @cached_property
    def _classes(self) -> dict[RaterClass, Withholding]:
        """The withheld classes: small ones, and those of the score that would give away a small one."""
        small = {tally.rater_class for tally in self._weighing if self._is_small(tally)}
        counted = {key: part.n for key, part in self.estimate.counted.items()}
        return dict.fromkeys(small, Withholding.SMALL_CELL) | withhold_parts(
            counted, self.formula.min_cell, small & counted.keys()
        )

    @cached_property
    def _weighing(self) -> list[TallySlice]:
        """The ballots of each class in modes that weigh something."""
        parts: dict[RaterClass, list[TallySlice]] = {}
        for group in self._groups:
            if group.weight > 0:
                parts.setdefault(group.tally.rater_class, []).append(group.tally)
        return [sum_slices(tallies) for tallies in parts.values()]

    @cached_property
    def _uncounted(self) -> frozenset[RaterClass]:
        """The classes in which few ballots have a weight of their own."""
        return frozenset(
            group.tally.rater_class
            for group in self._groups
            if group.weight > 0
            and group.tally.rater_class not in self._classes
            and self._is_small(group.tally)
        )

    @cached_property
    def _is_mixed(self) -> bool:
        return any(key in self.estimate.counted for key in self._classes)

    def _is_small(self, tally: TallySlice) -> bool:
        return any(is_small(count, self.formula.min_cell) for count in (tally.returned, tally.standing))

    @cached_property
    def _items(self) -> dict[str, Withholding]:
        """The withheld items: answered by few in some shown class, and what would give these away.

        Where a withheld class enters the score, the total is all that may be shown: scores of items would be
        further sums over the same few people.
        """
        if self._is_mixed:
            return {item.key: Withholding.COMPLEMENTARY for item in self.items}
        groups = [group.tally for group in self._groups if group.weight > 0]
        shown = [one for one in groups if one.rater_class not in self._uncounted] + self._weighing
        shown = [one for one in shown if one.rater_class not in self._classes]
        small = [item.key for item in self.items if any(self._is_rare(item, tally) for tally in shown)]
        return withhold_addends(small, list(self._sums())) if small else {}

    def _is_rare(self, item: ScoredItem, tally: TallySlice) -> bool:
        """Tell whether few answered an item at all; where blanks count, they are answers too."""
        counts = tally.counts.get(item.key, {})
        blank = 0 if self.formula.count_abstained else counts.get(BLANK, 0)
        return is_small(sum(counts.values()) - blank, self.formula.min_cell)

    def _sums(self) -> Iterator[dict[str, int]]:
        """Yield which items a score or a rate joins, with the ballots behind each: in all, and by class."""
        scopes: list[list[ClassEstimate]] = [list(self.estimate.counted.values())]
        scopes += [[part] for part in self.estimate.classes.values()]
        positive = {item.key for item in self.items if self.formula.positive.get(item.option_set)}
        for parts in scopes:
            sizes: dict[str, int] = {}
            for key, cell in (pair for part in parts for pair in part.cells.items()):
                if parts[0].item_weights[key] > 0:
                    sizes[key] = sizes.get(key, 0) + cell.size.n
            yield sizes
            yield {key: size for key, size in sizes.items() if key in positive}

    @cached_property
    def _are_modes_shown(self) -> bool:
        """Modes and classes are margins of one table: together they would tell its small cells."""
        return not (self._classes or self._uncounted or self._items) and all(map(self._is_open, self.slices))

    def _is_open(self, tally: TallySlice) -> bool:
        return not self._is_small(tally) and not any(self._is_rare(item, tally) for item in self.items)

    def _rows(self, group: Row) -> list[Row]:
        """Return a group mode by mode, or as a whole where a mode of it is too small, or not at all."""
        reason = self._classes.get(group.tally.rater_class)
        is_hidden = group.weight > 0 and group.tally.rater_class in self._uncounted
        if reason is None and (is_hidden or (group.weight == 0 and not self._is_open(group.tally))):
            reason = Withholding.SMALL_CELL
        if reason:
            return [replace(group, withheld=reason)]
        parts = [
            one
            for one in self.slices
            if one.rater_class is group.tally.rater_class and one.mode in group.modes
        ]
        if not all(map(self._is_open, parts)):
            return [group]
        return [Row((one.mode,), one, group.weight) for one in parts]


def withhold_figures(
    figures: Mapping[_KeyT, Figure], reasons: Mapping[_KeyT, Withholding]
) -> dict[_KeyT, Figure]:
    """Leave only the turnout of the withheld classes or modes."""
    return {
        key: replace(figure, n=None, score=None, interval=None, withheld=reasons[key])
        if key in reasons
        else figure
        for key, figure in figures.items()
    }


def withhold_items(figures: Iterable[ItemFigure], disclosure: Disclosure) -> tuple[ItemFigure, ...]:
    """Leave only the names of the withheld items, and take the withheld classes out of the others."""
    return tuple(_withhold_item(figure, disclosure) for figure in figures)


def _withhold_item(figure: ItemFigure, disclosure: Disclosure) -> ItemFigure:
    if reason := disclosure.items.get(figure.key):
        return ItemFigure(figure.key, figure.option_set, None, None, None, None, None, reason)
    by_class = figure.by_class or {}
    return replace(
        figure,
        by_class={
            key: counts if disclosure.is_counted_out(key) else None for key, counts in by_class.items()
        },
    )


def withhold_trace(trace: Mapping[str, Any], disclosure: Disclosure) -> dict[str, object]:
    """Take out of a trace what is withheld, and say in it what is, and why."""
    return {
        **trace,
        "slices": [_write_row(row, disclosure) for row in disclosure.rows],
        "checks": [_withhold_check(check, disclosure) for check in trace["checks"]],
        "classes": {
            key: _withhold_class(part, RaterClass(key), disclosure) for key, part in trace["classes"].items()
        },
        "satisfaction_rate": None if disclosure.is_mixed else trace["satisfaction_rate"],
        "withheld": {
            "classes": {key.value: reason.value for key, reason in disclosure.classes.items()},
            "counts": sorted(disclosure.uncounted),
            "modes": disclosure.modes and disclosure.modes.value,
            "items": {key: reason.value for key, reason in disclosure.items.items()},
        },
    }


def _write_row(row: Row, disclosure: Disclosure) -> dict[str, object]:
    shown = {key: counts for key, counts in row.tally.counts.items() if key not in disclosure.items}
    written = write_row(replace(row.tally, counts=shown), row.modes)
    if row.withheld is None:
        return written | {"withheld": None}
    nothing = dict.fromkeys(("valid", "standing", "invalid", "counts"))
    return written | nothing | {"withheld": row.withheld.value}


def _withhold_check(check: Mapping[str, object], disclosure: Disclosure) -> Mapping[str, object]:
    """The ballots that stand in all classes, less those of the shown ones, are those of the withheld."""
    is_telling = check["measures"] == "standing" and disclosure.classes
    return {**check, "actual": None} if is_telling else check


def _withhold_class(
    part: Mapping[str, Any], rater_class: RaterClass, disclosure: Disclosure
) -> dict[str, object]:
    reason = disclosure.classes.get(rater_class)
    if reason:
        nothing: dict[str, object] = {"n": None, "items": {}, "score": None, "satisfaction_rate": None}
        return {**part, **nothing, "withheld": reason.value}
    items = {
        key: cell
        for key, cell in part["items"].items()
        if key not in disclosure.items and disclosure.is_counted_out(rater_class)
    }
    return {**part, "items": items, "withheld": None}
