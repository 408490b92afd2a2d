"""Cursor paging: a list answers with its rows and the cursor after the last of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import Schema, ValidationError, fields, post_load
from survey_service.core.texts import text


class CursorIn(Schema):
    """`cursor` as an earlier answer gave it (`next_cursor`)."""

    cursor = fields.String(load_default="")

    @post_load
    def read(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        cursor = data.pop("cursor")
        is_number = cursor.isascii() and cursor.isdigit() and len(cursor) <= len(str(MAX_ID))
        if cursor and not (is_number and int(cursor) <= MAX_ID):
            raise ValidationError({"cursor": [text("schema.cursor")]})
        return data | {"after": int(cursor or 0)}


CURSOR = CursorIn()


def page_begin(written: str, *, first: int = 0) -> int:
    """Return the cursor that stands in the address of a page for people; what is none means `first`."""
    try:
        after: int = CURSOR.load({"cursor": written})["after"] if written else first
    except ValidationError:
        return first
    return after


def paged(rows: Sequence[Mapping[str, Any]], *, limit: int, key: str = "id") -> dict[str, Any]:
    """Wrap the rows of one page; `next_cursor` is None after the last page."""
    next_cursor = str(rows[-1][key]) if len(rows) == limit else None
    return {"items": rows, "next_cursor": next_cursor}
