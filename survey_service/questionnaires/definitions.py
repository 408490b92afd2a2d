"""Write items to canonical JSON for storage, and read them back."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from survey_service.questionnaires.option_sets import Option
from survey_service.questionnaires.rules import Item, Row, ShowIf


def write_items(items: Sequence[Item]) -> str:
    """Return the items as canonical JSON; equal items give equal text."""
    plain = [asdict(item) for item in items]
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def read_items(definition: str) -> tuple[Item, ...]:
    """Return the items that `write_items` wrote."""
    return tuple(_read_item(plain) for plain in json.loads(definition))


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
            "options": tuple(_read_option(option) for option in plain["options"]),
            "rows": tuple(Row(row["key"], row["text"], _decimal(row["weight"])) for row in plain["rows"]),
            "show_if": condition and ShowIf(condition["item"], tuple(condition["options"])),
        }
    )


def _read_option(plain: dict[str, Any]) -> Option:
    return Option(plain["key"], plain["label"], _decimal(plain["coefficient"]), plain["in_denominator"])
