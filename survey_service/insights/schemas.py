"""The JSON form of what many opinions say together."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    PlainText,
    Schema,
    ValidationError,
    fields,
    validate,
    validates_schema,
)
from survey_service.core.paging import CursorIn
from survey_service.core.texts import text
from survey_service.insights.figures import FiguresTable
from survey_service.insights.models import OpinionWord
from survey_service.insights.queries import LikeGroup, WarningRow
from survey_service.insights.rules import OpinionFigures, WarningKind
from survey_service.opinions.schemas import OpinionOut, opinion_json
from survey_service.opinions.topics import common_words
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import MAX_CODE_LENGTH

_LONGEST_PERIOD = timedelta(days=366)
_PLACES = 4
_MOST_JOINED = 200


class SearchIn(CursorIn):
    words = PlainText(required=True, validate=validate.Length(min=1, max=100))


class GroupMemberOut(OpinionOut):
    similarity = fields.Float(required=True)


class OpinionGroupOut(Schema):
    """Opinions that say nearly the same; `lead` is the case into which `joinable` ones can be joined."""

    first_id = fields.Integer(required=True)
    words = fields.List(fields.String(), required=True)
    lead = fields.Integer(required=True, allow_none=True)
    joinable = fields.List(fields.Integer(), required=True)
    items = fields.List(fields.Nested(GroupMemberOut()), required=True)


class GroupPage(Schema):
    items = fields.List(fields.Nested(OpinionGroupOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class JoinGroupIn(Schema):
    opinion_ids = fields.List(
        fields.Integer(validate=validate.Range(1, MAX_ID)),
        required=True,
        validate=validate.Length(1, _MOST_JOINED),
    )


class JoinedOut(Schema):
    joined = fields.Integer(required=True)


class WordOut(Schema):
    organization_code = fields.String(required=True)
    word = fields.String(required=True)
    opinions = fields.Integer(required=True)


class WordsOut(Schema):
    items = fields.List(fields.Nested(WordOut()), required=True)


class OpinionWarningOut(Schema):
    """A warning; `opinion_id` is null where it is about a group."""

    id = fields.Integer(required=True)
    kind = fields.Enum(WarningKind, by_value=True, required=True)
    organization_code = fields.String(required=True)
    opinion_id = fields.Integer(required=True, allow_none=True)
    words = fields.String(required=True)
    opinions = fields.Integer(required=True)
    raised_on = fields.Date(required=True)
    receivers = fields.Integer(required=True)
    seen_by = fields.Integer(required=True)
    is_seen = fields.Boolean(required=True)


class OpinionWarningPage(Schema):
    items = fields.List(fields.Nested(OpinionWarningOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


class WarningSeenOut(Schema):
    id = fields.Integer(required=True)
    is_seen = fields.Boolean(required=True)


class FiguresIn(Schema):
    """Without days: the year that ends today."""

    organization = PlainText(load_default="", validate=validate.Length(max=MAX_CODE_LENGTH))
    since = fields.Date(load_default=None, allow_none=True)
    until = fields.Date(load_default=None, allow_none=True)

    @validates_schema(skip_on_field_errors=True)
    def check_order(self, data: dict[str, Any], **_: Any) -> None:
        since, until = data["since"], data["until"]
        if since and until and not timedelta() <= until - since <= _LONGEST_PERIOD:
            raise ValidationError({"until": [text("insights.bad_period")]})


def period_of(since: date | None, until: date | None, today: date) -> tuple[date, date]:
    """Return the days that are asked for, by default the year that ends today."""
    end = until or min(today, since + _LONGEST_PERIOD if since else today)
    return since or end - _LONGEST_PERIOD + timedelta(days=1), end


class PlaceFiguresOut(Schema):
    """The figures of a place as decimal text, shares from 0 to 1; null where too few people stand behind."""

    organization_code = fields.String(required=True, allow_none=True)
    name = fields.String(required=True)
    opinions = fields.Integer(required=True, allow_none=True)
    opinions_per_100 = fields.String(required=True, allow_none=True)
    on_time = fields.String(required=True, allow_none=True)
    closed = fields.String(required=True, allow_none=True)
    satisfied = fields.String(required=True, allow_none=True)
    withheld = fields.String(required=True, allow_none=True)


class FiguresOut(Schema):
    since = fields.Date(required=True)
    until = fields.Date(required=True)
    total = fields.Nested(PlaceFiguresOut, required=True)
    items = fields.List(fields.Nested(PlaceFiguresOut), required=True)


def group_json(group: LikeGroup) -> dict[str, Any]:
    return {
        "first_id": group.first_id,
        "words": common_words([one.opinion.text for one in group.members]),
        "lead": group.lead and group.lead.id,
        "joinable": [one.id for one in group.joinable],
        "items": [opinion_json(one.opinion) | {"similarity": one.similarity} for one in group.members],
    }


def word_json(organization: Organization, word: OpinionWord) -> dict[str, Any]:
    return {"organization_code": organization.code, "word": word.word, "opinions": word.opinions}


def warning_json(row: WarningRow) -> dict[str, Any]:
    one = row.warning
    shown = ("id", "kind", "opinion_id", "words", "opinions", "raised_on", "receivers")
    return {name: getattr(one, name) for name in shown} | {
        "organization_code": one.organization.code,
        "seen_by": row.seen_by,
        "is_seen": row.is_seen,
    }


def _figures(figures: OpinionFigures) -> dict[str, Any]:
    return {
        "opinions": figures.opinions,
        "opinions_per_100": _decimal(figures.opinions_per_100),
        "on_time": _decimal(figures.on_time),
        "closed": _decimal(figures.closed),
        "satisfied": _decimal(figures.satisfied),
    }


def _decimal(value: Fraction | None) -> str | None:
    return None if value is None else f"{float(value):.{_PLACES}f}"


def figures_json(table: FiguresTable, since: date, until: date) -> dict[str, Any]:
    """Return what `FiguresOut` shows."""
    total = {"organization_code": None, "name": text("insights.all_places"), "withheld": None}
    items = [
        {"organization_code": one.organization.code, "name": one.organization.name, "withheld": one.withheld}
        | _figures(one.figures)
        for one in table.places
    ]
    return {"since": since, "until": until, "total": total | _figures(table.total), "items": items}
