"""The JSON form of what-if, of the sensitivity of a ranking, of warnings and of the history."""

from typing import Any

from survey_service.campaigns.schemas import CODE, TITLE
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    DECIMAL_PATTERN,
    ByKey,
    DecimalText,
    Pattern,
    PlainText,
    Schema,
    ValidationError,
    fields,
    validate,
    validates_schema,
)
from survey_service.core.paging import CursorIn
from survey_service.core.texts import text
from survey_service.organizations.rules import SubjectKind
from survey_service.ratings.documents import CODE_PATTERN, GRADE_PATTERN, MAX_POINTS
from survey_service.ratings.grade_files import FORMAT
from survey_service.ratings.schemas import points_by_code
from survey_service.ratings.scheme_files import MAX_SCHEME_BYTES
from survey_service.ratings.vocabulary import Level, WarningKind

HEX_64 = Pattern(r"^[0-9a-f]{64}$")


def _decimals_by_grade(**options: Any) -> ByKey:
    number = DecimalText(minimum=0, **options)
    return ByKey(
        keys=fields.String(validate=Pattern(GRADE_PATTERN)), values=number, validate=validate.Length(max=20)
    )


class WhatIfIn(Schema):
    """Either a whole scheme as the text of its file, or single numbers; an empty share is taken away."""

    source = fields.String(validate=validate.Length(min=1, max=MAX_SCHEME_BYTES))
    points = points_by_code()
    bands = _decimals_by_grade(maximum=MAX_POINTS)
    max_percents = _decimals_by_grade(maximum=100, allow_none=True)
    min_percents = _decimals_by_grade(maximum=100, allow_none=True)


class SchemeFileIn(Schema):
    """A workbook as `GET /schemes/{code}/sheet` gives it, filled in."""

    file = fields.Raw(required=True, metadata={"type": "string", "format": "binary"})


class SchemeText(Schema):
    source = fields.String(required=True)


class GradeCount(Schema):
    grade = fields.String(required=True)
    title = fields.String(required=True)
    before = fields.Integer(required=True)
    after = fields.Integer(required=True)


class RewardChange(Schema):
    code = fields.String(required=True)
    title = fields.String(required=True)
    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True)


class MovedSubject(Schema):
    """`step` tells by how many grades it rises; below 0 it falls."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    field = fields.String(required=True, allow_none=True)
    total_before = fields.String(required=True, allow_none=True)
    total_after = fields.String(required=True, allow_none=True)
    grade_before = fields.String(required=True, allow_none=True)
    grade_after = fields.String(required=True, allow_none=True)
    step = fields.Integer(required=True)
    reasons = fields.List(fields.String(), required=True)


class GradeFlow(Schema):
    """How many go from one proposed grade to another; null is no grade."""

    before = fields.String(required=True, allow_none=True)
    after = fields.String(required=True, allow_none=True)
    count = fields.Integer(required=True)


class WhatIfOut(Schema):
    """What would follow; nothing of it is stored. `moved_elsewhere` counts those one may not see."""

    hash = fields.String(required=True)
    is_changed = fields.Boolean(required=True)
    base = fields.Integer(required=True)
    grades = fields.List(fields.Nested(GradeCount()), required=True)
    flows = fields.List(fields.Nested(GradeFlow()), required=True)
    rewards = fields.List(fields.Nested(RewardChange()), required=True)
    warnings = fields.List(fields.String(), required=True)
    moved = fields.List(fields.Nested(MovedSubject()), required=True)
    moved_elsewhere = fields.Integer(required=True)


class NextPlaced(Schema):
    organization_code = fields.String(required=True)
    difference = fields.String(required=True)
    is_distinguishable = fields.Boolean(required=True)
    is_parted = fields.Boolean(required=True)
    """They are proposed for different grades although they cannot be told apart."""


class PlacedSubject(Schema):
    """`interval` is of the total; `lines` are grades whose line lies inside it."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    grade = fields.String(required=True)
    total = fields.String(required=True)
    interval = fields.List(fields.String(), required=True, allow_none=True)
    lines = fields.List(fields.String(), required=True)
    next = fields.Nested(NextPlaced(), required=True, allow_none=True)


class SensitivityOut(Schema):
    """The ranking inside one's own sub-tree, from the best down."""

    items = fields.List(fields.Nested(PlacedSubject()), required=True)
    pairs = fields.Integer(required=True)
    indistinguishable = fields.Integer(required=True)
    parted = fields.Integer(required=True)
    has_intervals = fields.Boolean(required=True)


class WarningQuery(CursorIn):
    """`all`: those that are cleared as well, which is the log."""

    all_ = fields.Boolean(load_default=False, data_key="all")


WARNING_QUERY = WarningQuery()


class WarningOut(Schema):
    """`people` are those whose it is; a cleared one stays as the log."""

    id = fields.Integer(required=True)
    cycle_id = fields.Integer(required=True)
    cycle = fields.String(required=True)
    kind = fields.Enum(WarningKind, by_value=True, required=True)
    organization = fields.String(required=True)
    by = fields.Enum(Level, by_value=True, required=True)
    people = fields.List(fields.String(), required=True)
    text = fields.String(required=True)
    raised_at = fields.AwareDateTime(required=True)
    cleared_at = fields.AwareDateTime(required=True, allow_none=True)
    answer = fields.String(required=True, allow_none=True)
    answered_at = fields.AwareDateTime(required=True, allow_none=True)


