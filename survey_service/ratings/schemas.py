"""The JSON form of schemes, cycles, sheets, grades and decisions."""

from typing import Any

from survey_service.campaigns.schemas import CODE, TITLE
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    ByKey,
    DecimalText,
    Pattern,
    PlainText,
    Schema,
    fields,
    post_load,
    validate,
)
from survey_service.core.paging import CursorIn
from survey_service.ratings.documents import CODE_PATTERN, GRADE_PATTERN, MAX_POINTS
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES
from survey_service.ratings.vocabulary import DecisionKind, Level, MoveKind, StepKind

_REASON = validate.Length(min=1, max=1000)
_REMARK = validate.Length(max=1000)
_ID = validate.Range(1, MAX_ID)
_MOST_ENTRIES = 1000


def _key() -> fields.String:
    return fields.String(validate=Pattern(CODE_PATTERN))


def points_by_code(**options: Any) -> ByKey:
    points = DecimalText(minimum=0, maximum=MAX_POINTS, **options)
    return ByKey(keys=_key(), values=points, validate=validate.Length(max=_MOST_ENTRIES))


def _year(**options: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(2000, 2100), **options)


class SchemeIn(Schema):
    """A scheme as the text of its YAML file."""

    source = fields.String(required=True, validate=validate.Length(min=1, max=MAX_SCHEME_BYTES))


class SchemeRow(Schema):
    """`locked` tells that a cycle runs on this version."""

    code = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.String(required=True)
    locked = fields.Boolean(required=True)
    hash = fields.String(required=True)
    is_preset = fields.Boolean(required=True)
    assumptions = fields.List(fields.String(), required=True)
    """The places whose values no published text gives: the owner decides them before the scheme is used."""


class SchemePage(Schema):
    items = fields.List(fields.Nested(SchemeRow()), required=True)


class SchemeDetail(SchemeRow):
    """The same with what was understood of the file, and its text."""

    document = fields.Dict(required=True)
    source = fields.String(required=True)


class SchemeVersionIn(Schema):
    version = fields.Integer(validate=validate.Range(1, 1_000_000))


class JsonSchemaOut(Schema):
    """A JSON Schema (draft 2020-12)."""

    schema = fields.String(data_key="$schema", required=True)
    reference = fields.String(data_key="$ref", required=True)
    definitions = fields.Dict(data_key="$defs", required=True)


class CycleIn(Schema):
    scheme = fields.String(required=True, validate=Pattern(CODE_PATTERN))
    version = fields.Integer(validate=validate.Range(1, 1_000_000), allow_none=True)
    title = PlainText(required=True, validate=TITLE)
    organization_codes = fields.List(
        fields.String(validate=CODE), validate=validate.Length(min=1), allow_none=True
    )
    under = fields.String(validate=CODE, allow_none=True)
    campaign_id = fields.Integer(validate=_ID, allow_none=True)
    year = _year(allow_none=True)


class CycleOpened(Schema):
    id = fields.Integer(required=True)
    step = fields.String(required=True, allow_none=True)
    warnings = fields.List(fields.String(), required=True)


class CycleRow(Schema):
    """`step` is the step that is due, None when all are done."""

    id = fields.Integer(required=True)
    title = fields.String(required=True)
    year = fields.Integer(required=True)
    scheme = fields.String(required=True)
    scheme_title = fields.String(required=True)
    version = fields.Integer(required=True)
    hash = fields.String(required=True)
    campaign_id = fields.Integer(required=True, allow_none=True)
    step = fields.String(required=True, allow_none=True)
    is_final = fields.Boolean(required=True)


