"""Linear algebra for the solver: what follows from some sums, if everything else is unknown.

It reckons modulo a large prime: ranks are those of the fractions but for a chance of about one in 2^61, and
whole numbers stay small.
"""

from collections.abc import Hashable, Mapping, Sequence
from fractions import Fraction

PRIME = 2**61 - 1

Row = Mapping[Hashable, Fraction | int]
"""The coefficients of a known sum by unknown."""


def residue(value: Fraction | int) -> int:
    exact = Fraction(value)
    return exact.numerator * pow(exact.denominator, -1, PRIME) % PRIME


def reduce_rows(rows: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """Return the reduced echelon form as (column of the pivot, row) pairs."""
    found: list[tuple[int, list[int]]] = []
    for given in rows:
        row = list(given)
        for column, pivot in found:
            if factor := row[column]:
                row = [(a - factor * b) % PRIME for a, b in zip(row, pivot, strict=True)]
        column = next((place for place, value in enumerate(row) if value), -1)
        if column < 0:
            continue
        scale = pow(row[column], -1, PRIME)
        row = [value * scale % PRIME for value in row]
        found = [(place, _without(other, row, column)) for place, other in found]
        found.append((column, row))
    return found


def _without(other: list[int], row: Sequence[int], column: int) -> list[int]:
    factor = other[column]
    return [(a - factor * b) % PRIME for a, b in zip(other, row, strict=True)] if factor else other


def null_space(rows: Sequence[Row], unknowns: Sequence[Hashable]) -> dict[Hashable, list[int]]:
    """Return, for each unknown, its entries in a basis of everything that the known sums leave open."""
    place = {unknown: number for number, unknown in enumerate(unknowns)}
    dense = []
    for row in rows:
        values = [0] * len(unknowns)
        for unknown, coefficient in row.items():
            values[place[unknown]] = residue(coefficient)
        dense.append(values)
    reduced = dict(reduce_rows(dense))
    free = [column for column in range(len(unknowns)) if column not in reduced]
    return {
        unknown: [-reduced[number][column] % PRIME for column in free]
        if number in reduced
        else [int(column == number) for column in free]
        for unknown, number in place.items()
    }


def count_determined(open_space: Mapping[Hashable, Sequence[int]], unknowns: Sequence[Hashable]) -> int:
    """Return how many independent sums over some unknowns alone follow from what is known."""
    return len(unknowns) - len(reduce_rows([open_space[unknown] for unknown in unknowns]))
