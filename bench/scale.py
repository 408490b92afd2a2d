"""How much is measured: the whole, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Villages, rounds after the warm-up, seconds of a round, codes, ballots stored, subjects of a rating."""

    villages: int
    rounds: int
    seconds: int
    slots: int
    stored: int
    repeats: int
    rated: int


FULL = Scale(villages=400, rounds=5, seconds=5, slots=60_000, stored=1_000_000, repeats=3, rated=20_000)
QUICK = Scale(villages=40, rounds=2, seconds=1, slots=16_000, stored=10_000, repeats=1, rated=1_000)
YARDSTICK_THREADS = 4
"""In each of the two processes of a yardstick, with a connection for each."""
FEW = 1_000
"""Ballots in the database that the large one is compared with."""