class WarningPage(Schema):
    items = fields.List(fields.Nested(WarningOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WarningsChecked(Schema):
    standing = fields.Integer(required=True)


class AnswerIn(Schema):
    answer = PlainText(required=True, validate=validate.Length(min=1, max=1000))


class AnswerOut(Schema):
    id = fields.Integer(required=True)
    answer = fields.String(required=True)
    answered_at = fields.AwareDateTime(required=True)


class FileCycle(Schema):
    id = fields.Integer(required=True, validate=validate.Range(1, MAX_ID))
    title = PlainText(required=True, validate=TITLE)
    year = fields.Integer(required=True, validate=validate.Range(2000, 2100))
    decided_at = fields.String(required=True, validate=validate.Length(max=40))


class FileGrade(Schema):
    grade = fields.String(required=True, validate=Pattern(GRADE_PATTERN))
    title = PlainText(required=True, validate=validate.Length(min=1, max=200))


class FileScheme(Schema):
    """`grades` are all grades of the scheme, from the best down."""

    code = fields.String(required=True, validate=Pattern(CODE_PATTERN))
    version = fields.Integer(required=True, validate=validate.Range(1, 1_000_000))
    title = PlainText(required=True, validate=validate.Length(min=1, max=200))
    hash = fields.String(required=True, validate=HEX_64)
    maximum = fields.String(required=True, validate=Pattern(DECIMAL_PATTERN))
    grades = fields.List(fields.Nested(FileGrade()), required=True, validate=validate.Length(2, 20))


class FileRow(Schema):
    organization_code = fields.String(required=True, validate=CODE)
    name = PlainText(required=True, validate=validate.Length(min=1, max=200))
    field = fields.String(required=True, allow_none=True, validate=Pattern(CODE_PATTERN))
    total = fields.String(required=True, allow_none=True, validate=Pattern(DECIMAL_PATTERN))
    grade = fields.String(required=True, allow_none=True, validate=Pattern(GRADE_PATTERN))
    excluded = fields.Boolean(required=True)


class FileDocument(Schema):
    """Final grades; `version` rises with every grade that is changed after the decision."""

    format = fields.String(required=True, validate=validate.OneOf([FORMAT]))
    issuer = PlainText(required=True, validate=validate.Length(min=1, max=200))
    version = fields.Integer(required=True, validate=validate.Range(1, 1_000_000))
    cycle = fields.Nested(FileCycle(), required=True)
    scheme = fields.Nested(FileScheme(), required=True)
    subject_kind = fields.String(required=True, validate=validate.OneOf([kind.value for kind in SubjectKind]))
    grades = fields.List(fields.Nested(FileRow()), required=True, validate=validate.Length(min=1, max=50_000))

    @validates_schema
    def check_grades(self, data: dict[str, Any], **_: Any) -> None:
        """Refuse grades that the scheme of the file does not name."""
        known = {one["grade"] for one in data["scheme"]["grades"]}
        wrong = {
            position: {"grade": [text("rating_outlook.unknown_grade", grade=one["grade"])]}
            for position, one in enumerate(data["grades"])
            if one["grade"] is not None and one["grade"] not in known
        }
        if wrong:
            raise ValidationError({"grades": wrong})


class GradeFile(Schema):
    """Final grades with the signature (Ed25519, hexadecimal) over the canonical JSON of `document`."""

    document = fields.Nested(FileDocument(), required=True)
    digest = fields.String(required=True, validate=HEX_64)
    key = fields.String(required=True, validate=HEX_64)
    signature = fields.String(required=True, validate=Pattern(r"^[0-9a-f]{128}$"))


class GradeFileIn(Schema):
    """`key` is the sender's public key, as it was told by another way than the file."""

    file = fields.Nested(GradeFile(), required=True)
    key = fields.String(required=True, validate=HEX_64)


class GradesImported(Schema):
    imported = fields.Integer(required=True)


class PublicKeyOut(Schema):
    key = fields.String(required=True)
    algorithm = fields.String(required=True)


class HistoryRow(Schema):
    """`rank` is the place of the grade among all `grades` of its scheme, 0 being the best."""

    year = fields.Integer(required=True)
    scheme = fields.String(required=True)
    scheme_title = fields.String(required=True)
    subject_kind = fields.Enum(SubjectKind, by_value=True, required=True)
    grade = fields.String(required=True)
    grade_title = fields.String(required=True)
    rank = fields.Integer(required=True)
    grades = fields.Integer(required=True)
    total = fields.String(required=True, allow_none=True)
    maximum = fields.String(required=True)
    cycle_id = fields.Integer(required=True, allow_none=True)
    issuer = fields.String(required=True, allow_none=True)
    """Who signed the file that it came with; None for own cycles."""


class HistoryOut(Schema):
    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    items = fields.List(fields.Nested(HistoryRow()), required=True)
