"""The solver: an attacker who keeps every figure that anybody was shown, exactly, and solves for ballots.

Unknown is, for each part (the ballots of one class and mode of a subject that came between two looks, or one
that was replaced), item and option, the number of its ballots. The attacker knows how many ballots each part
has, the formula, and all denominators. A part, or parts together, of fewer than `min_cell` people must stay
open: nothing follows about their answers besides how many they are.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from decimal import Decimal
from fractions import Fraction
from itertools import combinations, product
from typing import Any

from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.mass_evaluation.releases import Gate, Release, Timing
from survey_service.mass_evaluation.rules import MassScore, Status, WithExcluded
from survey_service.mass_evaluation.slices import counted_slices, ignore_exclusions, merge_slices, mode_weight
from survey_service.mass_evaluation.totals import Leaf, score_totals
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import BLANK, TallySlice, in_denominator
from tests.rules.disclosure.linear import PRIME, Row, count_determined, null_space
from tests.rules.mass_evaluation.builders import make_ballot, tally

Atom = tuple[str, RaterClass, Mode]
"""Subject, class and mode."""
Answers = Mapping[str, str]


@dataclass(frozen=True)
class Part:
    """Ballots that came between two looks; `people` cast them, or replaced them.

    The ballots of an excluded group are a part of their own.
    """

    atom: Atom
    step: int
    people: int
    is_replaced: bool = False
    is_excluded: bool = False


@dataclass
class Box:
    """The ballots of one subject as time goes by, and what was released of them."""

    name: str
    gate: Gate
    ballots: dict[tuple[RaterClass, Mode], list[Answers]] = field(default_factory=dict)
    excluded: dict[tuple[RaterClass, Mode], list[Answers]] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    shown: tuple[TallySlice, ...] = ()
    seen_at: dict[tuple[RaterClass, Mode], int] = field(default_factory=dict)

    def add(self, key: tuple[RaterClass, Mode], answers: Sequence[Answers], step: int) -> None:
        self.ballots.setdefault(key, []).extend(answers)
        self.parts.append(Part((self.name, *key), step, len(answers)))

    def exclude(self, key: tuple[RaterClass, Mode], answers: Sequence[Answers], step: int) -> None:
        """Let a group come in that two people have left out of the score."""
        self.excluded.setdefault(key, []).extend(answers)
        self.parts.append(Part((self.name, *key), step, len(answers), is_excluded=True))

    def replace_one(self, key: tuple[RaterClass, Mode], answers: Answers, step: int) -> None:
        self.ballots[key][0] = answers
        self.parts.append(Part((self.name, *key), step, 1, is_replaced=True))

    @property
    def standing(self) -> list[TallySlice]:
        ballots = [
            make_ballot(*key, dict(one), excluded=excluded)
            for excluded, kind in ((False, self.ballots), (True, self.excluded))
            for key, some in kind.items()
            for one in some
        ]
        return merge_slices(tally(ballots, self.gate.items, self.gate.formula))

    def release(self, timing: Timing, step: int) -> Release:
        """Release as the job does, and remember how far each class and mode was looked at."""
        release = self.gate.release(self.standing, shown=self.shown, timing=timing)
        for one in release.slices:
            if one not in self.shown:
                self.seen_at[one.rater_class, one.mode] = step
        self.shown = release.slices
        return release


@dataclass
class Attacker:
    """Collects known sums."""

    rows: list[Row] = field(default_factory=list)

    def look(self, box: Box, release: Release) -> None:
        """Take down everything that is shown of one subject."""
        if release.score.status is Status.OK:
            self.rows += list(Reading(box, release).rows())

    def broken(self, boxes: Sequence[Box], min_cell: int) -> list[Part] | None:
        """Return parts of fewer than `min_cell` people about which something follows, or None."""
        parts = [part for box in boxes for part in box.parts]
        items = boxes[0].gate.items
        space = self._solve(parts, items)
        for group in small_groups(parts, min_cell):
            inside = [one for part in group for one in unknowns_of(part, items)]
            if count_determined(space, inside) > len(group) * len(items):
                return list(group)
        return None

    def broken_items(self, box: Box, min_cell: int) -> list[tuple[RaterClass, str]]:
        """Return the items that few of a class answered, and about whose answers something follows.

        How many answered is no answer.
        """
        items = box.gate.items
        space = self._solve(box.parts, items)
        found = []
        for rater_class, item in product(RaterClass, items):
            parts = [part for part in box.parts if part.atom[1] is rater_class and not part.is_excluded]
            answers = [
                given
                for key, some in box.ballots.items()
                for one in some
                if key[0] is rater_class
                and mode_weight(key[1], box.gate.formula) > 0
                and (given := one.get(item.key))
            ]
            sums = {
                option: [sum(column) % PRIME for column in zip(*of_option, strict=True)]
                for option in options_of(item)
                if option != BLANK
                and (
                    of_option := [space[part, item.key, option] for part in parts if self._weighs(box, part)]
                )
            }
            if 0 < len(answers) < min_cell and count_determined(space | sums, list(sums)) > 1:
                found.append((rater_class, item.key))
        return found

    def look_at_totals(self, boxes: Sequence[Box], releases: Sequence[Release]) -> int:
        """Take down the totals over subjects whose names are their paths; returns how many are shown."""
        first = boxes[0].gate
        leaves = [leaf_of(box, release) for box, release in zip(boxes, releases, strict=True)]
        shown = 0
        for place, score in score_totals(first.formula, first.items, leaves).items():
            if score.status is Status.OK:
                shown += 1
                below = [
                    (box, release)
                    for box, release, leaf in zip(boxes, releases, leaves, strict=True)
                    if place in leaf.above
                ]
                self.rows += PooledReading(below).totals()
        return shown

    @staticmethod
    def _weighs(box: Box, part: Part) -> bool:
        return mode_weight(part.atom[2], box.gate.formula) > 0

    def _solve(self, parts: Sequence[Part], items: Sequence[ScoredItem]) -> dict[Hashable, list[int]]:
        sizes = [dict.fromkeys(unknowns_of(part, [item]), 1) for part in parts for item in items]
        return null_space([*sizes, *self.rows], [one for part in parts for one in unknowns_of(part, items)])


def leaf_of(box: Box, release: Release) -> Leaf:
    by_class = release.score.by_class
    withheld = [key for key in RaterClass if by_class is None or (key in by_class and by_class[key].withheld)]
    above = tuple(map(int, box.name.split("/")[:-1]))
    return Leaf(above, release.slices, {}, withheld, is_whole=release.is_whole)


def options_of(item: ScoredItem) -> list[str]:
    return [*(option.key for option in OPTION_SETS[item.option_set].options), BLANK]


def unknowns_of(part: Part, items: Iterable[ScoredItem]) -> Iterator[Hashable]:
    return ((part, item.key, option) for item in items for option in options_of(item))


def small_groups(parts: Sequence[Part], min_cell: int) -> Iterator[tuple[Part, ...]]:
    """Yield the largest groups of fewer than `min_cell` people: they stand for the smaller ones inside."""
    small = [part for part in parts if part.people < min_cell]
    for size in range(1, min_cell):
        for group in combinations(small, size):
            people = sum(part.people for part in group)
            rest = [part.people for part in small if part not in group]
            if people < min_cell and people + min(rest, default=min_cell) >= min_cell:
                yield group


class Reading:
    """The known sums in one release of one subject."""

    def __init__(self, box: Box, release: Release) -> None:
        self.box, self.score = box, release.score
        self.formula, self.items = box.gate.formula, box.gate.items
        self.released = merge_slices(release.slices)
        self.slices = by_channel(counted_slices(self.released))
        self.is_with_excluded = False

    def rows(self) -> Iterator[Row]:
        trace: Any = self.score.trace
        yield from self._rows_of_trace(trace)
        yield from self._rows_of_items()
        yield self._joined(self._counted(), self.items)
        if self.score.satisfaction_rate is not None:
            yield self._joined(self._counted(), self.items, is_rate=True)
        for key, part in trace["classes"].items():
            yield from self._rows_of_class(RaterClass(key), part)
        for mode, figure in (self.score.by_mode or {}).items():
            if figure.score is not None:
                yield from self._rows_of_mode(mode)
        if len(self.items) == 1:
            yield from self._rows_of_single_item(trace)
        if self.score.with_excluded is not None:
            yield from self._rows_with_excluded(self.score.with_excluded)

    def _rows_with_excluded(self, second: WithExcluded) -> Iterator[Row]:
        """The same two sums over all ballots."""
        everything = copy(self)
        everything.slices = by_channel(merge_slices(ignore_exclusions(self.released)))
        everything.is_with_excluded = True
        for figure, is_rate in ((second.score, False), (second.satisfaction_rate, True)):
            if figure is not None:
                yield everything._joined(everything._counted(), self.items, is_rate=is_rate)

    def _rows_of_trace(self, trace: Any) -> Iterator[Row]:
        for one in trace["slices"]:
            keys = [(RaterClass(one["class"]), Mode(mode)) for mode in one["modes"]]
            for item in self.items:
                if one["counts"] is not None and item.key in one["counts"]:
                    yield from self._counts(keys, item)

    def _rows_of_items(self) -> Iterator[Row]:
        for item, figure in zip(self.items, self.score.items or (), strict=True):
            if figure.withheld:
                continue
            shown = [key for key in self._weighing() if (figure.by_class or {}).get(key[0]) is not None]
            yield from self._counts(shown, item)
            for rater_class in {key[0] for key in shown}:
                yield from self._counts([key for key in shown if key[0] is rater_class], item)
            if figure.score is not None:
                yield self._joined(self._counted(), [item])

    def _rows_of_class(self, rater_class: RaterClass, part: Any) -> Iterator[Row]:
        keys = [key for key in self._weighing() if key[0] is rater_class]
        for item in self.items:
            if item.key in part["items"]:
                yield from (
                    self._sum((key, item.key, option, mode_weight(key[1], self.formula)) for key in keys)
                    for option in options_of(item)
                    if in_denominator(option, item, self.formula)
                )
        if part["score"]:
            yield self._joined({rater_class: Decimal(1)}, self.items)
        if part["satisfaction_rate"]:
            yield self._joined({rater_class: Decimal(1)}, self.items, is_rate=True)

    def _rows_of_mode(self, mode: Mode) -> Iterator[Row]:
        alone = copy(self)
        alone.formula = replace(self.formula, mode_weights={mode: Decimal(1)})
        alone.slices = {key: one for key, one in self.slices.items() if key[1] is mode}
        yield alone._joined(alone._counted(), self.items)

    def _rows_of_single_item(self, trace: Any) -> Iterator[Row]:
        """With one item, ballots that are valid or stand are sums over its options."""
        [item] = self.items
        valid = [option for option in options_of(item) if option not in (BLANK, "not_informed")]
        standing = [one for one in options_of(item) if in_denominator(one, item, self.formula)]
        weighted = [key for key in self._weighing() if self.formula.class_weights.get(key[0])]
        if self.score.valid is not None:
            yield self._plain(self.slices, item, valid)
        for key, figure in (self.score.by_class or {}).items():
            if figure.n is not None:
                yield self._plain([one for one in self._weighing() if one[0] is key], item, standing)
        for key, figure in (self.score.by_mode or {}).items():
            if figure.n is not None:
                yield self._plain([one for one in self.slices if one[1] is key], item, standing)
        if any(one["measures"] == "standing" and one["actual"] is not None for one in trace["checks"]):
            yield self._plain(weighted, item, standing)

    def _plain(self, keys: Iterable[Any], item: ScoredItem, options: Sequence[str]) -> Row:
        return self._sum((key, item.key, option, 1) for key in keys for option in options)

    def _weighing(self) -> list[tuple[RaterClass, Mode]]:
        return [key for key in self.slices if mode_weight(key[1], self.formula) > 0]

    def _counted(self) -> dict[RaterClass, Decimal]:
        standing: Counter[RaterClass] = Counter()
        for key in self._weighing():
            standing[key[0]] += self.slices[key].standing
        return {
            key: weight
            for key, weight in self.formula.class_weights.items()
            if weight > 0 and standing[key] and standing[key] >= self.formula.min_class
        }

    def _counts(self, keys: Sequence[tuple[RaterClass, Mode]], item: ScoredItem) -> Iterator[Row]:
        return (self._plain(keys, item, [option]) for option in options_of(item))

    def _joined(
        self,
        classes: Mapping[RaterClass, Decimal],
        items: Sequence[ScoredItem],
        *,
        is_rate: bool = False,
    ) -> Row:
        """Return a score as a sum over ballots, with the denominators as the attacker knows them."""
        terms: list[tuple[Any, str, str, Fraction]] = []
        parts = {key: self._class_terms(key, items, is_rate) for key in classes}
        whole = sum(Fraction(classes[key]) for key, found in parts.items() if found)
        for key, found in parts.items():
            share = Fraction(classes[key]) / whole if found else 0
            terms += [(*rest, share * factor) for *rest, factor in found]  # type: ignore[misc]  # Three and one.
        return self._sum(terms)

    def _class_terms(
        self, rater_class: RaterClass, items: Sequence[ScoredItem], is_rate: bool
    ) -> list[tuple[Any, str, str, Fraction]]:
        keys = [key for key in self._weighing() if key[0] is rater_class]
        present = {
            item.key: size
            for item in items
            if (size := self._denominator(keys, item))
            and (not is_rate or self.formula.positive.get(item.option_set))
            and item.weight > 0
        }
        whole = sum(Fraction(item.weight) for item in items if item.key in present)
        return [
            (key, item.key, option, Fraction(item.weight) / whole * points / present[item.key] * weight)
            for item in items
            if item.key in present
            for key in keys
            for option in options_of(item)
            if (points := self._points(item, option, is_rate))
            and (weight := Fraction(mode_weight(key[1], self.formula)))
        ]

    def _points(self, item: ScoredItem, option: str, is_rate: bool) -> Fraction:
        if is_rate:
            return Fraction(option in self.formula.positive[item.option_set])
        return Fraction(self.formula.coefficients[item.option_set].get(option, 0))

    def _denominator(self, keys: Iterable[tuple[RaterClass, Mode]], item: ScoredItem) -> Fraction:
        return sum(
            (
                Fraction(mode_weight(key[1], self.formula)) * number
                for key in keys
                for option, number in self.slices[key].counts.get(item.key, {}).items()
                if in_denominator(option, item, self.formula)
            ),
            Fraction(0),
        )

    def _sum(self, terms: Iterable[tuple[Any, str, str, Any]]) -> Row:
        """Write a sum over counts as one over what came in each step up to the last look."""
        row: dict[Hashable, Fraction] = {}
        for key, item, option, factor in terms:
            for part in self._parts(key):
                unknown = (part, item, option)
                row[unknown] = row.get(unknown, Fraction(0)) + Fraction(factor)
        return row

    def _parts(self, key: tuple[RaterClass, Mode]) -> Iterator[Part]:
        return self._looked_at(parts_seen(self.box, key))

    def _looked_at(self, parts: Iterable[Part]) -> Iterator[Part]:
        return (part for part in parts if self.is_with_excluded or not part.is_excluded)


def by_channel(slices: Iterable[TallySlice]) -> dict[tuple[RaterClass, Mode], TallySlice]:
    return {(one.rater_class, one.mode): one for one in slices}


def parts_seen(box: Box, key: tuple[RaterClass, Mode]) -> Iterator[Part]:
    """Yield what had come in one class and mode when it was looked at last."""
    seen_at = box.seen_at.get(key, -1)
    return (part for part in box.parts if part.atom[1:] == key and part.step <= seen_at)


class PooledReading(Reading):
    """The known sums in a total: those of its subjects, with the denominators of all together."""

    def __init__(self, below: Sequence[tuple[Box, Release]]) -> None:
        box, release = below[0]
        super().__init__(box, release)
        self.boxes = [box for box, _ in below]
        pooled = merge_slices([tally for _, release in below for tally in release.slices])
        self.slices = by_channel(counted_slices(pooled))

    def totals(self) -> list[Row]:
        joined = [self._joined(self._counted(), self.items, is_rate=is_rate) for is_rate in (False, True)]
        return [row for row in joined if row]

    def _parts(self, key: tuple[RaterClass, Mode]) -> Iterator[Part]:
        for box in self.boxes:
            yield from self._looked_at(parts_seen(box, key))


__all__ = ["Attacker", "Box", "Formula", "MassScore", "Part"]
