"""The JSON form of letters."""

from typing import Any

from survey_service.clear_letters.documents import content_of
from survey_service.clear_letters.printing import MOST_SHEETS
from survey_service.clear_letters.rules import (
    MOST_REMARK,
    Codes,
    LetterState,
    PaperSize,
    SectionKind,
)
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import PlainText, Schema, fields, post_load, validate
from survey_service.core.paging import CursorIn
from survey_service.organizations.rules import MAX_CODE_LENGTH

_CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)
_ID = validate.Range(1, MAX_ID)
_MOST_ENTRIES = 100_000
"""More than any limit of a letter: what is too much is told in words of its own (`rules.excesses`)."""
_SOME = validate.Length(max=_MOST_ENTRIES)


class TableJson(Schema):
    """A table; its first row holds the headings."""

    title = PlainText(load_default="")
    rows = fields.List(fields.List(PlainText(), validate=_SOME), required=True, validate=_SOME)


class SectionJson(Schema):
    text = PlainText(load_default="")
    tables = fields.List(fields.Nested(TableJson()), load_default=list, validate=_SOME)


class ContactJson(Schema):
    name = PlainText(required=True)
    role = PlainText(load_default="")
    phone = PlainText(load_default="")


class SectionsJson(Schema):
    party_affairs = fields.Nested(SectionJson(), load_default=dict)
    village_affairs = fields.Nested(SectionJson(), load_default=dict)
    finances = fields.Nested(SectionJson(), load_default=dict)


assert set(SectionsJson().fields) == set(SectionKind)


class ContentJson(Schema):
    """What a letter says; a draft may lack any of it."""

    title = PlainText(load_default="")
    period_from = fields.Date(load_default=None, allow_none=True)
    period_to = fields.Date(load_default=None, allow_none=True)
    greeting = PlainText(load_default="")
    work_done = fields.List(PlainText(), load_default=list, validate=_SOME)
    sections = fields.Nested(SectionsJson(), load_default=dict)
    promises = fields.List(PlainText(), load_default=list, validate=_SOME)
    contacts = fields.List(fields.Nested(ContactJson()), load_default=list, validate=_SOME)
    answer_by = fields.Date(load_default=None, allow_none=True)
    reply_place = PlainText(load_default="")


class _LetterIn(Schema):
    content = fields.Nested(ContentJson(), required=True)
    campaign_id = fields.Integer(load_default=None, allow_none=True, validate=_ID)

    @post_load
    def read(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"content": content_of(data["content"])}


class LetterIn(_LetterIn):
    organization_code = PlainText(required=True, validate=_CODE)


class DraftIn(_LetterIn):
    """`revision` is the one that the caller has seen."""

    revision = fields.Integer(required=True, validate=_ID)


class LetterRemarkIn(Schema):
    remark = PlainText(load_default="", validate=validate.Length(max=MOST_REMARK))


class WithdrawalIn(Schema):
    reason = PlainText(load_default="", validate=validate.Length(max=MOST_REMARK))


class LetterQuery(CursorIn):
    state = fields.Enum(LetterState, by_value=True, load_default=None)
    organization = PlainText(load_default=None, data_key="organization", validate=_CODE)

    @post_load
    def name(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"organization_code": data.pop("organization")}


class LetterPrintIn(Schema):
    """`codes` says whose code stands on the letter; households are named by a range of serials."""

    size = fields.Enum(PaperSize, by_value=True, load_default=PaperSize.NORMAL)
    codes = fields.Enum(Codes, by_value=True, load_default=Codes.POSTED)
    first = fields.Integer(load_default=1, validate=_ID)
    count = fields.Integer(load_default=MOST_SHEETS, validate=validate.Range(1, MOST_SHEETS))


class LetterRowOut(Schema):
    """A letter in a list; `url` is null until it is published."""

    id = fields.Integer(required=True)
    organization_code = fields.String(required=True)
    organization_name = fields.String(required=True)
    title = fields.String(required=True)
    state = fields.String(required=True)
    version = fields.Integer(required=True)
    revision = fields.Integer(required=True)
    campaign_id = fields.Integer(required=True, allow_none=True)
    url = fields.String(required=True, allow_none=True)
    published_at = fields.AwareDateTime(required=True, allow_none=True)
    readings = fields.Integer(required=True)


class LettersPage(Schema):
    items = fields.List(fields.Nested(LetterRowOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class LetterVersionOut(Schema):
    number = fields.Integer(required=True)
    hash = fields.String(required=True)
    changed_at = fields.AwareDateTime(required=True)
    submitted_at = fields.AwareDateTime(required=True, allow_none=True)
    decision = fields.String(required=True, allow_none=True)
    remark = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    content = fields.Nested(ContentJson(), required=True)


class LetterOut(LetterRowOut):
    """A letter with all its versions, the newest first."""

    versions = fields.List(fields.Nested(LetterVersionOut()), required=True)


class ReadingDay(Schema):
    day = fields.Date(required=True)
    count = fields.Integer(required=True)


class ReadingsOut(Schema):
    total = fields.Integer(required=True)
    days = fields.List(fields.Nested(ReadingDay()), required=True)
