"""What a questionnaire is: items, visibility, and the plan that checks a voter's answers.

A plan is compiled once per frozen version. It turns raw answers (JSON values, or the fields of a form)
into two parts that never meet again: closed answers, flat and keyed by form name (`"overall"`, `"m.row"`),
and texts, keyed by item.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import OPTION_SETS, Option

Closed = dict[str, str | list[str]]

MAX_ITEMS = 60
MAX_ROWS = 30
MAX_TEXT_LENGTH = 2000
MAX_NUMBER_LENGTH = 20

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)")


class AnswerError(Exception):
    """One or more answers are not acceptable; `errors` is keyed by form name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        self.errors = dict(errors)
        super().__init__(", ".join(errors))


@dataclass(frozen=True)
class Row:
    """One line of a matrix."""

    key: str
    text: str
    weight: Decimal | None = None


@dataclass(frozen=True)
class ShowIf:
    """An item is shown only while an earlier item is answered with one of these options."""

    item: str
    options: tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """One question; which fields matter is decided by its kind (see `kinds.py`)."""

    key: str
    kind: str
    text: str
    hint: str = ""
    required: bool = False
    weight: Decimal = Decimal(0)
    option_set: str | None = None
    options: tuple[Option, ...] = ()
    rows: tuple[Row, ...] = ()
    max_length: int = MAX_TEXT_LENGTH
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    max_choices: int | None = None
    show_if: ShowIf | None = None

    @property
    def choices(self) -> tuple[Option, ...]:
        """The options on offer: those of the option set, or the item's own."""
        return OPTION_SETS[self.option_set].options if self.option_set else self.options


