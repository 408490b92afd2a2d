"""Write a form to canonical JSON for storage, and read it back."""

import json
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from survey_service.core.canonical import canonical_json
from survey_service.questionnaires.option_sets import Option
from survey_service.questionnaires.rules import Form, Item, Row, ShowIf


def write_form(form: Form) -> str:
    """Return the form as canonical JSON; equal forms give equal text."""
    return canonical_json(asdict(form))


def read_form(definition: str) -> Form:
    """Return the form that `write_form` wrote."""
    plain = json.loads(definition)
    return Form(plain["title"], tuple(_read_item(item) for item in plain["items"]))


def _decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _read_item(plain: dict[str, Any]) -> Item:
    condition = plain["show_if"]
    return Item(
        **plain
        | {
            "weight": Decimal(plain["weight"]),
            "minimum": _decimal(plain["minimum"]),
            "maximum": _decimal(plain["maximum"]),
            "options": tuple(Option(option["key"], option["label"]) for option in plain["options"]),
            "rows": tuple(Row(row["key"], row["text"], _decimal(row["weight"])) for row in plain["rows"]),
            "show_if": condition and ShowIf(condition["item"], tuple(condition["options"])),
        }
    )
