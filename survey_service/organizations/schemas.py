"""The JSON form of organizations."""

from collections.abc import Mapping
from typing import Any

from flask_smorest.fields import Upload
from werkzeug.datastructures import FileStorage

from survey_service.core.marshalling import Schema, ValidationError, fields, validate
from survey_service.core.paging import CursorIn
from survey_service.core.texts import text
from survey_service.organizations.rules import MAX_CODE_LENGTH, MAX_SIZE, OrganizationKind


class OrganizationOut(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(OrganizationKind, by_value=True, required=True)
    parent_code = fields.String(required=True, allow_none=True)
    households = fields.Integer(required=True, allow_none=True)
    members = fields.Integer(required=True, allow_none=True)
    villagers = fields.Integer(required=True, allow_none=True)
    is_roster_generated = fields.Boolean(required=True)


class OrganizationPage(Schema):
    items = fields.List(fields.Nested(OrganizationOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class OrganizationQuery(CursorIn):
    """`parent` is a code; without it the answer is the caller's own organization."""

    parent = fields.String(load_default=None, validate=validate.Length(min=1, max=MAX_CODE_LENGTH))


class ImportIn(Schema):
    """A CSV (UTF-8, GB18030), XLSX, XLS or ODS file."""

    file = Upload(required=True, error_messages={"required": text("organizations.no_file")})


def uploaded(files: Mapping[str, FileStorage]) -> dict[str, Any]:
    """Return content and name of the uploaded file, as the services of imports take them."""
    file = files["file"]
    return {"content": file.read(), "filename": file.filename or ""}


class ImportOut(Schema):
    created = fields.Integer(required=True)
    updated = fields.Integer(required=True)


class _Size(fields.Integer):
    """A whole number from 0 to MAX_SIZE; 23.0 is one, as in JSON Schema, but 23.5 and "23" are not."""

    def _validated(self, value: Any) -> int:
        is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1
        if not is_whole or not 0 <= value <= MAX_SIZE:
            raise ValidationError(text("organizations.size_invalid", most=MAX_SIZE))
        return int(value)


def _size() -> _Size:
    return _Size(allow_none=True, metadata={"minimum": 0, "maximum": MAX_SIZE})


class RosterIn(Schema):
    """The sizes to change; null means unknown."""

    households = _size()
    members = _size()
    villagers = _size()
