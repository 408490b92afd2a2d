"""The JSON form of stations."""

from survey_service.core.marshalling import PlainText, Schema, fields, validate
from survey_service.organizations.rules import MAX_CODE_LENGTH

MOST_STATIONS = 50


class StationsIn(Schema):
    """Where a staff member is stationed; an empty list takes all away."""

    organization_codes = fields.List(
        PlainText(validate=validate.Length(min=1, max=MAX_CODE_LENGTH)),
        required=True,
        validate=validate.Length(max=MOST_STATIONS),
    )


class StationOut(Schema):
    code = fields.String(required=True)
    name = fields.String(required=True)


class StationsOut(Schema):
    items = fields.List(fields.Nested(StationOut()), required=True)
