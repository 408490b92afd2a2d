"""The JSON form of a campaign."""

from datetime import UTC, datetime
from typing import Any

from survey_service.campaigns.rules import (
    MIN_CELL_FLOOR,
    EmptyClass,
    LiveScores,
    Mode,
    OpenRequires,
    RaterClass,
    Revote,
)
from survey_service.core import clock
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    INCLUDE,
    ByKey,
    DecimalText,
    PlainText,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
)
from survey_service.core.plain_text import is_clean
from survey_service.core.texts import text
from survey_service.organizations.rules import MAX_CODE_LENGTH, MAX_SIZE, SubjectKind

TITLE = validate.Length(min=1, max=200)
CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)
NOTICE = validate.Length(max=4000)
MAX_WEIGHT = 1000
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def moment(**options: Any) -> fields.AwareDateTime:
    """A time with its offset; one without is a time in Shanghai."""
    return fields.AwareDateTime(
        default_timezone=clock.SHANGHAI, validate=validate.Range(EARLIEST, LATEST), **options
    )


class FormulaIn(Schema):
    """How ballots become a score; what is left out takes the presets of the used option sets.

    `counts_households` says that households are the eligible of the class villager; left out, they are
    where the mode household is given a weight.
    """

    coefficients = ByKey(keys=PlainText())
    positive = fields.Raw()
    count_not_informed = fields.Boolean()
    count_abstained = fields.Boolean()
    class_weights = ByKey(
        keys=fields.String(validate=validate.OneOf(list(RaterClass))),
        values=DecimalText(minimum=0, maximum=MAX_WEIGHT),
        required=True,
    )
    mode_weights = ByKey(
        keys=fields.String(validate=validate.OneOf(list(Mode))),
        values=DecimalText(minimum=0, maximum=MAX_WEIGHT),
    )
    min_class = fields.Integer(validate=validate.Range(0, 100_000))
    min_ballots = fields.Integer(validate=validate.Range(0, 1_000_000))
    empty_class = fields.String(validate=validate.OneOf(list(EmptyClass)))
    min_response_rate = fields.Raw()
    counts_households = fields.Boolean()

    @post_load
    def check_raw_fields(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        positive = data.get("positive")
        if positive is not None and not _is_list_of_options(positive):
            raise ValidationError({"positive": [text("campaigns.bad_positive")]})
        return data


def _is_list_of_options(value: Any) -> bool:
    lists = value.values() if isinstance(value, dict) else [value]
    return all(isinstance(one, list) and all(map(_is_option_key, one)) for one in lists)


def _is_option_key(value: Any) -> bool:
    return isinstance(value, str) and is_clean(value)


class CampaignIn(Schema):
    title = PlainText(required=True, validate=TITLE)
    questionnaire_id = fields.Integer(required=True, validate=validate.Range(1, MAX_ID))
    organization_codes = fields.List(PlainText(validate=CODE))
    under = PlainText(validate=CODE)
    opens_at = moment(required=True)
    closes_at = moment(required=True)
    formula = fields.Nested(FormulaIn(), required=True)
    min_cell = fields.Integer(validate=validate.Range(MIN_CELL_FLOOR, 1000))
    live_scores = fields.Enum(LiveScores, by_value=True)
    dispute_permille = fields.Integer(validate=validate.Range(0, 1000))
    revote = fields.Enum(Revote, by_value=True)
    eligible = ByKey(
        keys=PlainText(),
        values=ByKey(
            keys=fields.String(validate=validate.OneOf(list(RaterClass))),
            values=fields.Integer(strict=True, validate=validate.Range(0, MAX_SIZE)),
        ),
    )
    subject_type = fields.Enum(SubjectKind, by_value=True)
    open_requires = fields.Enum(OpenRequires, by_value=True)
    grace_hours = fields.Integer(validate=validate.Range(0, 720))
    notice = PlainText(validate=NOTICE)


class CopyIn(Schema):
    title = PlainText(required=True, validate=TITLE)
    opens_at = moment(required=True)
    closes_at = moment(required=True)


class CorrectionIn(Schema):
    """What can be corrected after launch; any other field is told to be frozen."""

    class Meta:
        unknown = INCLUDE

    title = PlainText(validate=TITLE)
    notice = PlainText(validate=NOTICE)
    closes_at = moment()
    reason = PlainText(required=True, validate=validate.Length(min=1, max=500))

    @post_load
    def set_others_apart(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        others = data.keys() - self.fields.keys()
        return {name: data[name] for name in data.keys() - others} | {"others": sorted(others)}


class RecordingIn(Schema):
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class CampaignState(Schema):
    id = fields.Integer(required=True)
    state = fields.String(required=True)


class LaunchOut(Schema):
    state = fields.String(required=True)
    formula_hash = fields.String(required=True)
    warnings = fields.List(fields.String(), required=True)


class CampaignOut(Schema):
    id = fields.Integer(required=True)
    title = fields.String(required=True)
    notice = fields.String(required=True)
    state = fields.String(required=True)
    subject_type = fields.String(required=True, attribute="subject_kind")
    opens_at = fields.AwareDateTime(required=True)
    closes_at = fields.AwareDateTime(required=True)
    closed_at = fields.AwareDateTime(required=True, allow_none=True)
    grace_hours = fields.Integer(required=True)
    open_requires = fields.String(required=True)
    revote = fields.String(required=True)
    min_cell = fields.Integer(required=True)
    live_scores = fields.String(required=True)
    dispute_permille = fields.Integer(required=True)
    formula = fields.Dict(required=True)
    formula_hash = fields.String(required=True, allow_none=True)


class QuestionnaireUsed(Schema):
    id = fields.Integer(required=True)
    version = fields.Integer(required=True)


class SubjectOut(Schema):
    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    eligible = fields.Dict(keys=fields.String(), values=fields.Integer(allow_none=True), required=True)


class CorrectionOut(Schema):
    at = fields.AwareDateTime(required=True)
    field = fields.String(required=True)
    before = fields.String(required=True)
    after = fields.String(required=True)
    reason = fields.String(required=True)


class CampaignDetail(CampaignOut):
    """A campaign with its form, the subjects of one's own sub-tree, and what was corrected after launch."""

    questionnaire = fields.Nested(QuestionnaireUsed(), required=True)
    subjects = fields.List(fields.Nested(SubjectOut()), required=True)
    corrections = fields.List(fields.Nested(CorrectionOut()), required=True)


class CampaignPage(Schema):
    items = fields.List(fields.Nested(CampaignOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)
