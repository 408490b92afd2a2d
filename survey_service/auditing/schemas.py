"""The JSON form of the audit trail."""

from survey_service.core.marshalling import Schema, fields


class EntryOut(Schema):
    """One act; a refused one has `{"refused": code}` as `after`. `digest` covers everything else."""

    seq = fields.Integer(required=True)
    at = fields.String(required=True, metadata={"format": "date-time"})
    actor = fields.String(required=True)
    action = fields.String(required=True)
    target = fields.String(required=True)
    before = fields.Dict(required=True, allow_none=True)
    after = fields.Dict(required=True, allow_none=True)
    previous = fields.String(required=True)
    digest = fields.String(required=True)


class EntryPage(Schema):
    items = fields.List(fields.Nested(EntryOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
