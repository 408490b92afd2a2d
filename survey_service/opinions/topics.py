"""What a village talks about more than others do: words of a dictionary, weighed by their log-odds."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from math import log, sqrt
from typing import TypeVar

from survey_service.opinions.flags import read_words
from survey_service.opinions.redaction import MASK

_Place = TypeVar("_Place", bound=Hashable)

_PRIOR_OPINIONS = 4.0
"""What all places say together counts like so many more opinions in each (Monroe et al. 2008, 3.3)."""
LEAST_Z = 1.64
"""From this z-score upwards (one-sided, 5 %) a word is shown: people look at it, nothing follows."""
_FUNCTION_CHARACTERS = (
    "的了是在我你他她们这那有没不也都就还又很太要会能把被给让到去来说看个一二三四五六七八九十"
    "上下里外和与跟对为从向吧吗呢啊嘛呀哦请希望谢年月日号次天人家村镇"
)
_UNKNOWN = re.compile(r"[\u4e00-\u9fff]{2,4}")


@dataclass(frozen=True)
class DistinctiveWord:
    """A word, how many opinions of the place contain it, and its z-score against the other places."""

    word: str
    opinions: int
    z: float


@cache
def _dictionary() -> re.Pattern[str]:
    return _longest_of({*read_words("topics"), *read_words("safety")})


@cache
def _empty_words() -> re.Pattern[str]:
    return _longest_of(set(read_words("stop")))


def _longest_of(words: set[str]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, sorted(words, key=len, reverse=True))))


_BREAKS = re.compile(rf"[{_FUNCTION_CHARACTERS}{MASK}]|[^\u4e00-\u9fff]+")


def words_of(text: str) -> frozenset[str]:
    """Return the words of a text: those of the dictionary, and what stands whole between small words.

    The second kind are names of places and things that no dictionary knows.
    """
    said = _empty_words().sub(" ", text)
    known = _dictionary().findall(said)
    rest = _dictionary().sub(" ", said)
    unknown = (part for part in _BREAKS.split(rest) if _UNKNOWN.fullmatch(part))
    return frozenset((*known, *unknown))


def distinctive_words(
    texts: Iterable[tuple[_Place, str]], *, min_opinions: int, most: int = 8
) -> dict[_Place, list[DistinctiveWord]]:
    """Return for each place the words that set its opinions apart, the strongest first.

    A word counts once an opinion. None is named that stands in fewer than `min_opinions` of the place: it
    could be one family's.
    """
    counts: dict[_Place, Counter[str]] = {}
    sizes: Counter[_Place] = Counter()
    for place, text in texts:
        counts.setdefault(place, Counter()).update(words_of(text))
        sizes[place] += 1
    total, whole = sum(counts.values(), Counter[str]()), sizes.total()
    found: dict[_Place, list[DistinctiveWord]] = {}
    for place, words in counts.items():
        ranked = [
            DistinctiveWord(
                word, count, log_odds(count, sizes[place], total[word] - count, whole - sizes[place])
            )
            for word, count in words.items()
            if count >= min_opinions
        ]
        strong = sorted((one for one in ranked if one.z >= LEAST_Z), key=lambda one: (-one.z, one.word))
        found[place] = strong[:most]
    return found


def log_odds(here: int, size_here: int, there: int, size_there: int) -> float:
    """Return the z-score of the log-odds ratio of a word, with an informative Dirichlet prior.

    `here` of `size_here` opinions of a place hold it, `there` of `size_there` of all others.
    """
    if not size_there:
        return 0.0
    share = (here + there + 0.5) / (size_here + size_there + 1)
    prior, rest = _PRIOR_OPINIONS * share, _PRIOR_OPINIONS * (1 - share)
    cells = (here + prior, size_here - here + rest, there + prior, size_there - there + rest)
    ratio = log(cells[0] / cells[1]) - log(cells[2] / cells[3])
    return ratio / sqrt(1 / cells[0] + 1 / cells[2])


def common_words(texts: Sequence[str], *, most: int = 5) -> list[str]:
    """Return the words that stand in most of the texts of a group: a name for it."""
    counted = Counter(word for text in texts for word in words_of(text))
    ranked = sorted(counted.items(), key=lambda item: (-item[1], -len(item[0]), item[0]))
    return [word for word, count in ranked[:most] if 2 * count >= len(texts)]
