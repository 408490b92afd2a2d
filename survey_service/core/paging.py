"""Cursor paging: a list answers with its rows and the cursor after the last of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from survey_service.core.marshalling import Schema, ValidationError, fields, post_load
from survey_service.core.texts import text

MAX_ID = 2**63 - 1


class CursorIn(Schema):
    """`cursor` as an earlier answer gave it (`next_cursor`)."""

    cursor = fields.String(load_default="")

    @post_load
    def read(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        cursor = data.pop("cursor")
        if cursor and not (cursor.isascii() and cursor.isdigit() and int(cursor) <= MAX_ID):
            raise ValidationError({"cursor": [text("schema.cursor")]})
        return data | {"after": int(cursor or 0)}


CURSOR = CursorIn()


def paged(rows: Sequence[Mapping[str, Any]], *, limit: int, key: str = "id") -> dict[str, Any]:
    """Wrap the rows of one page; `next_cursor` is None after the last page."""
    next_cursor = str(rows[-1][key]) if len(rows) == limit else None
    return {"items": rows, "next_cursor": next_cursor}
