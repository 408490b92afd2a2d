"""Serial numbers as people write them: `1-20、25，30至32`."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import chain

MOST_SERIALS = 5_000
"""Numbers in one list; a village has fewer households."""
_LONGEST_TEXT = 2_000
_HIGHEST_SERIAL = 10**7
_SEPARATORS = re.compile(r"[,;、。\s]+")
_RANGE = re.compile(r"(\d+)(?:[-~–—−至到](\d+))?")
_LOOSE_RANGE = re.compile(r"\s*([-~–—−至到])\s*")


def read_serials(written: str) -> Sequence[int] | None:
    """Return the serials of a list, each once and in order, or None where it cannot be understood.

    Full-width digits and signs, spaces and Chinese commas are understood; a range names both its ends.
    """
    if len(written) > _LONGEST_TEXT:
        return None
    tidy = _LOOSE_RANGE.sub(r"\1", unicodedata.normalize("NFKC", written).strip())
    ranges = [_read_range(part) for part in _SEPARATORS.split(tidy) if part]
    known = [one for one in ranges if one is not None]
    if not known or len(known) < len(ranges) or sum(map(len, known)) > MOST_SERIALS:
        return None
    return sorted(set(chain.from_iterable(known)))


def _read_range(part: str) -> range | None:
    found = _RANGE.fullmatch(part)
    if found is None or max(len(digits) for digits in found.groups("")) > len(str(_HIGHEST_SERIAL)):
        return None
    first, last = int(found[1]), int(found[2] or found[1])
    return range(first, last + 1) if 0 < first <= last <= _HIGHEST_SERIAL else None


def write_serials(serials: Iterable[int]) -> str:
    """Write serials as short as possible, such as `1-20、25`."""
    return "、".join(f"{first}-{last}" if last > first else str(first) for first, last in runs_of(serials))


def runs_of(serials: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and the last number of each unbroken run."""
    runs: list[tuple[int, int]] = []
    for serial in sorted(set(serials)):
        if runs and runs[-1][1] == serial - 1:
            runs[-1] = (runs[-1][0], serial)
        else:
            runs.append((serial, serial))
    return runs
