"""The JSON form of opinions: what authors send and are told, and what staff see and do."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from survey_service.ballots.submission import require_proof
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import (
    Flag,
    Pattern,
    PlainText,
    Schema,
    ValidationError,
    fields,
    post_load,
    pre_load,
    validate,
)
from survey_service.core.paging import CursorIn
from survey_service.core.texts import text
from survey_service.opinions.authors import AuthorView
from survey_service.opinions.models import Opinion
from survey_service.opinions.public_answers import AnswersPage
from survey_service.opinions.rules import (
    MAX_PHOTOS,
    MAX_REMARK_LENGTH,
    MAX_TEXT_LENGTH,
    Category,
    Level,
    State,
    Topic,
    Verdict,
)
from survey_service.opinions.writing import OpenedForm
from survey_service.staff.schemas import OPTIONAL_CODE, ORGANIZATION_CODE

_Word = TypeVar("_Word", bound=StrEnum)
_MOST_SENT = 20_000
"""What is too long is said by the service, which knows how long it is; this only keeps out floods."""


class Labelled(fields.Field[_Word]):
    """A word of an enum, by its key or by the words that people read (`opinions.<name>_<key>`)."""

    def __init__(self, words: type[_Word], *, name: str, **options: Any) -> None:
        self._by_label: Mapping[str, _Word] = {text(f"opinions.{name}_{one}"): one for one in words}
        self._words = words
        super().__init__(**options, metadata={"type": "string", "enum": [*words, *self._by_label]})

    def _serialize(self, value: _Word | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else value.value

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> _Word:
        found = self._by_label.get(value) if isinstance(value, str) else None
        if found is None and value in [*self._words]:
            found = self._words(value)
        if found is None:
            raise ValidationError(text("schema.unknown_choice"))
        return found


class OpinionWordsIn(Schema):
    text = fields.String(required=True, validate=validate.Length(max=_MOST_SENT))
    category = Labelled(Category, name="category", load_default=None, allow_none=True)
    topic = Labelled(Topic, name="topic", load_default=None, allow_none=True)
    may_publish = Flag(load_default=False)
    about = Labelled(Level, name="level", load_default=None, allow_none=True)
    """Of a report: whose people it is about."""


class OpinionIn(OpinionWordsIn):
    ticket = fields.Raw(required=True, metadata={"type": "string"})
    secret = fields.String(required=True, validate=Pattern(r"^[A-Za-z0-9_-]{22,86}$"))

    @pre_load
    def require_proof(self, body: object, **_: Any) -> object:
        """Refuse what no phone of ours sends, as a ballot is refused."""
        return require_proof(body, has_secret=True)


class QueryCodeOut(Schema):
    query_code = fields.String(required=True)


class OpinionFormOut(Schema):
    organization_name = fields.String(required=True)
    title = fields.String(required=True)
    ticket = fields.String(required=True)


def form_json(form: OpenedForm) -> dict[str, str]:
    return {"organization_name": form.organization_name, "title": form.title, "ticket": form.ticket}


class OpinionVerdictIn(Schema):
    verdict = Labelled(Verdict, name="verdict", required=True)
    remark = PlainText(load_default="", validate=validate.Length(max=MAX_REMARK_LENGTH))


class OpinionAuthorOut(Schema):
    """`answer` holds the present answer in one piece; `due` is a day, exact where its holidays are known."""

    state = fields.String(required=True)
    answer = fields.String(required=True, allow_none=True)
    due = fields.Date(required=True)
    is_due_exact = fields.Boolean(required=True)
    may_rate = fields.Boolean(required=True)
    verdict = fields.String(required=True, allow_none=True)
    declined_because = fields.String(required=True)


def author_json(view: AuthorView) -> dict[str, Any]:
    return {name: getattr(view, name) for name in OpinionAuthorOut().fields}


class PublicAnswerOut(Schema):
    """An opinion that its author lets publish, redacted, and the public part of its answer."""

    category = fields.String(required=True, allow_none=True)
    topic = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    answer = fields.String(required=True)
    answered_by = fields.String(required=True)
    answered_on = fields.Date(required=True)


class PublicAnswersOut(Schema):
    """`is_withheld` where too few have written for anything to be shown."""

    organization_code = fields.String(required=True)
    organization_name = fields.String(required=True)
    is_withheld = fields.Boolean(required=True)
    items = fields.List(fields.Nested(PublicAnswerOut), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


def answers_json(page: AnswersPage) -> dict[str, Any]:
    cursor = None if page.next_after is None else str(page.next_after)
    return {**vars(page), "next_cursor": cursor}


class CaseFilterIn(CursorIn):
    state = fields.Enum(State, by_value=True, load_default=None)
    organization = fields.String(load_default="", validate=OPTIONAL_CODE)


class OpinionOut(Schema):
    id = fields.Integer(required=True)
    state = fields.String(required=True)
    category = fields.String(required=True, allow_none=True)
    topic = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    organization_code = fields.String(required=True)
    level = fields.String(required=True, allow_none=True)
    due = fields.Date(required=True)
    similar_to = fields.Integer(required=True, allow_none=True)
    version = fields.Integer(required=True)


class OpinionsOut(Schema):
    items = fields.List(fields.Nested(OpinionOut()), required=True)
    next_cursor = fields.String(required=True, allow_none=True)


def opinion_json(opinion: Opinion) -> dict[str, Any]:
    """Write a case for a list; `position` is the cursor after it."""
    return {
        "id": opinion.id,
        "position": opinion.position,
        "state": opinion.state,
        "category": opinion.category,
        "topic": opinion.topic,
        "text": opinion.text,
        "organization_code": opinion.organization.code,
        "level": opinion.level,
        "due": opinion.due_on,
        "similar_to": opinion.lead_id,
        "version": opinion.version,
    }


class CaseActionIn(Schema):
    """`version` is that of the case as the caller has seen it; without it the present one is meant."""

    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, MAX_ID))


class CaseTriageIn(CaseActionIn):
    category = Labelled(Category, name="category", required=True)
    level = Labelled(Level, name="level", required=True)
    duplicate_of = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, MAX_ID))


class CaseTransferIn(CaseActionIn):
    organization_code = fields.String(required=True, validate=ORGANIZATION_CODE)
    remark = PlainText(required=True, validate=validate.Length(1, MAX_REMARK_LENGTH))


class CaseReasonIn(CaseActionIn):
    reason = PlainText(required=True, validate=validate.Length(1, MAX_REMARK_LENGTH))


class CaseRemarkIn(CaseActionIn):
    remark = PlainText(required=True, validate=validate.Length(1, MAX_REMARK_LENGTH))


class CaseAnswerIn(CaseActionIn):
    private_text = PlainText(load_default="", allow_none=True, validate=validate.Length(max=MAX_TEXT_LENGTH))
    public_text = PlainText(load_default="", allow_none=True, validate=validate.Length(max=MAX_TEXT_LENGTH))

    @post_load
    def fill(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {name: data[name] or "" for name in ("private_text", "public_text")}


class CaseJoinIn(CaseActionIn):
    into = fields.Integer(required=True, validate=validate.Range(1, MAX_ID))


class CaseMaskIn(CaseActionIn):
    spans = fields.List(
        fields.List(fields.Integer(), validate=validate.Length(equal=2)),
        required=True,
        validate=validate.Length(1, 100),
    )

    @post_load
    def pair(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return data | {"spans": [(start, end) for start, end in data["spans"]]}


class CaseWordsIn(CaseActionIn):
    """Words that are to be covered wherever they stand, as a form sends them."""

    words = PlainText(required=True, validate=validate.Length(1, 100))


class CasePhotoIn(CaseActionIn):
    number = fields.Integer(required=True, validate=validate.Range(1, MAX_PHOTOS))


class CaseStateOut(Schema):
    state = fields.String(required=True)
    due = fields.Date(required=True)
    version = fields.Integer(required=True)


def state_json(opinion: Opinion) -> dict[str, Any]:
    return {"state": opinion.state, "due": opinion.due_on, "version": opinion.version}


class OpinionPaperIn(OpinionWordsIn):
    organization_code = fields.String(required=True, validate=ORGANIZATION_CODE)
    letter_id = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(1, MAX_ID))


class OpinionIdOut(Schema):
    id = fields.Integer(required=True)


class OpinionOriginalOut(Schema):
    text = fields.String(required=True)


class OpinionOriginalIn(Schema):
    reason = PlainText(required=True, validate=validate.Length(1, MAX_REMARK_LENGTH))


class OpinionBoxIn(Schema):
    organization_code = fields.String(required=True, validate=ORGANIZATION_CODE)
    place = PlainText(load_default="", validate=validate.Length(max=100))


class OpinionBoxOut(Schema):
    id = fields.Integer(required=True)
    code = fields.String(required=True)
    url = fields.String(required=True)
    organization_code = fields.String(required=True)
    place = fields.String(required=True)


class OpinionBoxesOut(Schema):
    items = fields.List(fields.Nested(OpinionBoxOut()), required=True)
