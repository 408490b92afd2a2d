"""marshmallow, speaking Chinese: every schema of ours imports from here.

Schemas copy their sentences from the field classes when they are made, which happens while modules are
imported; so the sentences are put in place when this module is imported, before any schema can exist.
"""

import re
from decimal import Decimal
from typing import Any

from marshmallow import (
    INCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    pre_load,
    validate,
    validates_schema,
)

from survey_service.core.plain_text import is_clean
from survey_service.core.texts import text

__all__ = [
    "DECIMAL_PATTERN",
    "INCLUDE",
    "ByKey",
    "DecimalText",
    "Flag",
    "Pattern",
    "PlainText",
    "Schema",
    "ValidationError",
    "fields",
    "post_load",
    "pre_load",
    "validate",
    "validates_schema",
]

DECIMAL_PATTERN = r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$"
_DECIMAL = re.compile(DECIMAL_PATTERN)

_FIELDS: tuple[type[fields.Field[Any]], ...] = (
    fields.Field,
    fields.String,
    fields.Integer,
    fields.Decimal,
    fields.Boolean,
    fields.AwareDateTime,
    fields.Date,
    fields.List,
    fields.Nested,
    fields.Dict,
    fields.Enum,
)
_KEYS = {
    "required": "required",
    "null": "null",
    "validator_failed": "invalid",
    "invalid": "invalid",
    "invalid_utf8": "invalid",
    "special": "not_a_number",
    "too_large": "not_a_number",
    "invalid_awareness": "invalid_time",
    "format": "invalid_time",
    "type": "invalid",
    "unknown": "unknown_choice",
}


class Pattern(validate.Regexp):
    """A pattern for the whole value, written as JSON Schema knows it.

    Python lets `$` match before a last line break, which a key must not have.
    """

    def __call__(self, value: Any) -> Any:
        if self.regex.fullmatch(value) is None:
            raise ValidationError(self._format_error(value))
        return value


class PlainText(fields.String):
    """Words for people, without blanks at the ends and without characters that nobody can see."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        words = super()._deserialize(value, attr, data, **options)
        if not is_clean(words):
            raise ValidationError(text("schema.strange_characters"))
        return words.strip()


class Flag(fields.Boolean):
    """Yes or no, and nothing that could be taken for it: a consent is never guessed from a word."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class ByKey(fields.Dict):
    """A mapping whose faults stand at their key: `points.leader`, not `points.leader.value`."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        try:
            # marshmallow has no types here.
            return super()._deserialize(value, attr, data, **options)  # type: ignore[no-untyped-call]
        except ValidationError as error:
            if isinstance(error.messages, list):
                raise
            found = {key: inner.get("key", inner.get("value")) for key, inner in error.messages.items()}
            raise ValidationError(found) from error


class DecimalText(fields.Field[Decimal]):
    """A decimal that travels as text, such as "0.75"; whole JSON numbers are understood too."""

    def __init__(self, *, minimum: int | None = None, maximum: int | None = None, **options: Any) -> None:
        self._minimum, self._maximum = minimum, maximum
        super().__init__(**options, metadata={"type": "string", "pattern": DECIMAL_PATTERN})

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else format(value, "f")

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Decimal:
        is_number = isinstance(value, str | int | float) and not isinstance(value, bool)
        if not is_number or _DECIMAL.fullmatch(str(value)) is None:
            raise ValidationError(text("schema.not_a_number"))
        number = Decimal(str(value))
        too_small = self._minimum is not None and number < self._minimum
        if too_small or (self._maximum is not None and number > self._maximum):
            raise ValidationError(text("schema.range"))
        return number


def _translate() -> None:
    for kind in _FIELDS:
        found = kind.default_error_messages
        found.update({key: text(f"schema.{_KEYS[key]}") for key in found if key in _KEYS})
    fields.Date.default_error_messages["invalid"] = text("schema.invalid_date")
    Schema._default_error_messages = {
        "type": text("schema.not_an_object"),
        "unknown": text("schema.unknown_field"),
        "invalid_attribute": text("schema.invalid"),
    }
    _install_validators()


def _whole_number(_: fields.Integer, value: Any) -> int:
    """Read an integer; marshmallow would cut 1.5 down to 1."""
    if isinstance(value, float) and not value.is_integer():
        raise ValueError
    return int(value)


def _install_validators() -> None:
    fields.Integer._format_num = _whole_number  # type: ignore[assignment,method-assign]  # For all schemas.
    for name in ("message_min", "message_max", "message_all", "message_gte", "message_lte"):
        for validator in (validate.Range, validate.Length):
            if hasattr(validator, name):
                setattr(validator, name, text(f"schema.{validator.__name__.lower()}"))
    validate.Length.message_equal = text("schema.length")
    validate.Regexp.default_message = text("schema.invalid")
    validate.OneOf.default_message = text("schema.unknown_choice")


_translate()