@dataclass(frozen=True)
class Form:
    """What is asked under which heading: all that a version freezes."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class ScoredItem:
    """A rating item, or one row of a matrix with the key `m.row`; `weight` is u in `docs/scoring.md`."""

    key: str
    option_set: str
    weight: Decimal
    text: str = ""


class FormFields(Protocol):
    """The fields of a submitted form (werkzeug's MultiDict)."""

    def get(self, key: str, /) -> str | None: ...

    def getlist(self, key: str, /) -> list[str]: ...


Reader = Callable[[Any], Closed]


class Kind(Protocol):
    """A kind of question: it checks its definition, reads an answer, and may score."""

    name: str
    scores: bool
    is_text: bool

    def definition_errors(self, item: Item) -> list[str]:
        """Return what is wrong with an item of this kind, as sentences."""

    def reader(self, item: Item) -> Reader:
        """Return the function that turns a raw answer into flat values; it raises AnswerError."""

    def from_form(self, item: Item, form: FormFields) -> Any:
        """Return the raw answer that a form holds, or None when there is none."""

    def scored_items(self, item: Item) -> list[ScoredItem]:
        """Return what enters the score."""


@dataclass(frozen=True)
class CheckedAnswers:
    """Valid answers, parted for storage."""

    closed: Closed
    texts: dict[str, str] = field(default_factory=dict)


def read_number(raw: object) -> Decimal | None:
    """Read a number as people write it, such as `12.5`; None for exponents, infinities and nonsense.

    An exponent of a few characters can stand for a number of a million digits.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        return None
    written = str(raw).strip()
    is_number = len(written) <= MAX_NUMBER_LENGTH and _NUMBER.fullmatch(written) is not None
    return Decimal(written) if is_number else None


def is_visible(item: Item, closed: Mapping[str, str | list[str]]) -> bool:
    """Tell whether the earlier answers let this item be shown."""
    if item.show_if is None:
        return True
    given = closed.get(item.show_if.item)
    chosen = given if isinstance(given, list) else [given]
    return any(option in item.show_if.options for option in chosen)


@dataclass(frozen=True)
class _Step:
    item: Item
    kind: Kind
    read: Reader


class Plan:
    """Checks the answers to one questionnaire version; immutable and shared by all threads."""

    def __init__(self, items: Sequence[Item], kinds: Mapping[str, Kind]) -> None:
        self.items = tuple(items)
        self._steps = tuple(_Step(item, kinds[item.kind], kinds[item.kind].reader(item)) for item in items)
        self._keys = frozenset(item.key for item in items)
        self.text_items = tuple(step.item.key for step in self._steps if step.kind.is_text)
        self.scored_items = tuple(
            scoring for step in self._steps for scoring in step.kind.scored_items(step.item)
        )

    def check(self, raw: Mapping[str, Any]) -> CheckedAnswers:
        """Check the answers of the JSON API; answers to hidden or unknown items are errors."""
        errors = {key: text("answers.unknown_item") for key in raw if key not in self._keys}
        return self._check(raw, errors, drop_hidden=False)

    def check_form(self, form: FormFields) -> CheckedAnswers:
        """Check the fields of a form; answers to hidden items are dropped (no script hid them)."""
        return self._check(self.raw_from_form(form), {}, drop_hidden=True)

    def raw_from_form(self, form: FormFields) -> dict[str, Any]:
        """Return what a form holds, by item, unchecked."""
        raw = {step.item.key: step.kind.from_form(step.item, form) for step in self._steps}
        return {key: value for key, value in raw.items() if value is not None}

    def _check(self, raw: Mapping[str, Any], errors: dict[str, str], *, drop_hidden: bool) -> CheckedAnswers:
        closed: Closed = {}
        texts: dict[str, str] = {}
        for step in self._steps:
            item = step.item
            given = raw.get(item.key)
            is_empty = given is None or given == ""
            if item.show_if is not None and not is_visible(item, closed):
                if not is_empty and not drop_hidden:
                    errors[item.key] = text("answers.hidden_item")
                continue
            try:
                values = {} if is_empty else step.read(given)
                if not values and item.required:
                    errors[item.key] = text("answers.required")
            except AnswerError as error:
                errors |= error.errors
                continue
            if step.kind.is_text:
                texts.update(values)  # type: ignore[arg-type]  # A text kind reads to one string.
            else:
                closed.update(values)
        if errors:
            raise AnswerError(errors)
        return CheckedAnswers(closed, texts)


def find_definition_errors(items: Sequence[Item], kinds: Mapping[str, Kind]) -> dict[str, list[str]]:
    """Return what is wrong with a questionnaire by place (`items.0`); empty when it can be used."""
    if not 0 < len(items) <= MAX_ITEMS:
        return {"items": [text("questionnaires.item_count", most=MAX_ITEMS)]}
    errors: dict[str, list[str]] = {}
    earlier: dict[str, Item] = {}
    for position, item in enumerate(items):
        if found := _item_errors(item, earlier, kinds):
            errors[f"items.{position}"] = found
        earlier[item.key] = item
    return errors


def _item_errors(item: Item, earlier: Mapping[str, Item], kinds: Mapping[str, Kind]) -> list[str]:
    if item.key in earlier:
        return [text("questionnaires.duplicate_key")]
    if item.kind not in kinds:
        return [text("questionnaires.unknown_kind", kinds="、".join(kinds))]
    if not _has_known_set(item):
        return [text("questionnaires.unknown_option_set", sets="、".join(OPTION_SETS))]
    kind = kinds[item.kind]
    weights = [item.weight, *(row.weight or 0 for row in item.rows)]
    found = kind.definition_errors(item)
    if any(weights) and not kind.scores:
        found.append(text("questionnaires.weight_on_unscored"))
    if min(weights) < 0:
        found.append(text("questionnaires.negative_weight"))
    if item.show_if is not None and not _is_possible(item.show_if, earlier):
        found.append(text("questionnaires.bad_condition"))
    return found


def _is_possible(condition: ShowIf, earlier: Mapping[str, Item]) -> bool:
    """Tell whether a condition names options of an earlier question that has one answer for all."""
    target = earlier.get(condition.item)
    if target is None or target.rows or not condition.options or not _has_known_set(target):
        return False
    return set(condition.options) <= {option.key for option in target.choices}


def _has_known_set(item: Item) -> bool:
    return item.option_set is None or item.option_set in OPTION_SETS
