"""Read JSON strictly: it comes from anywhere, and a careless reader loses half of what was meant."""

import json
from typing import Any

from survey_service.core.errors import BadRequest
from survey_service.core.plain_text import is_clean


def read_json(body: bytes) -> Any:
    """Return the JSON value of a body; raises BadRequest `malformed`.

    Refused are duplicate or unprintable keys, NaN, numbers of thousands of digits and bottomless nesting.
    """
    try:
        return json.loads(body, object_pairs_hook=_unique, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadRequest from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) or not all(map(is_clean, found)):
        raise ValueError("a key stands twice in an object, or cannot be shown")
    return found


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
