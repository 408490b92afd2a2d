"""The JSON form of bulletins, snapshots and corrections."""

import json
from collections.abc import Iterable, Iterator

from survey_service.campaigns.rules import RaterClass
from survey_service.core.marshalling import PlainText, Schema, fields, validate
from survey_service.organizations.rules import MAX_CODE_LENGTH
from survey_service.sealing.models import PublishedReceipts

_CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)
_MOST_ELIGIBLE = 10_000_000


def _digest() -> fields.String:
    return fields.String(required=True, validate=validate.Regexp(r"^[0-9a-f]{64}\Z"))


class BulletinItem(Schema):
    """The receipts that stand under one code: `count` of them, with what does not weigh in the score.

    `totals` are ballots that were counted by hand at meetings, where there are any; they have no receipts.
    """

    organization_code = fields.String(required=True)
    count = fields.Integer(required=True)
    excluded = fields.Integer(required=True)
    invalid = fields.Integer(required=True)
    weightless = fields.Integer(required=True)
    totals = fields.Integer()
    receipts = fields.List(fields.String(), required=True)
    digest = _digest()


class BulletinOut(Schema):
    formula_hash = _digest()
    snapshot_digest = _digest()
    items = fields.List(fields.Nested(BulletinItem()), required=True)


class SnapshotOut(Schema):
    """Canonical JSON; the SHA-256 of these very bytes is the digest of the snapshot."""

    head = fields.Dict(required=True)
    subjects = fields.List(fields.Dict(), required=True)


class VersionIn(Schema):
    version = fields.Integer(validate=validate.Range(1, 1_000_000))


class EligibleCorrectionIn(Schema):
    eligible = fields.Dict(
        keys=PlainText(validate=_CODE),
        values=fields.Dict(
            keys=fields.Enum(RaterClass, by_value=True),
            values=fields.Integer(validate=validate.Range(0, _MOST_ELIGIBLE)),
            validate=validate.Length(min=1),
        ),
        required=True,
        validate=validate.Length(min=1),
    )
    reason = PlainText(required=True, validate=validate.Length(min=1, max=500))


class VersionOut(Schema):
    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    snapshot_digest = _digest()


def write_bulletin(
    *, formula_hash: str | None, snapshot_digest: str, lists: Iterable[PublishedReceipts]
) -> Iterator[str]:
    """Yield a bulletin list by list: a city's receipts need not stand in memory."""
    digests = json.dumps({"formula_hash": formula_hash, "snapshot_digest": snapshot_digest})
    yield f'{digests[:-1]}, "items": ['
    for number, one in enumerate(lists):
        yield f",{_write_list(one)}" if number else _write_list(one)
    yield "]}"


def _write_list(one: PublishedReceipts) -> str:
    return json.dumps(
        {
            "organization_code": one.organization_code,
            "count": one.count,
            "excluded": one.excluded,
            "invalid": one.invalid,
            "weightless": one.weightless,
            **({"totals": one.totals} if one.totals else {}),
            "digest": one.digest,
            "receipts": one.listed,
        },
        ensure_ascii=False,
    )