class CyclePage(Schema):
    items = fields.List(fields.Nested(CycleRow()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class StepOut(Schema):
    code = fields.String(required=True)
    title = fields.String(required=True)
    kind = fields.Enum(StepKind, by_value=True, required=True)
    by = fields.Enum(Level, by_value=True, required=True)
    actor = fields.String(required=True)
    decides = fields.Boolean(required=True)
    is_done = fields.Boolean(required=True)
    begun_on = fields.Date(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)


class MoveOut(Schema):
    kind = fields.Enum(MoveKind, by_value=True, required=True)
    step = fields.String(required=True)
    remark = fields.String(required=True)
    at = fields.AwareDateTime(required=True)


class RewardOut(Schema):
    """How many receive a reward, and the sum of a year."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    unit = fields.String(required=True)
    count = fields.Integer(required=True)
    sum = fields.String(required=True)


class ObjectionOut(Schema):
    id = fields.Integer(required=True)
    text = fields.String(required=True)
    received_at = fields.AwareDateTime(required=True)
    outcome = fields.String(required=True, allow_none=True)


class CycleDetail(CycleRow):
    """The same with its steps, their history, the assumptions of its scheme, and what follows from it."""

    steps = fields.List(fields.Nested(StepOut()), required=True)
    moves = fields.List(fields.Nested(MoveOut()), required=True)
    assumptions = fields.List(fields.String(), required=True)
    phase = fields.String(required=True, allow_none=True)
    rewards = fields.List(fields.Nested(RewardOut()), required=True)
    objections = fields.List(fields.Nested(ObjectionOut()), required=True)


class SheetIn(Schema):
    """Entries by indicator; None takes an entry away, and what is not named stays."""

    by = fields.Enum(Level, by_value=True, required=True)
    points = points_by_code(allow_none=True)
    choices = ByKey(
        keys=_key(),
        values=fields.String(validate=Pattern(CODE_PATTERN), allow_none=True),
        validate=validate.Length(max=_MOST_ENTRIES),
    )
    checks = ByKey(
        keys=_key(),
        values=fields.List(_key(), allow_none=True),
        validate=validate.Length(max=_MOST_ENTRIES),
    )
    notes = ByKey(
        keys=_key(),
        values=PlainText(allow_none=True, validate=_REMARK),
        validate=validate.Length(max=_MOST_ENTRIES),
    )


class SheetOut(Schema):
    """`total` is what the sheet comes to, without what a campaign gives; None while it is not complete."""

    organization_code = fields.String(required=True)
    by = fields.Enum(Level, by_value=True, required=True)
    total = fields.String(required=True, allow_none=True)


class FindingsIn(Schema):
    """`findings` are restrictions that apply, each with a note; `excluded` is a reason, None ends it."""

    findings = ByKey(keys=_key(), values=PlainText(validate=_REMARK))
    bonus = points_by_code()
    penalty = points_by_code()
    excluded = PlainText(allow_none=True, validate=_REASON)
    field = fields.String(allow_none=True, validate=Pattern(CODE_PATTERN))


class FindingsOut(Schema):
    organization_code = fields.String(required=True)
    excluded = fields.String(required=True, allow_none=True)
    field = fields.String(required=True, allow_none=True)
    findings = fields.Dict(required=True)


class ComparedEntry(Schema):
    """An indicator as the levels have filled it in, side by side."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    maximum = fields.String(required=True)
    source = fields.String(required=True)
    scored_by = fields.List(fields.Enum(Level, by_value=True), required=True)
    self_ = fields.Raw(data_key="self", required=True, allow_none=True)
    town = fields.Raw(required=True, allow_none=True)
    county = fields.Raw(required=True, allow_none=True)
    differs = fields.Boolean(required=True)
    notes = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class RatedSubjectOut(FindingsOut):
    """`submitted` names the levels whose sheets are handed in."""

    name = fields.String(required=True)
    submitted = fields.List(fields.String(), required=True)
    totals = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)
    entries = fields.List(fields.Nested(ComparedEntry()), required=True)


class GradeRow(Schema):
    """`needs_decision` tells that the order of merit cannot tell equals apart across a line."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    field = fields.String(required=True, allow_none=True)
    total = fields.String(required=True, allow_none=True)
    grade_by_score = fields.String(required=True, allow_none=True)
    grade_proposed = fields.String(required=True, allow_none=True)
    grade_final = fields.String(required=True, allow_none=True)
    excluded = fields.String(required=True, allow_none=True)
    needs_decision = fields.Boolean(required=True)
    blocked = fields.List(fields.String(), required=True)
    levels = fields.Dict(keys=fields.String(), values=fields.String(allow_none=True), required=True)
    mass_score = fields.String(required=True, allow_none=True)
    mass = fields.Dict(required=True, allow_none=True)
    reasons = fields.List(fields.String(), required=True)


class GradesIn(CursorIn):
    """Without a cursor all rows come at once; `cursor=0` begins with the first page of a hundred."""

    @post_load
    def read(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        is_paged = bool(data["cursor"])
        return {"cursor": super().read(data)["after"] if is_paged else None}


class GradeTable(Schema):
    """`is_final` tells whether grades are decided; until then they are a draft.

    `is_stale`: the rows of a page are those before the newest entries, which are being worked out.
    """

    scheme = fields.String(required=True)
    hash = fields.String(required=True)
    is_final = fields.Boolean(required=True)
    is_stale = fields.Boolean(required=True)
    items = fields.List(fields.Nested(GradeRow()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class GradeDecisionOut(Schema):
    number = fields.Integer(required=True)
    kind = fields.Enum(DecisionKind, by_value=True, required=True)
    grade = fields.String(required=True)
    grade_proposed = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    trigger = fields.String(required=True, allow_none=True)
    at = fields.AwareDateTime(required=True)


class TraceOut(Schema):
    """`proposal` is canonical JSON, from the proposed grade down to the hash of the formula."""

    grade_final = fields.String(required=True, allow_none=True)
    decisions = fields.List(fields.Nested(GradeDecisionOut()), required=True)
    reasons = fields.List(fields.String(), required=True)
    proposal = fields.Dict(required=True)
    mass_evaluation = fields.Dict(required=True, allow_none=True)


class StepIn(Schema):
    remark = PlainText(load_default="", validate=_REMARK)


class StepMoved(Schema):
    id = fields.Integer(required=True)
    step = fields.String(required=True, allow_none=True)
    is_final = fields.Boolean(required=True)


class SendBackIn(Schema):
    to = fields.String(required=True, validate=Pattern(CODE_PATTERN))
    remark = PlainText(required=True, validate=_REASON)


class GradeDecisionIn(Schema):
    """`replaces` is the number of the decision that this one takes the place of."""

    grade = fields.String(required=True, validate=Pattern(GRADE_PATTERN))
    reason = PlainText(load_default="", validate=_REMARK)
    replaces = fields.Integer(validate=validate.Range(1, 1_000_000), allow_none=True)


class DowngradeIn(Schema):
    grade = fields.String(required=True, validate=Pattern(GRADE_PATTERN))
    trigger = fields.String(required=True, validate=Pattern(CODE_PATTERN))
    reason = PlainText(required=True, validate=_REASON)


class ObjectionIn(Schema):
    organization_code = fields.String(required=True, validate=CODE)
    text = PlainText(required=True, validate=validate.Length(min=1, max=4000))


class OutcomeIn(Schema):
    """`grade` where the objection is right: what is given instead."""

    outcome = PlainText(required=True, validate=_REASON)
    grade = fields.String(validate=Pattern(GRADE_PATTERN), allow_none=True)
