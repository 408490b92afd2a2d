"""The JSON form of runs of printing."""

from typing import Any

from survey_service.campaigns.rules import Mode
from survey_service.campaigns.subjects import MAX_SUBJECTS
from survey_service.core.marshalling import PlainText, Schema, fields, post_load, validate
from survey_service.entrances.rules import EntranceMode
from survey_service.entrances.schemas import CODE
from survey_service.entrances.slot_schemas import SlotMode
from survey_service.print_runs.queries import PartRow, RunProgress
from survey_service.print_runs.rules import (
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    PartState,
    PrintLayout,
    PrintSplit,
)
from survey_service.print_runs.service import PrintOrder

SLOT_MODE = validate.OneOf(SlotMode)


class PrintRunIn(Schema):
    """What is to be printed; without organizations, that of all below the caller."""

    organization_codes = fields.List(
        PlainText(validate=CODE), load_default=None, validate=validate.Length(1, MAX_SUBJECTS)
    )
    mode = fields.Enum(EntranceMode, by_value=True, load_default=EntranceMode.HOUSEHOLD, validate=SLOT_MODE)
    layout = fields.Enum(PrintLayout, by_value=True, required=True)
    split = fields.Enum(PrintSplit, by_value=True, load_default=PrintSplit.VILLAGE)
    is_new_only = fields.Boolean(load_default=False)
    title = PlainText(load_default="", validate=validate.Length(max=MAX_TITLE_LENGTH))
    text = fields.String(load_default="", validate=validate.Length(max=MAX_TEXT_LENGTH))

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> PrintOrder:
        return PrintOrder(**data | {"mode": Mode(data["mode"])})


class PrintRunOut(Schema):
    id = fields.Integer(required=True)
    mode = fields.Enum(EntranceMode, by_value=True, required=True)
    layout = fields.Enum(PrintLayout, by_value=True, required=True)
    split = fields.Enum(PrintSplit, by_value=True, required=True)
    created_at = fields.AwareDateTime(required=True)
    is_finished = fields.Boolean(required=True)
    parts = fields.Integer(required=True)
    printed = fields.Integer(required=True)
    failed = fields.Integer(required=True)
    dropped = fields.Integer(required=True)
    codes = fields.Integer(required=True)
    codes_printed = fields.Integer(required=True)


class PrintRunsOut(Schema):
    items = fields.List(fields.Nested(PrintRunOut()), required=True)


class PrintPartOut(Schema):
    number = fields.Integer(required=True)
    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    group = fields.String(required=True)
    first_serial = fields.Integer(required=True)
    last_serial = fields.Integer(required=True)
    codes = fields.Integer(required=True)
    state = fields.Enum(PartState, by_value=True, required=True)


class PrintRunDetail(PrintRunOut):
    items = fields.List(fields.Nested(PrintPartOut()), required=True)


class HandOutIn(Schema):
    organization_codes = fields.List(
        PlainText(validate=CODE), load_default=None, validate=validate.Length(1, MAX_SUBJECTS)
    )
    mode = fields.Enum(EntranceMode, by_value=True, load_default=EntranceMode.HOUSEHOLD, validate=SLOT_MODE)

    @post_load
    def name_mode(self, data: dict[str, Any], **_: object) -> dict[str, Any]:
        return data | {"mode": Mode(data["mode"])}


class HandOutOut(Schema):
    codes = fields.Integer(required=True)
    organizations = fields.Integer(required=True)


class RetryOut(Schema):
    parts = fields.Integer(required=True)


def run_json(found: RunProgress) -> dict[str, Any]:
    """Write a run with its progress."""
    run = found.run
    head = {name: getattr(run, name) for name in ("id", "layout", "split", "created_at")}
    numbers = {
        name: getattr(found, name)
        for name in ("is_finished", "parts", "printed", "failed", "dropped", "codes", "codes_printed")
    }
    return head | numbers | {"mode": EntranceMode(run.mode)}


def run_detail_json(found: RunProgress, parts: list[PartRow]) -> dict[str, Any]:
    """Write a run with its parts."""
    return run_json(found) | {"items": [vars(part) for part in parts]}
