"""marshmallow, speaking Chinese: every schema of ours imports from here.

Schemas copy their sentences from the field classes when they are made, which happens while modules are
imported; so the sentences are put in place when this module is imported, before any schema can exist.
"""

from typing import Any

from marshmallow import (
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)

from survey_service.core.texts import text

__all__ = ["Schema", "ValidationError", "fields", "post_load", "validate", "validates_schema"]

_FIELDS: tuple[type[fields.Field[Any]], ...] = (
    fields.Field,
    fields.String,
    fields.Integer,
    fields.Decimal,
    fields.Boolean,
    fields.AwareDateTime,
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


def _translate() -> None:
    for kind in _FIELDS:
        found = kind.default_error_messages
        found.update({key: text(f"schema.{_KEYS[key]}") for key in found if key in _KEYS})
    Schema._default_error_messages = {
        "type": text("schema.not_an_object"),
        "unknown": text("schema.unknown_field"),
        "invalid_attribute": text("schema.invalid"),
    }
    _install_validators()


def _install_validators() -> None:
    for name in ("message_min", "message_max", "message_all", "message_gte", "message_lte"):
        for validator in (validate.Range, validate.Length):
            if hasattr(validator, name):
                setattr(validator, name, text(f"schema.{validator.__name__.lower()}"))
    validate.Length.message_equal = text("schema.length")
    validate.Regexp.default_message = text("schema.invalid")
    validate.OneOf.default_message = text("schema.unknown_choice")


_translate()
