"""The JSON form of paper batches: who has keyed how much, and where two people differ."""

from typing import Any

from survey_service.campaigns.queries import SubjectRow
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import ByKey, PlainText, Schema, fields, validate
from survey_service.organizations.rules import MAX_CODE_LENGTH
from survey_service.paper_entry.models import PaperBatch
from survey_service.paper_entry.rules import (
    MAX_BALLOTS,
    MAX_NUMBER,
    PAPER_MODES,
    BatchState,
    Keying,
    ListKind,
)
from survey_service.paper_entry.service import BatchView, ListState

MAX_REASON = 500
_CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)
_LINE = validate.Length(max=2_000)
_LINES = validate.Length(max=MAX_BALLOTS)


class BatchIn(Schema):
    """`issued` are the sheets that were handed out, or the ballots of a meeting."""

    organization_code = PlainText(required=True, validate=_CODE)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.String(required=True, validate=validate.OneOf(sorted(str(mode) for mode in PAPER_MODES)))
    issued = fields.Integer(required=True, validate=validate.Range(0, MAX_NUMBER))


class SheetsIn(Schema):
    """Ballots with stubs for the slots of a mode, or those of a meeting, which have none."""

    organization_code = PlainText(required=True, validate=_CODE)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.String(required=True, validate=validate.OneOf(["household", "panel", "paper_total"]))


class LinesIn(Schema):
    """Codes of stubs; or ballots, one key a column; or lines of a meeting's sheet. `first` is a position."""

    lines = fields.List(fields.String(validate=_LINE), required=True, validate=_LINES)
    first = fields.Integer(load_default=1, validate=validate.Range(0, MAX_BALLOTS))


class LinesOut(Schema):
    lines = fields.Integer(required=True)


class SettlementIn(Schema):
    """What the third look found: lines by position; differing stubs that are there, and codes of others."""

    lines = ByKey(
        keys=fields.Integer(validate=validate.Range(0, MAX_BALLOTS)), values=fields.String(validate=_LINE)
    )
    slots = fields.List(fields.Integer(validate=validate.Range(1, MAX_ID)), validate=_LINES)
    codes = fields.List(fields.String(validate=_LINE), validate=_LINES)


class DiscardIn(Schema):
    reason = PlainText(required=True, validate=validate.Length(min=1, max=MAX_REASON))


class DifferenceOut(Schema):
    position = fields.Integer(required=True)
    first = fields.String(required=True, allow_none=True)
    second = fields.String(required=True, allow_none=True)


class StubDifferenceOut(Schema):
    slot = fields.Integer(required=True)
    mode = fields.Enum(Mode, by_value=True, required=True)
    serial = fields.Integer(required=True)
    by_first = fields.Boolean(required=True)
    by_second = fields.Boolean(required=True)
    by_third = fields.Boolean(required=True)


class ListOut(Schema):
    """`differences` are null until both have finished."""

    kind = fields.Enum(ListKind, by_value=True, required=True)
    first = fields.Integer(required=True)
    second = fields.Integer(required=True)
    first_finished = fields.Boolean(required=True)
    second_finished = fields.Boolean(required=True)
    is_settled = fields.Boolean(required=True)
    waits_for_confirmation = fields.Boolean(required=True)
    is_ready = fields.Boolean(required=True)
    differences = fields.List(fields.Nested(DifferenceOut()), allow_none=True, required=True)
    stub_differences = fields.List(fields.Nested(StubDifferenceOut()), allow_none=True, required=True)
    settled = fields.Dict(keys=fields.Integer(), values=fields.String(), required=True)


class BatchItem(Schema):
    """A batch; the numbers from `returned` on stand there when it is closed."""

    id = fields.Integer(required=True)
    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.Enum(Mode, by_value=True, required=True)
    state = fields.Enum(BatchState, by_value=True, required=True)
    issued = fields.Integer(required=True)
    returned = fields.Integer(required=True, allow_none=True)
    set_aside = fields.Integer(required=True, allow_none=True)
    invalid = fields.Integer(required=True, allow_none=True)
    blank = fields.Integer(required=True, allow_none=True)
    partly_spoiled = fields.Integer(required=True, allow_none=True)


class BatchOut(BatchItem):
    lists = fields.List(fields.Nested(ListOut()), required=True)


class BatchesOut(Schema):
    items = fields.List(fields.Nested(BatchItem()), required=True)


class BatchMade(Schema):
    id = fields.Integer(required=True)
    state = fields.Enum(BatchState, by_value=True, required=True)


_OWN = (
    *("id", "rater_class", "mode", "state", "issued"),
    *("returned", "set_aside", "invalid", "blank", "partly_spoiled"),
)


def batch_json(batch: PaperBatch, subject: SubjectRow) -> dict[str, Any]:
    place = {"organization_code": subject.organization_code, "name": subject.name}
    return {name: getattr(batch, name) for name in _OWN} | place


def view_json(view: BatchView) -> dict[str, Any]:
    return batch_json(view.batch, view.subject) | {"lists": [list_json(one) for one in view.lists]}


def list_json(one: ListState) -> dict[str, Any]:
    return {
        "kind": one.kind,
        "first": one.lines[Keying.FIRST],
        "second": one.lines[Keying.SECOND],
        "first_finished": one.row.first_finished,
        "second_finished": one.row.second_finished,
        "is_settled": one.row.settled_by is not None,
        "waits_for_confirmation": one.waits_for_confirmation,
        "is_ready": one.is_ready,
        "differences": one.differences,
        "stub_differences": one.stub_differences,
        "settled": one.settled,
    }
