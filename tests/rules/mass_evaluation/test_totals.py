"""Totals of towns and counties, and when they are withheld."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest

from survey_service.campaigns.rules import RaterClass
from survey_service.mass_evaluation.rules import MassScore, Reason
from survey_service.mass_evaluation.totals import Leaf, score_totals
from tests.rules.mass_evaluation.builders import OVERALL, VILLAGER, make_formula, make_slice

CITY, COUNTY, NORTH, SOUTH = 1, 2, 3, 4


def village(
    town: int, satisfied: int, dissatisfied: int = 0, withheld: Collection[RaterClass] = (), **more: Any
) -> Leaf:
    slices = [make_slice(satisfied=satisfied, dissatisfied=dissatisfied)] if satisfied + dissatisfied else []
    given: dict[str, Any] = {"eligible": {VILLAGER: 50}, "is_whole": True}
    return Leaf(above=(CITY, COUNTY, town), slices=slices, withheld=withheld, **given | more)


def small(town: int, number: int) -> Leaf:
    return village(town, number, withheld=[VILLAGER])


def totals(*leaves: Leaf) -> dict[int, MassScore]:
    return score_totals(make_formula(), [OVERALL], leaves)


def reasons(*leaves: Leaf) -> dict[int, Reason]:
    return {place: score.reason for place, score in totals(*leaves).items()}


def test_a_total_is_the_score_of_all_ballots_below() -> None:
    found = totals(village(NORTH, 10), village(NORTH, 0, 30), village(SOUTH, 20))
    assert found.keys() == {NORTH, COUNTY}
    assert (found[NORTH].score, found[NORTH].returned, found[NORTH].eligible) == (
        100 * 10 / 40 + 55 * 30 / 40,
        40,
        100,
    )
    assert found[COUNTY].returned == 60


def test_only_the_lowest_place_with_the_same_subjects_has_a_total() -> None:
    assert reasons(village(NORTH, 10), village(NORTH, 10)).keys() == {NORTH}
    assert reasons(village(NORTH, 10)) == {}


@pytest.mark.parametrize(
    ("hidden", "reason"),
    [
        ([3], Reason.COMPLEMENTARY),
        ([12], Reason.COMPLEMENTARY),
        ([2, 2], Reason.COMPLEMENTARY),
        ([2, 3], Reason.NONE),
        ([0, 0], Reason.NONE),
    ],
)
def test_a_total_is_withheld_where_it_gives_away_what_is_hidden(hidden: list[int], reason: Reason) -> None:
    leaves = [village(NORTH, 10), *(small(NORTH, number) for number in hidden)]
    assert reasons(*leaves, village(NORTH, 10))[NORTH] is reason


def test_a_county_less_its_towns_gives_away_no_village() -> None:
    one = [village(NORTH, 10), village(NORTH, 10), village(SOUTH, 10), small(SOUTH, 3)]
    assert reasons(*one) == {NORTH: Reason.NONE, SOUTH: Reason.COMPLEMENTARY, COUNTY: Reason.COMPLEMENTARY}
    two = [*one, small(NORTH, 3)]
    assert set(reasons(*two).values()) == {Reason.COMPLEMENTARY, Reason.NONE}
    assert reasons(*two)[COUNTY] is Reason.NONE


def test_what_a_town_shows_together_is_known_to_the_county() -> None:
    leaves = [small(NORTH, 3), small(NORTH, 3), village(SOUTH, 10), small(SOUTH, 3), village(NORTH, 10)]
    assert reasons(*leaves) == {
        NORTH: Reason.NONE,
        SOUTH: Reason.COMPLEMENTARY,
        COUNTY: Reason.COMPLEMENTARY,
    }


def test_a_subject_with_withheld_items_withholds_its_totals() -> None:
    leaves = [village(NORTH, 10), village(NORTH, 10, is_whole=False)]
    assert reasons(*leaves) == {NORTH: Reason.COMPLEMENTARY}


def test_excluded_ballots_hide_nobody() -> None:
    excluded = replace(make_slice(satisfied=9), is_excluded=True)
    hidden = [replace(leaf, slices=[*leaf.slices, excluded]) for leaf in (small(NORTH, 2), small(NORTH, 2))]
    assert reasons(village(NORTH, 10), *hidden) == {NORTH: Reason.COMPLEMENTARY}


def test_a_total_of_nothing_says_why() -> None:
    waiting = [village(NORTH, 0, pending=Reason.UNTIL_CLOSING)] * 2
    assert set(reasons(*waiting, village(NORTH, 0)).values()) == {Reason.UNTIL_CLOSING}
