"""Words that make somebody look sooner: they raise a flag, and never hold an opinion back."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "words"


class Flag(StrEnum):
    """Why an opinion should be seen soon; each has its list of words in `words/<flag>.txt`."""

    SAFETY = "safety"
    THREAT = "threat"
    SENSITIVE = "sensitive"


def read_words(name: str) -> tuple[str, ...]:
    """Return the words of a list; what follows `#` is a remark."""
    lines = (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return tuple(word for line in lines if (word := line.partition("#")[0].strip()))


WORDS: Mapping[Flag, tuple[str, ...]] = MappingProxyType({flag: read_words(flag) for flag in Flag})


def raised_flags(text: str) -> frozenset[Flag]:
    """Return the flags that a text raises."""
    # Blanks inside a word hide nothing from a reader.
    closed = "".join(text.split())
    return frozenset(flag for flag, words in WORDS.items() if any(word in closed for word in words))


def flagging_words(text: str, flag: Flag) -> tuple[str, ...]:
    """Return which words of a list stand in a text, for the remark beside a warning."""
    closed = "".join(text.split())
    return tuple(word for word in WORDS[flag] if word in closed)
