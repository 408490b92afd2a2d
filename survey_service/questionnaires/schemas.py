"""The JSON form of a questionnaire."""

from decimal import Decimal
from typing import Any

from survey_service.core.marshalling import (
    DecimalText,
    Pattern,
    PlainText,
    Schema,
    fields,
    post_load,
    validate,
)
from survey_service.core.texts import text
from survey_service.questionnaires.kinds import KINDS
from survey_service.questionnaires.option_sets import Option
from survey_service.questionnaires.rules import MAX_TEXT_LENGTH, Item, Row, ShowIf

KEY = Pattern(r"^[A-Za-z][A-Za-z0-9_-]{0,63}$", error=text("questionnaires.bad_key"))
MAX_WEIGHT = 1000
SENTENCE = validate.Length(min=1, max=500)


class RowSchema(Schema):
    key = fields.String(required=True, validate=KEY)
    text = PlainText(required=True, validate=SENTENCE)
    weight = DecimalText(minimum=0, maximum=MAX_WEIGHT, allow_none=True, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Row:
        return Row(**data)


class OptionSchema(Schema):
    key = fields.String(required=True, validate=KEY)
    label = PlainText(required=True, validate=validate.Length(min=1, max=100))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Option:
        return Option(coefficient=None, **data)


class ShowIfSchema(Schema):
    item = fields.String(required=True)
    options = fields.List(fields.String(), required=True, validate=validate.Length(min=1, max=20))

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> ShowIf:
        return ShowIf(item=data["item"], options=tuple(data["options"]))


class ItemSchema(Schema):
    """One question. Which fields matter depends on its kind."""

    key = fields.String(required=True, validate=KEY)
    kind = fields.String(required=True)
    text = PlainText(required=True, validate=SENTENCE)
    hint = PlainText(load_default="", validate=validate.Length(max=500))
    required = fields.Boolean(load_default=False)
    weight = DecimalText(minimum=0, maximum=MAX_WEIGHT)
    """Left out it is 1 for a kind that scores: a rating that counts for nothing has to be asked for."""
    option_set = fields.String(allow_none=True, load_default=None)
    options = fields.List(fields.Nested(OptionSchema()), load_default=list, validate=validate.Length(max=30))
    rows = fields.List(fields.Nested(RowSchema()), load_default=list)
    max_length = fields.Integer(load_default=MAX_TEXT_LENGTH)
    minimum = DecimalText(allow_none=True, load_default=None)
    maximum = DecimalText(allow_none=True, load_default=None)
    max_choices = fields.Integer(allow_none=True, load_default=None, validate=validate.Range(min=1))
    show_if = fields.Nested(ShowIfSchema(), allow_none=True, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Item:
        kind = KINDS.get(data["kind"])
        data.setdefault("weight", Decimal(1 if kind and kind.scores else 0))
        return Item(**data | {"options": tuple(data["options"]), "rows": tuple(data["rows"])})


class QuestionnaireIn(Schema):
    title = PlainText(required=True, validate=validate.Length(min=1, max=200))
    items = fields.List(fields.Nested(ItemSchema()), required=True)


class QuestionnaireOut(Schema):
    id = fields.Integer(required=True)
    version = fields.Integer(required=True)


class QuestionnaireSummary(QuestionnaireOut):
    title = fields.String(required=True)
    is_frozen = fields.Boolean(required=True)


class QuestionnaireDetail(QuestionnaireSummary):
    items = fields.List(fields.Nested(ItemSchema()), required=True)


class QuestionnairePage(Schema):
    items = fields.List(fields.Nested(QuestionnaireSummary()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
