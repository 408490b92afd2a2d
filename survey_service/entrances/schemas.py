"""The JSON form of entrances and posters."""

from survey_service.campaigns.rules import RaterClass
from survey_service.core.marshalling import Schema, ValidationError, fields, validate, validates_schema
from survey_service.core.texts import text
from survey_service.entrances.rules import EntranceMode, Layout
from survey_service.entrances.service import MAX_COUNT

CODE = validate.Length(min=1, max=32)


class EntrancesIn(Schema):
    organization_code = fields.String(validate=CODE)
    organization_codes = fields.List(fields.String(validate=CODE), validate=validate.Length(min=1, max=5_000))
    mode = fields.Enum(EntranceMode, by_value=True, required=True)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    count = fields.Integer(load_default=1, validate=validate.Range(1, MAX_COUNT))
    place = fields.String(load_default="", validate=validate.Length(max=100))

    @validates_schema
    def check_target(self, data: dict[str, object], **_: object) -> None:
        if ("organization_code" in data) == ("organization_codes" in data):
            raise ValidationError({"organization_code": [text("entrances.one_target")]})


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
    organization_code = fields.String(required=True, validate=CODE)


class PosterIn(Schema):
    organization_code = fields.String(required=True, validate=CODE)
    layout = fields.Enum(Layout, by_value=True, required=True)
    count = fields.Integer(validate=validate.Range(1, MAX_COUNT))


class IdempotencyKey(Schema):
    key = fields.String(data_key="Idempotency-Key", load_default=None, validate=validate.Length(max=128))
