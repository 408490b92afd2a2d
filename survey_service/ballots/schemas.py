"""What voters' phones receive, and how a ballot is documented."""

from typing import Any

from survey_service.core.marshalling import Schema, fields
from survey_service.questionnaires.queries import CompiledVersion
from survey_service.questionnaires.rules import Item


class PanelSubjectOut(Schema):
    """A subject of a panel; `done` is told to the device that rated it, and to no other."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    done = fields.Boolean(required=True)


class SittingCampaignOut(Schema):
    """A campaign of a sitting; its ticket says which campaign a ballot is of."""

    campaign_id = fields.Integer(required=True)
    title = fields.String(required=True)
    state = fields.String(required=True)
    closes_at = fields.String(required=True)
    questionnaire = fields.Dict(required=True)
    ticket = fields.String(required=True)
    subjects = fields.List(fields.Nested(PanelSubjectOut()), required=True)


class EntranceOut(Schema):
    title = fields.String(required=True)
    organization_name = fields.String(required=True)
    subject_name = fields.String(required=True)
    rater_class = fields.String(required=True)
    mode = fields.String(required=True)
    state = fields.String(required=True)
    closes_at = fields.String(required=True)
    questionnaire = fields.Dict(required=True)
    ticket = fields.String(required=True)
    subjects = fields.List(fields.Nested(PanelSubjectOut()))
    campaigns = fields.List(fields.Nested(SittingCampaignOut()))


class ReceiptOut(Schema):
    state = fields.String(required=True)


_STRING = {"type": "string"}
_RECEIPT = {"type": "object", "required": ["receipt"], "properties": {"receipt": _STRING}}
SUBMISSION_DOC = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["ticket", "secret", "answers"],
                    "properties": {
                        "ticket": _STRING,
                        "secret": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22,86}$"},
                        "answers": {"type": "object"},
                        "organization_code": _STRING | {"description": "Where one code rates several."},
                    },
                }
            }
        },
    },
    "responses": {
        str(status): {"description": what, "content": {"application/json": {"schema": _RECEIPT}}}
        for status, what in ((201, "Stored"), (200, "Stored before, with the same answers"))
    },
}


def shown_questionnaire(version: CompiledVersion) -> dict[str, Any]:
    """Return a questionnaire as a phone needs it: with the labels of all options."""
    return {
        "title": version.title,
        "version": version.number,
        "items": [shown_item(item) for item in version.plan.items],
    }


def shown_item(item: Item) -> dict[str, Any]:
    """Return one item for a template or a phone."""
    condition = item.show_if
    return {
        "key": item.key,
        "kind": item.kind,
        "text": item.text,
        "hint": item.hint,
        "required": item.required,
        "option_set": item.option_set,
        "options": [{"key": option.key, "label": option.label} for option in item.choices],
        "rows": [{"key": row.key, "text": row.text} for row in item.rows],
        "max_length": item.max_length,
        "minimum": _plain(item.minimum),
        "maximum": _plain(item.maximum),
        "max_choices": item.max_choices,
        "show_if": condition and {"item": condition.item, "options": list(condition.options)},
    }


def _plain(number: object) -> str | None:
    return None if number is None else str(number)
