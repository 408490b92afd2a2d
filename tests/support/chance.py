"""What chance explains, and what it does not."""

from collections.abc import Sequence
from math import comb, factorial
from statistics import NormalDist

RARE = 1e-8
"""How rarely a shuffled pile may look ordered. The database shuffles by a source that takes no seed, and some
two hundred piles are looked at in a run of all tests: it lies once in half a million runs. An order of forty
that was kept whole is as rare as 4e-10."""


def rank_correlation(order: Sequence[int]) -> float:
    """Return Spearman's ρ between the order of a list of different numbers and their size."""
    ranks = {number: rank for rank, number in enumerate(sorted(order))}
    distance = sum((ranks[number] - place) ** 2 for place, number in enumerate(order))
    return 1 - 6 * distance / (len(order) * (len(order) ** 2 - 1))


def is_order_of_arrival(order: Sequence[int]) -> bool:
    """Tell whether a list is in an order that chance does not explain, up or down."""
    deviation: float = abs(rank_correlation(order)) * (len(order) - 1) ** 0.5
    return deviation > NormalDist().inv_cdf(1 - RARE / 2)


def chance_of_links(piles: Sequence[int], links: int) -> float:
    """Return how probable it is to link so many or more by pairing each of some shuffled piles at random.

    Exact: the numbers of fixed points of random permutations, added up over independent piles.
    """
    total = [1.0]
    for pile in piles:
        one = _fixed_points(pile)
        total = [
            sum(total[n - k] * one[k] for k in range(max(0, n - len(total) + 1), min(n, pile) + 1))
            for n in range(len(total) + pile)
        ]
    return sum(total[links:])


def _fixed_points(pile: int) -> list[float]:
    """Return the probability of each number of fixed points of a random permutation."""
    derangements = [1, 0]
    for n in range(2, pile + 1):
        derangements.append((n - 1) * (derangements[-1] + derangements[-2]))
    return [comb(pile, k) * derangements[pile - k] / factorial(pile) for k in range(pile + 1)]
