"""The registry of question kinds: a small class each, which checks, reads and scores its own answers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from survey_service.core.plain_text import is_clean
from survey_service.core.texts import text
from survey_service.questionnaires.option_sets import OPTION_SETS
from survey_service.questionnaires.rules import (
    MAX_ROWS,
    MAX_TEXT_LENGTH,
    AnswerError,
    Closed,
    FormFields,
    Item,
    Kind,
    Reader,
    ScoredItem,
    read_number,
)


def _refuse(name: str, reason: str, **values: object) -> AnswerError:
    return AnswerError({name: text(f"answers.{reason}", **values)})


class _Kind:
    """What most kinds share: one form field, no score."""

    name = ""
    scores = False
    is_text = False

    def definition_errors(self, item: Item) -> list[str]:
        return []

    def from_form(self, item: Item, form: FormFields) -> Any:
        return form.get(item.key) or None

    def scored_items(self, item: Item) -> list[ScoredItem]:
        return []


def _option_set_errors(item: Item) -> list[str]:
    return [] if item.option_set else [text("questionnaires.needs_option_set", sets="、".join(OPTION_SETS))]


class Rating(_Kind):
    """One option of an option set; the only simple kind that scores."""

    name = "rating"
    scores = True

    def definition_errors(self, item: Item) -> list[str]:
        return _option_set_errors(item)

    def reader(self, item: Item) -> Reader:
        return _single_choice_reader(item)

    def scored_items(self, item: Item) -> list[ScoredItem]:
        assert item.option_set is not None
        return [ScoredItem(item.key, item.option_set, item.weight, item.text)] if item.weight else []


class Matrix(_Kind):
    """Several rows rated with one option set; each row scores like an item of its own."""

    name = "matrix"
    scores = True

    def definition_errors(self, item: Item) -> list[str]:
        errors = _option_set_errors(item)
        keys = [row.key for row in item.rows]
        if not 0 < len(keys) <= MAX_ROWS:
            errors.append(text("questionnaires.row_count", most=MAX_ROWS))
        if len(set(keys)) < len(keys):
            errors.append(text("questionnaires.duplicate_key"))
        return errors

    def reader(self, item: Item) -> Reader:
        names = {row.key: f"{item.key}.{row.key}" for row in item.rows}
        allowed = frozenset(option.key for option in item.choices)

        def read(raw: Any) -> Closed:
            if not isinstance(raw, dict):
                raise _refuse(item.key, "not_an_object")
            errors = {} if raw.keys() <= names.keys() else {item.key: text("answers.unknown_row")}
            values: Closed = {}
            for key, name in names.items():
                option = raw.get(key)
                if isinstance(option, str) and option in allowed:
                    values[name] = option
                elif option not in (None, ""):
                    errors[name] = text("answers.unknown_option")
                elif item.required:
                    errors[name] = text("answers.required")
            if errors:
                raise AnswerError(errors)
            return values

        return read

    def from_form(self, item: Item, form: FormFields) -> Any:
        return {row.key: given for row in item.rows if (given := form.get(f"{item.key}.{row.key}"))} or None

    def scored_items(self, item: Item) -> list[ScoredItem]:
        assert item.option_set is not None
        weighted = ((row, item.weight if row.weight is None else row.weight) for row in item.rows)
        return [
            ScoredItem(f"{item.key}.{row.key}", item.option_set, weight, row.text)
            for row, weight in weighted
            if weight
        ]


def _single_choice_reader(item: Item) -> Reader:
    key = item.key
    allowed = frozenset(option.key for option in item.choices)

    def read(raw: Any) -> Closed:
        if isinstance(raw, str) and raw in allowed:
            return {key: raw}
        raise _refuse(key, "unknown_option")

    return read


def _choices_errors(item: Item) -> list[str]:
    keys = {option.key for option in item.choices}
    return [text("questionnaires.bad_options")] if len(keys) < max(2, len(item.choices)) else []


class Single(_Kind):
    """One option, of the item's own or of an option set."""

    name = "single"

    def definition_errors(self, item: Item) -> list[str]:
        return _choices_errors(item)

    def reader(self, item: Item) -> Reader:
        return _single_choice_reader(item)


class Multiple(_Kind):
    """Some options; stored in the order of the form, so that equal answers are equal."""

    name = "multiple"

    def definition_errors(self, item: Item) -> list[str]:
        return _choices_errors(item)

    def reader(self, item: Item) -> Reader:
        order = [option.key for option in item.choices]
        most = item.max_choices or len(order)

        def read(raw: Any) -> Closed:
            if not isinstance(raw, list) or not all(isinstance(one, str) and one in order for one in raw):
                raise _refuse(item.key, "unknown_option")
            if len(set(raw)) < len(raw) or len(raw) > most:
                raise _refuse(item.key, "too_many_choices", most=most)
            return {item.key: [key for key in order if key in raw]} if raw else {}

        return read

    def from_form(self, item: Item, form: FormFields) -> Any:
        return form.getlist(item.key) or None


class Text(_Kind):
    """Words of the voter; they leave the ballot at once and are never stored beside it."""

    name = "text"
    is_text = True

    def definition_errors(self, item: Item) -> list[str]:
        if 0 < item.max_length <= MAX_TEXT_LENGTH:
            return []
        return [text("questionnaires.bad_length", most=MAX_TEXT_LENGTH)]

    def reader(self, item: Item) -> Reader:
        def read(raw: Any) -> Closed:
            if not isinstance(raw, str):
                raise _refuse(item.key, "not_a_text")
            value = raw.replace("\r\n", "\n").strip()
            if len(value) > item.max_length:
                raise _refuse(item.key, "too_long", most=item.max_length, length=len(value))
            if not is_clean(value):
                raise _refuse(item.key, "strange_characters")
            return {item.key: value} if value else {}

        return read


class Number(_Kind):
    """A decimal number, kept as the text of its plain form."""

    name = "number"

    def definition_errors(self, item: Item) -> list[str]:
        if item.minimum is not None and item.maximum is not None and item.minimum > item.maximum:
            return [text("questionnaires.bad_bounds")]
        return []

    def reader(self, item: Item) -> Reader:
        def read(raw: Any) -> Closed:
            value = read_number(raw)
            if value is None:
                raise _refuse(item.key, "not_a_number")
            too_small = item.minimum is not None and value < item.minimum
            too_large = item.maximum is not None and value > item.maximum
            if too_small or too_large:
                raise _refuse(item.key, "out_of_range")
            return {item.key: format(value.normalize() if value else Decimal(0), "f")}

        return read


KINDS: Mapping[str, Kind] = {
    kind.name: kind for kind in (Rating(), Matrix(), Single(), Multiple(), Text(), Number())
}
