"""Find opinions that say the same: MinHash on pairs of characters, verified by exact similarity.

Everything is proposed only; people decide what is joined. The same texts in the same order always give the
same groups, on every machine.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, pairwise

LEAST_SIMILARITY = 0.5
"""Jaccard similarity of the pairs of characters from which two opinions are proposed as one."""

_BANDS, _ROWS = 10, 2
"""Two texts meet where both hashes of one of ten bands agree: 94 % of those as similar as 0.5 do."""
_HASHES = _BANDS * _ROWS
_MOST_CANDIDATES = 8
"""So many leaders are compared exactly, those that share most bands first."""
_UNPACK = struct.Struct(f"<{_HASHES}H").unpack
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Member:
    """A text in a group, and how similar it is to the group's first, from 0 to 1."""

    id: int
    similarity: float


@dataclass(frozen=True)
class Group:
    """Texts that say the same as the first of them; the first is no member."""

    first: int
    members: tuple[Member, ...]


def fold(text: str) -> str:
    """Return what is compared of a text: its letters and digits, without case and blanks."""
    return _NOISE.sub("", text.translate(_FULL_WIDTH)).lower()


_FULL_WIDTH = {0xFF01 + offset: 0x21 + offset for offset in range(94)} | {0x3000: 0x20}


def bigrams_of(folded: str) -> frozenset[str]:
    """Return the pairs of neighbouring characters; a text of one character is its own pair."""
    return frozenset(map("".join, pairwise(folded))) or frozenset({folded} - {""})


def similarity(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard similarity of two sets of pairs."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def find_groups(texts: Iterable[tuple[int, str]], *, least: float = LEAST_SIMILARITY) -> list[Group]:
    """Return the groups of two and more among (id, text), in the order of their first texts.

    Each text joins the most similar of the first texts before it, or becomes a first text itself: so
    whatever is proposed was compared with the text that it would be joined to, and with no chain of others.
    """
    index = _Index(least)
    members: dict[int, list[Member]] = {}
    for id, text in texts:
        if (found := index.place(id, bigrams_of(fold(text)))) is not None:
            members.setdefault(found.id, []).append(Member(id, found.similarity))
    return [Group(first, tuple(members[first])) for first in index.firsts if first in members]


class _Index:
    """The first texts so far, by the bands of their signatures."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._bands: list[dict[tuple[int, ...], list[int]]] = [{} for _ in range(_BANDS)]
        self._same: dict[frozenset[str], int] = {}
        self.firsts: dict[int, frozenset[str]] = {}

    def place(self, id: int, bigrams: frozenset[str]) -> Member | None:
        """Return the first text that a text belongs to; without one it becomes one itself."""
        if not bigrams:
            return None
        if (same := self._same.get(bigrams)) is not None:
            return Member(same, 1.0)
        keys = _keys(bigrams)
        best = self._most_similar(bigrams, keys)
        if best is not None:
            return best
        self.firsts[id] = bigrams
        self._same[bigrams] = id
        for band, key in zip(self._bands, keys, strict=True):
            band.setdefault(key, []).append(id)
        return None

    def _most_similar(self, bigrams: frozenset[str], keys: Sequence[tuple[int, ...]]) -> Member | None:
        met = [band[key] for band, key in zip(self._bands, keys, strict=True) if key in band]
        shared = Counter(chain.from_iterable(met))
        compared = (
            Member(id, similarity(bigrams, self.firsts[id])) for id, _ in shared.most_common(_MOST_CANDIDATES)
        )
        return max(
            (member for member in compared if member.similarity >= self._least),
            key=lambda member: member.similarity,
            default=None,
        )


def _keys(bigrams: frozenset[str]) -> list[tuple[int, ...]]:
    """Return the key of each band: the least hashes among all pairs."""
    least = tuple(map(min, zip(*map(_hashes, bigrams), strict=True)))
    return [least[start : start + _ROWS] for start in range(0, _HASHES, _ROWS)]


@lru_cache(maxsize=1 << 16)
def _hashes(bigram: str) -> tuple[int, ...]:
    return _UNPACK(blake2b(bigram.encode(), digest_size=2 * _HASHES).digest())
