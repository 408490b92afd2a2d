"""The yardsticks of the attacker: small cases that can be counted by hand."""

from itertools import permutations

import pytest

from tests.support.chance import chance_of_links, is_order_of_arrival, rank_correlation


def test_fixed_points_are_counted_as_by_hand() -> None:
    """Of the 24 permutations of four, 9 have no fixed point and 15 have one or more."""
    orders = list(permutations(range(4)))
    for links in range(5):
        by_hand = sum(sum(a == b for a, b in enumerate(order)) >= links for order in orders) / len(orders)
        assert chance_of_links([4], links) == pytest.approx(by_hand)


def test_piles_add_up() -> None:
    """Two piles of two: both right 1/4, one pile right 1/2, none 1/4; a pile is right twice or never."""
    assert chance_of_links([2, 2], 4) == pytest.approx(0.25)
    assert chance_of_links([2, 2], 1) == pytest.approx(0.75)
    assert chance_of_links([2, 2], 0) == pytest.approx(1)


def test_an_order_is_seen_up_and_down() -> None:
    assert rank_correlation([1, 2, 3]) == 1
    assert is_order_of_arrival(range(40))
    assert is_order_of_arrival(range(40, 0, -1))
    assert not is_order_of_arrival([7 * n % 41 for n in range(1, 41)])
