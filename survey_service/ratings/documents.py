"""The form of a scheme's document: read from YAML, checked, and published as a JSON Schema.

The marshmallow schemas here are the one definition; `docs/rating-scheme.schema.json` and the address
`/api/v1/schemes/schema` are written from them.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Invalid
from survey_service.core.marshalling import (
    DECIMAL_PATTERN,
    ByKey,
    DecimalText,
    Flag,
    Pattern,
    PlainText,
    Schema,
    fields,
    validate,
)
from survey_service.core.texts import text
from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.ratings.scheme_checks import find_contradictions
from survey_service.ratings.scheme_files import Path, SchemeFault, SchemeFile, read_scheme_file
from survey_service.ratings.vocabulary import (
    Boundary,
    Level,
    MassRole,
    Measure,
    RestrictionKind,
    Source,
    StepKind,
    WhenMissing,
)

FORMAT = "rating-scheme/1"
CODE_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
GRADE_PATTERN = r"^[a-z0-9_一-鿿-]{1,20}$"
MAX_POINTS = 1_000_000
MAX_LIST = 500

_CODE = Pattern(CODE_PATTERN, error=text("ratings.scheme_code"))
_GRADE = Pattern(GRADE_PATTERN, error=text("ratings.scheme_grade"))
_TITLE = validate.Length(min=1, max=200, error=text("ratings.scheme_length", most=200))
_SOME = validate.Length(min=1, max=MAX_LIST, error=text("ratings.scheme_some", most=MAX_LIST))
_BANDS = validate.Length(min=2, max=20, error=text("ratings.scheme_bands"))


def _word(kind: type[StrEnum], **options: Any) -> fields.Enum[Any]:
    """Return a field for one word of a closed list, which names the list to whoever writes another."""
    known = text("ratings.scheme_words", known="、".join(kind))
    return fields.Enum(kind, by_value=True, error_messages={"unknown": known}, **options)


def _list(inner: Any, **options: Any) -> fields.List[Any]:
    return fields.List(inner, error_messages={"invalid": text("ratings.scheme_list")}, **options)


def _code(**options: Any) -> fields.String:
    return fields.String(required=True, validate=_CODE, **options)


def _title() -> PlainText:
    return PlainText(required=True, validate=_TITLE)


def _grade(**options: Any) -> fields.String:
    return fields.String(validate=_GRADE, **{"required": True} | options)


def _points(**options: Any) -> DecimalText:
    return DecimalText(minimum=0, maximum=MAX_POINTS, **options)


def _count(least: int, most: int, **options: Any) -> fields.Integer:
    """Return a field for a whole number; one in quotation marks is a text, as in the JSON Schema."""
    sentence = text("ratings.scheme_count", least=least, most=most)
    return fields.Integer(
        strict=True,
        validate=validate.Range(least, most, error=sentence),
        error_messages={"invalid": sentence},
        **options,
    )


def _grades() -> fields.List[Any]:
    return _list(_grade(), required=True, validate=_SOME)


class Titled(Schema):
    """A code with its words."""

    code = _code()
    title = _title()


class FieldDocument(Titled):
    """A field with its own standards; organizations of the kinds named belong to it unless told otherwise."""

    kinds = _list(_word(OrganizationKind), validate=_SOME)


class SubjectDocument(Schema):
    kind = _word(SubjectKind, required=True)
    title = _title()


class ScaleDocument(Schema):
    """The most that the indicators give together, and how totals are held against the bands."""

    maximum = _points(required=True)
    boundary = _word(Boundary, load_default=Boundary.HALF_OPEN)


class MassDocument(Schema):
    role = _word(MassRole, required=True)
    measure = _word(Measure, load_default=Measure.SCORE)
    when_missing = _word(WhenMissing, load_default=WhenMissing.BLOCK)


class OptionDocument(Titled):
    """`share` of the indicator's points: 1 is all of them."""

    share = DecimalText(required=True, minimum=0, maximum=1)


