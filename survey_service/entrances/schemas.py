"""The JSON form of entrances and posters."""

from typing import Any

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.subjects import MAX_SUBJECTS
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    PlainText,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
    validates_schema,
)
from survey_service.core.texts import text
from survey_service.entrances.rules import EntranceMode, Layout
from survey_service.entrances.service import MAX_COUNT
from survey_service.entrances.sittings import MAX_CAMPAIGNS
from survey_service.organizations.rules import MAX_CODE_LENGTH

CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)


class EntrancesIn(Schema):
    """Entrances for one organization or for several, `count` for each; `place` is where a code will hang.

    `also_campaign_ids` are further campaigns of the same owner that the same panel codes rate.
    """

    organization_code = PlainText(validate=CODE)
    organization_codes = fields.List(
        PlainText(validate=CODE), validate=validate.Length(min=1, max=MAX_SUBJECTS)
    )
    mode = fields.Enum(EntranceMode, by_value=True, required=True)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    count = fields.Integer(load_default=1, validate=validate.Range(1, MAX_COUNT))
    place = PlainText(load_default="", validate=validate.Length(max=100))
    also_campaign_ids = fields.List(
        fields.Integer(validate=validate.Range(1, MAX_ID)),
        load_default=list,
        validate=validate.Length(max=MAX_CAMPAIGNS),
    )

    @validates_schema
    def check_target(self, data: dict[str, object], **_: object) -> None:
        if ("organization_code" in data) == ("organization_codes" in data):
            raise ValidationError({"organization_code": [text("entrances.one_target")]})

    @post_load
    def name_all(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        codes = data.pop("organization_codes", None) or [data.pop("organization_code")]
        return data | {"organization_codes": list(dict.fromkeys(codes)), "mode": Mode(data["mode"])}


class EntranceItem(Schema):
    code = fields.String(required=True)
    serial = fields.Integer(allow_none=True)
    url = fields.String(required=True)
    mode = fields.String(required=True)
    organization_code = fields.String(required=True)
    rater_class = fields.String(required=True)
    place = fields.String(required=True)


class EntrancesOut(Schema):
    items = fields.List(fields.Nested(EntranceItem()), required=True)


class PreviewIn(Schema):
    organization_code = PlainText(required=True, validate=CODE)


class PosterIn(Schema):
    """`place` chooses among several posted codes of a poster, `count` says how many codes a sheet has."""

    organization_code = PlainText(required=True, validate=CODE)
    layout = fields.Enum(Layout, by_value=True, required=True)
    place = PlainText(validate=validate.Length(max=100))
    count = fields.Integer(validate=validate.Range(1, MAX_COUNT))


class IdempotencyKey(Schema):
    key = fields.String(
        data_key="Idempotency-Key", load_default=None, validate=validate.Length(min=1, max=128)
    )
