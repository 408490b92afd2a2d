"""How much is measured: the whole, or just enough to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Rounds after the warm-up, seconds of a round, household codes to vote with, and ballots stored."""

    rounds: int
    seconds: int
    slots: int
    stored: int
    repeats: int


FULL = Scale(rounds=5, seconds=5, slots=60_000, stored=1_000_000, repeats=3)
QUICK = Scale(rounds=2, seconds=2, slots=20_000, stored=20_000, repeats=1)
FEW = 1_000
"""Ballots in the database that the large one is compared with."""
