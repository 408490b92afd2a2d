"""Paper by the rules: what a line of keys says, where two lists differ, who settles that, what is counted."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from survey_service.ballots.rules import SPOILED
from survey_service.campaigns.rules import Mode
from survey_service.core.events import Event
from survey_service.questionnaires.option_sets import OPTION_SETS, Option
from survey_service.questionnaires.rules import Closed, Item, ScoredItem, is_visible

BUNDLE = 50
"""Ballots on one screen, and in one rubber band."""
MAX_BALLOTS = 1_000
"""More than any village hands in at once; a larger pile is several batches."""
MAX_NUMBER = 99_999

OPTION_KEYS = "12345678abcdefghijklmnopqrstuvwxyz"
"""Which key stands for the first, the second … option; digits first, as they stand on every keypad."""
BLANK_KEY = "0"
SPOILED_KEY = "9"
WHOLE_SPOILED = "*"
"""Typed alone: the whole ballot is spoiled."""


class ListKind(StrEnum):
    """The lists of a batch. Stubs and ballots never meet: not on a screen, and not in a table."""

    STUBS = "stubs"
    BALLOTS = "ballots"
    TOTALS = "totals"


class BatchState(StrEnum):
    """What became of a batch; only an open one changes."""

    OPEN = "open"
    CLOSED = "closed"
    DISCARDED = "discarded"


class Keying(IntEnum):
    """Which of the looks at the paper a draft comes from."""

    FIRST = 1
    SECOND = 2
    SETTLED = 3


LISTS_OF: Mapping[Mode, tuple[ListKind, ...]] = {
    Mode.PAPER: (ListKind.STUBS, ListKind.BALLOTS),
    Mode.PAPER_TOTAL: (ListKind.TOTALS,),
}
PAPER_MODES = frozenset(LISTS_OF)


@dataclass(frozen=True)
class PaperCounted(Event):
    """A batch was closed, and its subject's tally lacks it."""

    campaign_id: int


@dataclass(frozen=True)
class Column:
    """What one key answers: an item, a row of a matrix, or whether one of several options is ticked."""

    name: str
    text: str
    item: str
    options: tuple[Option, ...]
    is_scored: bool
    is_tick: bool = False

    @property
    def keys(self) -> Mapping[str, Option]:
        return dict(zip(OPTION_KEYS, self.options, strict=False))

    @property
    def allowed(self) -> str:
        return "".join(self.keys) + BLANK_KEY + SPOILED_KEY


class LineFault(StrEnum):
    """Why a line cannot be read; the sentences are `paper.line_<fault>`."""

    LENGTH = "length"
    KEY = "key"
    NUMBERS = "numbers"
    MISSING = "missing"
    CODE = "code"
    TWICE = "twice"


class LineError(Exception):
    """A line cannot be read; `place` is the column, from 1, or 0 for the whole line."""

    def __init__(self, fault: LineFault, place: int = 0) -> None:
        self.fault, self.place = fault, place
        super().__init__(fault)


@dataclass(frozen=True)
class PaperForm:
    """The keys of a ballot in the order of the form; words and numbers written by hand have none."""

    items: tuple[Item, ...]
    columns: tuple[Column, ...]

    def read(self, typed: str) -> str:
        """Return a line in its canonical form, one key for each column; raises LineError."""
        line = re.sub(r"\s", "", unicodedata.normalize("NFKC", typed)).lower()
        if line == WHOLE_SPOILED:
            return SPOILED_KEY * len(self.columns)
        if len(line) != len(self.columns):
            raise LineError(LineFault.LENGTH)
        for place, (key, column) in enumerate(zip(line, self.columns, strict=True), start=1):
            if key not in column.allowed:
                raise LineError(LineFault.KEY, place)
        return line

    def answers(self, line: str) -> Closed:
        """Return what a ballot says. A spoiled item is lost alone; what the form hides does not count."""
        read: Closed = {}
        for item in self.items:
            if is_visible(item, read):
                read |= self._answers_of(item, line)
        return read

    def _answers_of(self, item: Item, line: str) -> Closed:
        own = [
            (column, key) for column, key in zip(self.columns, line, strict=True) if column.item == item.key
        ]
        ticked = [column.options[0].key for column, key in own if column.is_tick and key in column.keys]
        if ticked:
            is_too_many = item.max_choices is not None and len(ticked) > item.max_choices
            return {} if is_too_many else {item.key: ticked}
        found: Closed = {}
        for column, key in own:
            if not column.is_tick and key in column.keys:
                found[column.name] = column.keys[key].key
            elif column.is_scored and key == SPOILED_KEY:
                found[column.name] = SPOILED
        return found

    def is_invalid(self, line: str) -> bool:
        """Tell whether nothing on a ballot that scores can be read."""
        return set(self._scored_keys(line)) == {SPOILED_KEY}

    def is_partly_spoiled(self, line: str) -> bool:
        return SPOILED_KEY in self._scored_keys(line) and not self.is_invalid(line)

    def is_blank(self, line: str) -> bool:
        return set(line) == {BLANK_KEY}

    def _scored_keys(self, line: str) -> list[str]:
        return [key for column, key in zip(self.columns, line, strict=True) if column.is_scored]


