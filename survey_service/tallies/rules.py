"""Counting ballots, and where one ballot stands."""

import collections
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from survey_service.ballots.rules import EXCLUDED, SPOILED
from survey_service.campaigns.rules import Formula, Mode, RaterClass
from survey_service.core.canonical import canonical_json
from survey_service.core.events import Event
from survey_service.questionnaires.option_sets import NOT_INFORMED
from survey_service.questionnaires.rules import ScoredItem

BLANK = ""
"""The key under which a tally counts abstentions, beside the keys of the options."""


@dataclass(frozen=True)
class TallyRebuilt(Event):
    campaign_id: int


@dataclass(frozen=True)
class SubjectMarked(Event):
    """A subject is to be counted anew, though no ballot came."""

    campaign_id: int


@dataclass(frozen=True)
class TallySlice:
    """The ballots of one subject that came from one class through one mode.

    `counts[item][option]` are whole ballots, `counts[item][BLANK]` the abstentions and
    `counts[item][SPOILED]` what could not be read on paper; a missing item or option counts 0. `standing`
    are the ballots in at least one denominator, `valid` those with at least one valid rating, `invalid` the
    spoiled paper ballots, which are part of `returned`. Excluded ballots were returned, and stand nowhere.
    """

    rater_class: RaterClass
    mode: Mode
    returned: int
    valid: int
    standing: int
    counts: Mapping[str, Mapping[str, int]]
    invalid: int = 0
    is_excluded: bool = False


class Classification(NamedTuple):
    """Where one ballot stands; a ballot can stand without being valid and the other way round."""

    is_valid: bool
    is_standing: bool


def classify(ratings: Mapping[str, str], items: Sequence[ScoredItem], formula: Formula) -> Classification:
    """Tell where one ballot stands.

    `ratings` maps an item's key to the chosen option; a missing item is blank.
    """
    answers = [(item, ratings.get(item.key, BLANK)) for item in items]
    return Classification(
        is_valid=any(option not in (BLANK, SPOILED, NOT_INFORMED) for _, option in answers),
        is_standing=any(in_denominator(option, item, formula) for item, option in answers),
    )


def in_denominator(option: str, item: ScoredItem, formula: Formula) -> bool:
    """Tell whether an answer or a blank stands in the denominator of its item."""
    if option == BLANK:
        return formula.count_abstained
    return formula.in_denominator(item.option_set, option)


class ExclusionState(StrEnum):
    """How far the exclusion of a group has come; what was decided stays so."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


class Group(NamedTuple):
    """The ballots that may be excluded together: what one slice of the tally holds of one flag.

    Class and place stand in it because the figures of each class are shown: between those with and without an
    excluded group there is never less than the whole group. `place_id` is 0 but for posted entrances.
    """

    subject_id: int
    rater_class: str
    mode: str
    place_id: int
    flag: str


class SliceKey(NamedTuple):
    """Which ballots are counted together; `place_id` is 0 but for posted entrances."""

    subject_id: int
    rater_class: str
    mode: str
    place_id: int
    is_excluded: bool = False


def slice_of(group: Group, excluded: Collection[Group]) -> SliceKey:
    """Return where the ballots of a group are counted; sealed ones say themselves that they are excluded."""
    is_excluded = group.flag == EXCLUDED or group in excluded
    return SliceKey(group.subject_id, group.rater_class, group.mode, group.place_id, is_excluded)


@dataclass
class CountedSlice:
    """A slice while its ballots are being counted."""

    counts: dict[str, dict[str, int]]
    returned: int = 0
    valid: int = 0
    standing: int = 0
    invalid: int = 0

    def as_json(self) -> str:
        """Return the counts without zeros, in canonical form."""
        return canonical_json(
            {
                item: {option: n for option, n in by_option.items() if n}
                for item, by_option in self.counts.items()
            }
        )


@dataclass(frozen=True)
class Counter:
    """Counts ballots under one formula; what an answer means for a ballot is looked up once."""

    items: Sequence[ScoredItem]
    formula: Formula
    _places: dict[tuple[str, str], Classification] = field(default_factory=dict)

    def empty(self) -> CountedSlice:
        return CountedSlice({item.key: {} for item in self.items})

    def count(self, counted: CountedSlice, ballots: Sequence[Mapping[str, str]]) -> None:
        """Add ballots, one question after another: of questions there are few, of ballots a million.

        After the first question hardly any ballot is left of which it is not known where it stands.
        """
        not_valid = not_standing = ballots
        for item in self.items:
            key = item.key
            found = collections.Counter([ballot.get(key, BLANK) for ballot in ballots])
            by_option = counted.counts[key]
            for option, number in found.items():
                by_option[option] = by_option.get(option, 0) + number
            places = {option: self._place(item, option) for option in found}
            open_ones = {option for option, place in places.items() if not place.is_valid}
            not_valid = [ballot for ballot in not_valid if ballot.get(key, BLANK) in open_ones]
            open_ones = {option for option, place in places.items() if not place.is_standing}
            not_standing = [ballot for ballot in not_standing if ballot.get(key, BLANK) in open_ones]
        counted.returned += len(ballots)
        counted.valid += len(ballots) - len(not_valid)
        counted.standing += len(ballots) - len(not_standing)
        counted.invalid += sum(self._is_invalid(ballot) for ballot in not_valid)

    def _is_invalid(self, ballot: Mapping[str, str]) -> bool:
        """Tell whether nothing on a paper ballot could be read."""
        return all(ballot.get(item.key) == SPOILED for item in self.items)

    def count_total(
        self, counted: CountedSlice, counts: Mapping[str, Mapping[str, int]], returned: int
    ) -> None:
        """Add the totals of a meeting, of which no single ballot is known.

        As many stand as in the largest denominator of an item, as many are valid as in the item with the most
        valid ratings, and as many are invalid as in every item.
        """
        valid, standing, spoiled = [], [], []
        for item in self.items:
            by_option, total = counts[item.key], counted.counts[item.key]
            places = {option: self._place(item, option) for option in by_option}
            valid.append(sum(n for option, n in by_option.items() if places[option].is_valid))
            standing.append(sum(n for option, n in by_option.items() if places[option].is_standing))
            spoiled.append(by_option.get(SPOILED, 0))
            for option, number in by_option.items():
                total[option] = total.get(option, 0) + number
        counted.returned += returned
        counted.valid += max(valid)
        counted.standing += max(standing)
        counted.invalid += min(spoiled)

    def _place(self, item: ScoredItem, option: str) -> Classification:
        place = self._places.get((item.key, option))
        if place is None:
            place = self._places[item.key, option] = classify({item.key: option}, [item], self.formula)
        return place
