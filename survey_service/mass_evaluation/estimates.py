"""From slices to estimates: item in class, class, subject (items first, classes last)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

from survey_service.campaigns.rules import Formula, RaterClass
from survey_service.mass_evaluation.intervals import (
    HUNDRED,
    Estimate,
    SampleSize,
    mean_interval,
    mover,
    sample_size,
    total,
    weighted_mean,
    wilson_interval,
)
from survey_service.mass_evaluation.slices import mode_weight, weighing
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice, in_denominator

HALF_BALLOT = Fraction(1, 2)


@dataclass(frozen=True)
class Cell:
    """One item in one class, with at least one ballot of a weighing mode in the denominator.

    `weighted` is n̂ by option of the denominator; an option without a coefficient counts 0.
    """

    weighted: Mapping[str, Fraction]
    size: SampleSize
    coefficients: Mapping[str, Decimal]
    positive: frozenset[str]

    @cached_property
    def denominator(self) -> Fraction:
        return total(self.weighted.values())

    @cached_property
    def _moments(self) -> tuple[Fraction, Fraction]:
        """The sums of n̂·c and n̂·c²."""
        rated = [
            (number, Fraction(self.coefficients.get(option, 0))) for option, number in self.weighted.items()
        ]
        points = [(number * coefficient, coefficient) for number, coefficient in rated if coefficient]
        return total(point for point, _ in points), total(
            point * coefficient for point, coefficient in points
        )

    @cached_property
    def spread(self) -> Fraction:
        """The variance s² of the coefficients, with half a ballot added at 0 and half a ballot at 1."""
        first, second = self._moments
        number = self.denominator + 2 * HALF_BALLOT
        return (second + HALF_BALLOT) / number - ((first + HALF_BALLOT) / number) ** 2

    @cached_property
    def score(self) -> Estimate:
        value = HUNDRED * self._moments[0] / self.denominator
        return Estimate(value, mean_interval(value, self.spread, self.size))

    @cached_property
    def rate(self) -> Estimate | None:
        """The satisfaction rate; None where the formula names no positive option of the item's option set."""
        if not self.positive:
            return None
        satisfied = total(self.weighted[option] for option in self.positive & self.weighted.keys())
        value = HUNDRED * satisfied / self.denominator
        return Estimate(value, wilson_interval(value, self.size))


@dataclass(frozen=True)
class ClassEstimate:
    """One class: n standing ballots of weighing modes, its weight W, and its cells by item key.

    `item_weights` are u by item key; `min_class` is the least n with which a class counts.
    """

    n: int
    weight: Decimal
    cells: Mapping[str, Cell]
    item_weights: Mapping[str, Decimal]
    min_class: int

    @cached_property
    def score(self) -> Estimate | None:
        return self._join_items(lambda cell: cell.score)

    @cached_property
    def rate(self) -> Estimate | None:
        return self._join_items(lambda cell: cell.rate)

    @property
    def is_counted(self) -> bool:
        """Tell whether the class enters the subject's score."""
        return self.weight > 0 and self.n >= self.min_class and self.score is not None

    def _join_items(self, choose: Callable[[Cell], Estimate | None]) -> Estimate | None:
        return weighted_mean(
            (Fraction(self.item_weights[key]), choose(cell)) for key, cell in self.cells.items()
        )


@dataclass(frozen=True)
class SubjectEstimate:
    """The classes of one subject and what they say together, before any gate."""

    classes: Mapping[RaterClass, ClassEstimate]

    @property
    def score(self) -> Estimate | None:
        return self.join(lambda part: part.score)

    @property
    def rate(self) -> Estimate | None:
        return self.join(lambda part: part.rate)

    @property
    def weighted(self) -> dict[RaterClass, ClassEstimate]:
        return {key: part for key, part in self.classes.items() if part.weight > 0}

    @property
    def counted(self) -> dict[RaterClass, ClassEstimate]:
        return {key: part for key, part in self.classes.items() if part.is_counted}

    @property
    def n(self) -> int:
        """The standing ballots of all classes that weigh something."""
        return sum(part.n for part in self.weighted.values())

    @property
    def counted_n(self) -> int:
        """The ballots behind the score."""
        return sum(part.n for part in self.counted.values())

    def join(self, choose: Callable[[ClassEstimate], Estimate | None]) -> Estimate | None:
        """Join one estimate of every counted class, each with its class weight."""
        return mover((Fraction(part.weight), choose(part)) for part in self.counted.values())


def estimate_subject(
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: Mapping[RaterClass, int | None],
) -> SubjectEstimate:
    """Estimate every class of a subject from the ballots of weighing modes."""
    return SubjectEstimate(
        {
            rater_class: _estimate_class(
                formula,
                items,
                [tally for tally in weighing(slices, formula) if tally.rater_class == rater_class],
                eligible.get(rater_class),
                formula.class_weights.get(rater_class, Decimal(0)),
            )
            for rater_class in rater_classes(formula, slices)
        }
    )


def rater_classes(formula: Formula, slices: Sequence[TallySlice]) -> list[RaterClass]:
    """Return the classes that the formula weighs or that returned a ballot, in the order of the glossary."""
    present = {tally.rater_class for tally in slices} | formula.class_weights.keys()
    return [rater_class for rater_class in RaterClass if rater_class in present]


def _estimate_class(
    formula: Formula,
    items: Sequence[ScoredItem],
    slices: Sequence[TallySlice],
    eligible: int | None,
    weight: Decimal,
) -> ClassEstimate:
    cells = {item.key: _count_cell(formula, item, slices, eligible) for item in items}
    return ClassEstimate(
        n=sum(tally.standing for tally in slices),
        weight=weight,
        cells={key: cell for key, cell in cells.items() if cell},
        item_weights={item.key: item.weight for item in items},
        min_class=formula.min_class,
    )


def _count_cell(
    formula: Formula, item: ScoredItem, slices: Sequence[TallySlice], eligible: int | None
) -> Cell | None:
    standing = [
        (Fraction(mode_weight(tally.mode, formula)), _standing_counts(formula, item, tally))
        for tally in slices
    ]
    options = sorted({option for _, counts in standing for option in counts})
    if not options:
        return None
    return Cell(
        weighted={
            option: total(weight * counts.get(option, 0) for weight, counts in standing) for option in options
        },
        size=sample_size([(weight, sum(counts.values())) for weight, counts in standing], eligible),
        coefficients=formula.coefficients[item.option_set],
        positive=formula.positive.get(item.option_set, frozenset()),
    )


def _standing_counts(formula: Formula, item: ScoredItem, tally: TallySlice) -> dict[str, int]:
    """Return the ballots of a slice by option of the item's denominator, without zeros."""
    return {
        option: number
        for option, number in tally.counts.get(item.key, {}).items()
        if number and in_denominator(option, item, formula)
    }