def paper_form(items: Sequence[Item], scored: Sequence[ScoredItem]) -> PaperForm:
    """Lay a questionnaire out as columns."""
    scored_keys = {one.key for one in scored}
    columns = [column for item in items for column in _columns_of(item, scored_keys)]
    return PaperForm(tuple(items), tuple(columns))


def _columns_of(item: Item, scored_keys: set[str]) -> list[Column]:
    if item.kind in ("rating", "single"):
        return [Column(item.key, item.text, item.key, item.choices, item.key in scored_keys)]
    if item.kind == "matrix":
        rows = [(f"{item.key}.{row.key}", row.text) for row in item.rows]
        return [Column(name, text, item.key, item.choices, name in scored_keys) for name, text in rows]
    if item.kind == "multiple":
        return [_tick(item, option) for option in item.choices]
    return []


def _tick(item: Item, option: Option) -> Column:
    name, text = f"{item.key}.{option.key}", f"{item.text}：{option.label}"
    return Column(name, text, item.key, (option,), is_scored=False, is_tick=True)


@dataclass(frozen=True)
class PaperCounts:
    """What stands in the pile of a batch. Spoiled and blank ballots were returned like all others."""

    returned: int
    invalid: int
    blank: int
    partly_spoiled: int


def count_pile(form: PaperForm, lines: Sequence[str]) -> PaperCounts:
    return PaperCounts(
        returned=len(lines),
        invalid=sum(map(form.is_invalid, lines)),
        blank=sum(map(form.is_blank, lines)),
        partly_spoiled=sum(map(form.is_partly_spoiled, lines)),
    )


@dataclass(frozen=True)
class TotalsForm:
    """The lines of a meeting's sheet: first how many were returned, then one line for each scored item.

    A line of an item holds a number for each option, then the blanks, then the spoiled ones.
    """

    items: tuple[ScoredItem, ...]

    def width(self, position: int) -> int:
        if position == 0:
            return 1
        return len(OPTION_SETS[self.items[position - 1].option_set].options) + 2

    def read(self, typed: str, position: int) -> str:
        """Return a line in its canonical form, such as `20,4,1,2,0,1`; raises LineError."""
        parts = [one for one in re.split(r"[\s,、;]+", unicodedata.normalize("NFKC", typed)) if one]
        if len(parts) != self.width(position):
            raise LineError(LineFault.LENGTH)
        if not all(re.fullmatch("[0-9]{1,5}", one) for one in parts):
            raise LineError(LineFault.NUMBERS)
        return ",".join(str(int(one)) for one in parts)

    def counts(self, lines: Mapping[int, str]) -> dict[str, dict[str, int]]:
        """Return the number of each option, of blanks under "" and of spoiled ones, item by item."""
        return {item.key: self._count(item, lines[place]) for place, item in enumerate(self.items, start=1)}

    def _count(self, item: ScoredItem, line: str) -> dict[str, int]:
        names = [option.key for option in OPTION_SETS[item.option_set].options]
        return dict(zip([*names, "", SPOILED], map(int, line.split(",")), strict=True))

    def uneven(self, lines: Mapping[int, str]) -> list[int]:
        """Return the positions of the lines that are missing, or that do not add up to the returned ones."""
        if 0 not in lines:
            return [0]
        returned = int(lines[0])
        return [
            place
            for place in range(1, len(self.items) + 1)
            if place not in lines or sum(map(int, lines[place].split(","))) != returned
        ]


@dataclass(frozen=True)
class Difference:
    """A place where two people read something else; None where one of them has no such line."""

    position: int
    first: str | None
    second: str | None


def compare_lines(first: Mapping[int, str], second: Mapping[int, str]) -> list[Difference]:
    return [
        Difference(place, first.get(place), second.get(place))
        for place in sorted(first.keys() | second.keys())
        if first.get(place) != second.get(place)
    ]


def settle_lines(
    first: Mapping[int, str], second: Mapping[int, str], third: Mapping[int, str]
) -> dict[int, str] | None:
    """Return what holds in the end, or None while a difference is open.

    The third look goes before both others; an empty line says that there is no such ballot.
    """
    if any(one.position not in third for one in compare_lines(first, second)):
        return None
    return {place: line for place, line in sorted({**first, **second, **third}.items()) if line}


def is_settled(
    *, keyers: tuple[int | None, int | None], settled_by: int | None, confirmed_by: int | None
) -> bool:
    """Tell whether a third look holds: a third person's alone, one of the keyers' with somebody else's."""
    return settled_by is not None and (settled_by not in keyers or confirmed_by is not None)
