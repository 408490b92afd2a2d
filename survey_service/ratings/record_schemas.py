"""The JSON form of evidence, visits, sheets handed in and back, deadlines."""

from survey_service.core.marshalling import Pattern, PlainText, Schema, ValidationError, fields, validate
from survey_service.core.texts import text
from survey_service.ratings.documents import CODE_PATTERN
from survey_service.ratings.evidence import is_link
from survey_service.ratings.vocabulary import EvidenceKind, Level, VisitOutcome

REASON = validate.Length(min=1, max=1000)


def _require_link(url: str) -> None:
    if not is_link(url):
        raise ValidationError(text("ratings.not_a_link"))


class EvidenceFileIn(Schema):
    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class EvidencePlaceIn(Schema):
    """Which indicator of which sheet a file proves."""

    by = fields.Enum(Level, by_value=True, required=True)
    indicator = fields.String(required=True, validate=Pattern(CODE_PATTERN))


class EvidenceLinkIn(EvidencePlaceIn):
    url = fields.String(required=True, validate=validate.And(validate.Length(min=8, max=1000), _require_link))
    title = PlainText(load_default="", validate=validate.Length(max=120))


class EvidenceOut(Schema):
    """`size` in bytes, `hash` is the SHA-256 of a file."""

    id = fields.Integer(required=True)
    by = fields.Enum(Level, by_value=True, required=True, attribute="level")
    indicator = fields.String(required=True)
    kind = fields.Enum(EvidenceKind, by_value=True, required=True)
    title = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)
    content_type = fields.String(required=True, allow_none=True)
    size = fields.Integer(required=True, allow_none=True)
    hash = fields.String(required=True, allow_none=True, attribute="digest")
    added_at = fields.AwareDateTime(required=True)


class EvidencePage(Schema):
    items = fields.List(fields.Nested(EvidenceOut()), required=True)


class VisitIn(Schema):
    visited_on = fields.Date(required=True)
    visitors = PlainText(required=True, validate=validate.Length(min=1, max=200))
    outcome = fields.Enum(VisitOutcome, by_value=True, required=True)
    text = PlainText(required=True, validate=validate.Length(min=1, max=4000))


class VisitOut(Schema):
    id = fields.Integer(required=True)
    visited_on = fields.Date(required=True)
    visitors = fields.String(required=True)
    outcome = fields.Enum(VisitOutcome, by_value=True, required=True)
    text = fields.String(required=True, attribute="words")
    noted_at = fields.AwareDateTime(required=True)


class VisitDueOut(Schema):
    """`reasons`: `on_site` for a grade that is tied to a visit, `look_back` for one given years ago."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    reasons = fields.List(fields.String(), required=True)
    earlier_grade = fields.String(required=True, allow_none=True)
    is_done = fields.Boolean(required=True)


class VisitsDuePage(Schema):
    items = fields.List(fields.Nested(VisitDueOut()), required=True)


class LevelIn(Schema):
    by = fields.Enum(Level, by_value=True, required=True)


class ReturnIn(LevelIn):
    remark = PlainText(required=True, validate=REASON)


class SubmittedOut(Schema):
    """`submitted_at` is None for a sheet that is open."""

    organization_code = fields.String(required=True)
    by = fields.Enum(Level, by_value=True, required=True)
    submitted_at = fields.AwareDateTime(required=True, allow_none=True)


class ReturnOut(Schema):
    by = fields.Enum(Level, by_value=True, required=True, attribute="level")
    remark = fields.String(required=True)
    at = fields.AwareDateTime(required=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)


class DeadlineIn(Schema):
    due_on = fields.Date(required=True)


class DeadlineOut(Schema):
    """The last day of a step in Shanghai, and the day on which the step began."""

    step = fields.String(required=True)
    begun_on = fields.Date(required=True, allow_none=True)
    due_on = fields.Date(required=True, allow_none=True)
    is_late = fields.Boolean(required=True)


class FormOut(Schema):
    """A form that a cycle has; `of_subject` asks for `organization_code` in the address."""

    code = fields.String(required=True)
    title = fields.String(required=True)
    of_subject = fields.Boolean(required=True)


class FormPage(Schema):
    items = fields.List(fields.Nested(FormOut()), required=True)


class FormIn(Schema):
    """`due_on`: until when a health report asks for improvement."""

    organization_code = fields.String(load_default="", validate=validate.Length(max=64))
    due_on = fields.Date()


class SubjectRecords(Schema):
    """Everything around the sheets of one subject that the reader may see."""

    evidence = fields.List(fields.Nested(EvidenceOut()), required=True)
    visits = fields.List(fields.Nested(VisitOut()), required=True)
    returns = fields.List(fields.Nested(ReturnOut()), required=True)