class IndicatorDocument(Schema):
    """An indicator; with children its points are what theirs are scaled to, or left out, their sum.

    `evidence` asks for a note, a file or a link wherever points are entered. `scored_by` names the levels
    that fill it in; left out, every level does.
    """

    code = _code()
    title = _title()
    points = _points()
    source = _word(Source, load_default=Source.POINTS)
    fields_ = _list(fields.String(validate=_CODE), data_key="fields", validate=_SOME)
    options = _list(fields.Nested(OptionDocument()), validate=_SOME)
    checks = _list(fields.Nested(Titled()), validate=_SOME)
    evidence = Flag()
    scored_by = _list(_word(Level), validate=_SOME)
    children = _list(fields.Nested(lambda: IndicatorDocument()), validate=_SOME)


class AdjustmentDocument(Titled):
    points = _points(required=True)


class AdjustmentsDocument(Schema):
    title = _title()
    cap = _points()
    items = _list(fields.Nested(AdjustmentDocument()), required=True, validate=_SOME)


class BandDocument(Schema):
    """`min` is the total from which on the grade is given."""

    grade = _grade()
    title = _title()
    min = _points(required=True)


class RestrictionDocument(Titled):
    kind = _word(RestrictionKind, required=True)
    grades = _grades()


class CapDocument(Schema):
    measure = _word(Measure, required=True)
    below = DecimalText(required=True, minimum=0, maximum=100)
    at_most = _grade()


class QuotaDocument(Schema):
    """One of the two shares, in percent of the subjects that are not excluded."""

    grade = _grade()
    max_percent = DecimalText(minimum=0, maximum=100)
    min_percent = DecimalText(minimum=0, maximum=100)


class StepDocument(Titled):
    """`on_site`: grades that nobody gets without a visit; for the deciding step."""

    kind = _word(StepKind, required=True)
    by = _word(Level, required=True)
    actor = PlainText(load_default="", validate=validate.Length(max=200))
    decides = Flag(load_default=False)
    days = _count(1, 366)
    on_site = _list(_grade(), validate=_SOME)


class LookBackDocument(Schema):
    grades = _grades()
    in_year = _count(2, 20, required=True)


class DowngradeDocument(Schema):
    triggers = _list(fields.Nested(Titled()), required=True, validate=_SOME)


class RewardDocument(Titled):
    """`amounts` by grade in `unit`, paid `times` a year, to subjects of one field or of all."""

    unit = PlainText(required=True, validate=validate.Length(min=1, max=40))
    field = fields.String(validate=_CODE)
    times = _count(1, 366, load_default=1)
    amounts = ByKey(keys=fields.String(validate=_GRADE), values=_points(), required=True, validate=_SOME)


class PhaseDocument(Schema):
    year = _count(2000, 2100, required=True)
    title = _title()


class SchemeDocument(Schema):
    """A rating scheme. Any value may be written `{assumption: true, value: …}`: no text gives it."""

    format = fields.String(required=True, validate=validate.OneOf([FORMAT]))
    code = _code()
    version = _count(1, 1_000_000, required=True)
    title = _title()
    source = PlainText(load_default="", validate=validate.Length(max=500))
    subject = fields.Nested(SubjectDocument(), required=True)
    fields_ = _list(fields.Nested(FieldDocument()), data_key="fields", validate=_SOME)
    scale = fields.Nested(ScaleDocument(), required=True)
    counts = _list(_word(Level), required=True, validate=_SOME)
    mass = fields.Nested(MassDocument(), required=True)
    indicators = _list(fields.Nested(IndicatorDocument()), required=True, validate=_SOME)
    bonus = fields.Nested(AdjustmentsDocument())
    penalty = fields.Nested(AdjustmentsDocument())
    bands = _list(fields.Nested(BandDocument()), required=True, validate=_BANDS)
    restrictions = _list(fields.Nested(RestrictionDocument()), validate=_SOME)
    caps = _list(fields.Nested(CapDocument()), validate=_SOME)
    quotas = _list(fields.Nested(QuotaDocument()), validate=_SOME)
    steps = _list(fields.Nested(StepDocument()), required=True, validate=_SOME)
    look_back = fields.Nested(LookBackDocument())
    downgrade = fields.Nested(DowngradeDocument())
    rewards = _list(fields.Nested(RewardDocument()), validate=_SOME)
    phases = _list(fields.Nested(PhaseDocument()), validate=_SOME)
    forms = _list(fields.Nested(Titled()), validate=_SOME)
    result_use = _list(PlainText(validate=_TITLE), validate=_SOME)
    notes = _list(PlainText(validate=validate.Length(min=1, max=1000)), validate=_SOME)


