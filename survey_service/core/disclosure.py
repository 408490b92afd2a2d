"""The arithmetic of disclosure control: pure rules that every figure passes before anybody sees it.

`docs/privacy.md`, section Disclosure, says what they promise; a solver in the tests tries to break it.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)


class Withholding(StrEnum):
    """Why a part of the figures is not shown."""

    SMALL_CELL = "small_cell"
    """Too few people stand behind it."""
    COMPLEMENTARY = "complementary"
    """With it, a part that is too small could be computed."""


def is_small(count: int, min_cell: int) -> bool:
    """Tell whether a figure about so many people would point at them; nobody is no secret."""
    return 0 < count < min_cell


def is_step_due(*, released: int, standing: int, min_cell: int) -> bool:
    """Tell whether the ballots of one class and mode may be looked at anew while others still come in.

    The difference between two looks then always concerns at least `min_cell` ballots; `released` is 0 before
    the first look. Answers that were replaced without growth wait for it.
    """
    return abs(standing - released) >= min_cell


def withhold_parts(
    counts: Mapping[_Key, int], min_cell: int, small: Collection[_Key] = ()
) -> dict[_Key, Withholding]:
    """Return the parts of a shown total that are withheld, with the reason.

    Small parts are, and those named in `small`; then the smallest of the others, until the withheld parts
    together concern at least `min_cell` people: the total less what is shown is a figure about them.
    """
    withheld = {
        key: Withholding.SMALL_CELL
        for key, count in counts.items()
        if key in small or is_small(count, min_cell)
    }
    others = sorted((key for key in counts if key not in withheld and counts[key]), key=counts.__getitem__)
    for key in others:
        if not is_small(sum(counts[one] for one in withheld), min_cell):
            break
        withheld[key] = Withholding.COMPLEMENTARY
    return withheld


def withhold_addends(small: Iterable[_Key], sums: Sequence[Mapping[_Key, int]]) -> dict[_Key, Withholding]:
    """Return the addends that are withheld from several shown sums, with the reason.

    Each sum maps its addends to the people behind them, who may be the same in all. Exactly one withheld
    addend would be the sum less the others: the smallest of these goes with it.
    """
    withheld = dict.fromkeys(small, Withholding.SMALL_CELL)
    while lonely := next((one for one in sums if _is_lonely(one, withheld)), None):
        partner = min((key for key in lonely if key not in withheld), key=lonely.__getitem__)
        withheld[partner] = Withholding.COMPLEMENTARY
    return withheld


def _is_lonely(addends: Mapping[_Key, int], withheld: Collection[_Key]) -> bool:
    return sum(key in withheld for key in addends) == 1 < len(addends)


def is_total_telling(withheld: Sequence[int], min_cell: int) -> bool:
    """Tell whether a shown total less its shown parts would be one withheld part, or concern few people.

    `withheld` are the numbers of people behind the withheld parts.
    """
    return len(withheld) == 1 or is_small(sum(withheld), min_cell)
