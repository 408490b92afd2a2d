"""The scores of towns and counties, from the released ballots of their subjects; pure.

A total may be shown where no subtraction from it tells what is withheld below it. Totals of several levels
are looked at class by class, as if each showed its classes: that is more than it does, and easier to trust.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from survey_service.campaigns.rules import Formula, RaterClass
from survey_service.core.disclosure import is_total_telling
from survey_service.mass_evaluation.rules import MassScore, score_subject, withhold
from survey_service.mass_evaluation.slices import counted_slices, weighing
from survey_service.mass_evaluation.verdicts import Reason, Status
from survey_service.questionnaires.rules import ScoredItem
from survey_service.tallies.rules import TallySlice


@dataclass(frozen=True)
class Leaf:
    """A subject below a total: the ids of the organizations above it, its released ballots, what is withheld.

    `withheld` are the classes that are not shown. `is_whole` is false where
    something that enters its shown score is withheld. `pending` is why nothing is released where nothing is.
    """

    above: tuple[int, ...]
    slices: Sequence[TallySlice]
    eligible: Mapping[RaterClass, int | None]
    withheld: Collection[RaterClass]
    is_whole: bool
    pending: Reason = Reason.NONE


def score_totals(
    formula: Formula, items: Sequence[ScoredItem], leaves: Sequence[Leaf]
) -> dict[int, MassScore]:
    """Return the score of every organization with two subjects or more, unless one below has the same."""
    below = _find_totals(leaves)
    found: dict[int, MassScore] = {}
    open_below: dict[int, dict[RaterClass, list[int]]] = {}
    for place in sorted(below, key=lambda one: len(below[one])):
        score = _score(formula, items, below[place])
        masses = _open_masses(formula, place, below, open_below)
        is_telling = any(is_total_telling(parts, formula.min_cell) for parts in masses.values() if parts)
        if score.status is Status.OK and (is_telling or not all(leaf.is_whole for leaf in below[place])):
            score = withhold(score, Reason.COMPLEMENTARY)
        open_below[place] = {} if score.status is Status.OK else masses
        found[place] = score
    return found


def _find_totals(leaves: Sequence[Leaf]) -> dict[int, list[Leaf]]:
    """Return the subjects below each organization that has a total."""
    below: dict[int, list[Leaf]] = {}
    for leaf in leaves:
        for place in leaf.above:
            below.setdefault(place, []).append(leaf)
    lowest = {
        tuple(map(id, some)): place
        for place, some in sorted(below.items(), key=lambda pair: pair[1][0].above.index(pair[0]))
        if len(some) > 1
    }
    return {place: below[place] for place in lowest.values()}


def _open_masses(
    formula: Formula,
    place: int,
    below: Mapping[int, Sequence[Leaf]],
    open_below: Mapping[int, Mapping[RaterClass, Sequence[int]]],
) -> dict[RaterClass, list[int]]:
    """Return the ballots of the parts that no total below has joined, by class."""
    masses: dict[RaterClass, list[int]] = {key: [] for key in formula.class_weights}
    for leaf in below[place]:
        if _nearest(leaf, below) == place:
            _add_masses(masses, _withheld_ballots(formula, leaf))
    for lower, open_parts in open_below.items():
        if _next_above(lower, below) == place:
            _add_masses(masses, open_parts)
    return masses


def _nearest(leaf: Leaf, below: Mapping[int, Sequence[Leaf]]) -> int:
    return next(place for place in reversed(leaf.above) if place in below)


def _next_above(place: int, below: Mapping[int, Sequence[Leaf]]) -> int | None:
    above = below[place][0].above
    return next((one for one in reversed(above[: above.index(place)]) if one in below), None)


def _add_masses(masses: dict[RaterClass, list[int]], more: Mapping[RaterClass, Sequence[int]]) -> None:
    for key, parts in more.items():
        if key in masses:
            masses[key].extend(parts)


def _withheld_ballots(formula: Formula, leaf: Leaf) -> dict[RaterClass, list[int]]:
    counts: dict[RaterClass, int] = {}
    for tally in weighing(counted_slices(leaf.slices), formula):
        counts[tally.rater_class] = counts.get(tally.rater_class, 0) + tally.returned
    return {key: [count] for key, count in counts.items() if count and key in leaf.withheld}


def _score(formula: Formula, items: Sequence[ScoredItem], leaves: Sequence[Leaf]) -> MassScore:
    slices = [tally for leaf in leaves for tally in leaf.slices]
    eligible = {key: _add([leaf.eligible.get(key) for leaf in leaves]) for key in formula.class_weights}
    score = score_subject(formula=formula, items=items, slices=slices, eligible=eligible)
    pending = next((leaf.pending for leaf in leaves if leaf.pending is not Reason.NONE), Reason.NONE)
    return score if slices or pending is Reason.NONE else withhold(score, pending)


def _add(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if len(known) == len(numbers) else None