_SCHEMA = SchemeDocument()


class InvalidScheme(Invalid):
    """A scheme's text is wrong; `errors` names the lines as in the file."""

    code = "invalid_scheme"


def read_document(written: str) -> dict[str, Any]:
    """Return the checked document of a scheme's YAML text, with the list of its assumptions.

    Raises InvalidScheme with what is wrong by line.
    """
    try:
        file = read_scheme_file(written)
    except SchemeFault as fault:
        raise InvalidScheme(errors={str(fault.line): [fault.sentence]}) from fault
    if found := check_content(file.content):
        raise InvalidScheme(errors=_by_line(file, found))
    return complete_document(file.content, [place(path) for path in file.assumptions])


def check_content(content: Any) -> list[tuple[Path, str]]:
    """Return everything that is wrong with the plain content of a scheme, with its places."""
    return _validate(content) or find_contradictions(content)


def complete_document(content: Any, assumptions: Sequence[str]) -> dict[str, Any]:
    """Return the document of a checked content: every default written out, numbers as text."""
    document: dict[str, Any] = _SCHEMA.dump(_SCHEMA.load(content))
    return document | {"assumptions": list(assumptions)}


def digest_of(document: dict[str, Any]) -> str:
    """Return the hash of a document: what is written in another order or layout is the same scheme."""
    return canonical_digest(document)


def _validate(content: Any) -> list[tuple[Path, str]]:
    return list(_flatten(_SCHEMA.validate(content), ())) if isinstance(content, dict) else _no_mapping()


def _no_mapping() -> list[tuple[Path, str]]:
    return list(_flatten(_SCHEMA.validate({}), ()))


def _flatten(messages: Any, path: Path) -> list[tuple[Path, str]]:
    if isinstance(messages, dict):
        return [found for key, inner in messages.items() for found in _flatten(inner, _step(path, key))]
    return [(path, str(message)) for message in messages]


def _step(path: Path, key: str | int) -> Path:
    """Leave out the name that marshmallow gives to the whole."""
    return path if key == "_schema" else (*path, key)


def _by_line(file: SchemeFile, found: list[tuple[Path, str]]) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for path, sentence in sorted(found, key=lambda one: (file.line_of(one[0]), place(one[0]))):
        errors.setdefault(str(file.line_of(path)), []).append(f"{place(path)}：{sentence}")
    return errors


def place(path: Path) -> str:
    """Write a place as `bands[0].min`."""
    written = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return written.removeprefix(".") or "."


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scheme's file; every value may also be written as an assumption."""
    spec = APISpec("rating schemes", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("SchemeDocument", schema=SchemeDocument)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$ref": "#/$defs/SchemeDocument",
        "$defs": _adapt(spec.to_dict()["components"]["schemas"]),
    }


def _adapt(value: Any) -> Any:
    """Let numbers be written as numbers, refuse unknown names, and let values be assumptions."""
    if isinstance(value, list):
        return [_adapt(inner) for inner in value]
    if not isinstance(value, dict):
        return value.replace("#/components/schemas/", "#/$defs/") if isinstance(value, str) else value
    adapted = {key: _adapt(inner) for key, inner in value.items()}
    if adapted.get("pattern") == DECIMAL_PATTERN:
        adapted["type"] = ["string", "number"]
    if isinstance(adapted.get("properties"), dict):
        assumed = {name: _or_assumed(inner) for name, inner in adapted["properties"].items()}
        adapted |= {"properties": assumed, "additionalProperties": False}
    return adapted


def _or_assumed(value: dict[str, Any]) -> dict[str, Any]:
    wrapped = {"assumption": {"const": True}, "value": value}
    assumed = {
        "type": "object",
        "properties": wrapped,
        "required": list(wrapped),
        "additionalProperties": False,
    }
    return {"anyOf": [value, assumed]}
