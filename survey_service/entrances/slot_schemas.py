"""The JSON form of codes at scale: household codes by group, and slots by their serials."""

from typing import Any

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.subjects import MAX_SUBJECTS
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
from survey_service.entrances.issuing import MAX_HOUSEHOLDS_PER_SUBJECT, Households
from survey_service.entrances.rules import MAX_GROUP_LENGTH, EntranceMode, RevokedAs
from survey_service.entrances.schemas import CODE
from survey_service.entrances.serials import read_serials
from survey_service.entrances.slots import ChosenSlots

MAX_GROUPS = 50_000
SlotMode = [mode for mode in EntranceMode if mode is not EntranceMode.OPEN]


class HouseholdsIn(Schema):
    organization_code = PlainText(required=True, validate=CODE)
    group = PlainText(load_default="", validate=validate.Length(max=MAX_GROUP_LENGTH))
    count = fields.Integer(required=True, validate=validate.Range(1, MAX_HOUSEHOLDS_PER_SUBJECT))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Households:
        return Households(**data)


class HouseholdCodesIn(Schema):
    """The households of each group, or organizations whose roster says how many there are."""

    items = fields.List(fields.Nested(HouseholdsIn()), validate=validate.Length(1, MAX_GROUPS))
    organization_codes = fields.List(PlainText(validate=CODE), validate=validate.Length(1, MAX_SUBJECTS))

    @validates_schema
    def check_source(self, data: dict[str, object], **_: object) -> None:
        if ("items" in data) == ("organization_codes" in data):
            raise ValidationError({"items": [text("entrances.one_source")]})


class HouseholdCodesOut(Schema):
    codes = fields.Integer(required=True)
    organizations = fields.Integer(required=True)


class SlotsIn(Schema):
    """Slots of one organization; `serials` is a list such as `1-20、25`."""

    organization_code = PlainText(required=True, validate=CODE)
    mode = fields.Enum(EntranceMode, by_value=True, required=True, validate=validate.OneOf(SlotMode))
    rater_class = fields.Enum(RaterClass, by_value=True, load_default=RaterClass.VILLAGER)
    serials = PlainText(required=True, validate=validate.Length(1, 2_000))

    @post_load
    def choose(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        serials = read_serials(data.pop("serials"))
        if serials is None:
            raise ValidationError({"serials": [text("entrances.bad_serials")]})
        mode, rater_class = Mode(data.pop("mode")), data.pop("rater_class")
        chosen = ChosenSlots(data.pop("organization_code"), mode, rater_class, serials)
        return data | {"chosen": chosen}


class RevokeIn(SlotsIn):
    revoked_as = fields.Enum(RevokedAs, by_value=True, required=True, data_key="as")


class SlotsOut(Schema):
    count = fields.Integer(required=True)


class SerialsQuery(Schema):
    mode = fields.Enum(
        EntranceMode,
        by_value=True,
        load_default=EntranceMode.HOUSEHOLD,
        validate=validate.OneOf(SlotMode),
    )
    organization_code = PlainText(load_default=None, validate=CODE)
