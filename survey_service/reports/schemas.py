"""The JSON form of reports."""

from collections.abc import Iterable
from typing import Any

from survey_service.core.disclosure import Withholding
from survey_service.core.marshalling import Schema, fields, validate
from survey_service.mass_evaluation.rules import Flag, Reason, Status
from survey_service.reports.codes import PlaceCodes
from survey_service.reports.service import Progress, Score, ScoreTable, SubjectReport, TotalScore

DECIMAL = validate.Regexp(r"^[0-9]+\.[0-9]{2}\Z")
REASONS = [str(reason) for reason in Reason if reason is not Reason.NONE]


def _percentage() -> fields.String:
    return fields.String(required=True, allow_none=True, validate=DECIMAL)


def _interval() -> fields.List[Any]:
    bound = fields.String(validate=DECIMAL)
    return fields.List(bound, required=True, allow_none=True, validate=validate.Length(equal=2))


def _counts() -> fields.Dict:
    return fields.Dict(keys=fields.String(), values=fields.Integer(), required=True, allow_none=True)


def _withheld() -> fields.String:
    return fields.String(
        required=True, allow_none=True, validate=validate.OneOf([str(reason) for reason in Withholding])
    )


class ProgressItem(Schema):
    """The live turnout of one subject; the parts are null for a rated party."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    eligible = fields.Integer(required=True, allow_none=True)
    returned = fields.Integer(required=True)
    response_rate = _percentage()
    by_mode = _counts()
    by_class = _counts()


class ProgressOut(Schema):
    """A rated party is given the turnout of the end of a day, which is then named."""

    as_of = fields.Date()
    items = fields.List(fields.Nested(ProgressItem()), required=True)


class FigureOut(Schema):
    """One class or one mode alone; what is withheld has only its turnout and its weight."""

    returned = fields.Integer(required=True)
    n = fields.Integer(required=True, allow_none=True)
    weight = fields.String(required=True)
    score = _percentage()
    interval = _interval()
    withheld = _withheld()


def _figures() -> fields.Dict:
    return fields.Dict(
        keys=fields.String(), values=fields.Nested(FigureOut()), required=True, allow_none=True
    )


class WithExcludedOut(Schema):
    """The score with the excluded ballots in it."""

    score = _percentage()
    satisfaction_rate = _percentage()


class ScoreItem(Schema):
    """One subject; every status but `ok` leaves only the turnout, which is that of now."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(status) for status in Status]))
    reason = fields.String(required=True, allow_none=True, validate=validate.OneOf(REASONS))
    score = _percentage()
    interval = _interval()
    satisfaction_rate = _percentage()
    satisfaction_interval = _interval()
    returned = fields.Integer(required=True)
    valid = fields.Integer(required=True, allow_none=True)
    eligible = fields.Integer(required=True, allow_none=True)
    response_rate = _percentage()
    as_of_returned = fields.Integer(required=True)
    by_class = _figures()
    by_mode = _figures()
    excluded = fields.Integer(required=True)
    with_excluded = fields.Nested(WithExcludedOut(), required=True, allow_none=True)
    flags = fields.List(fields.String(validate=validate.OneOf([str(flag) for flag in Flag])), required=True)


class TotalOut(Schema):
    """All subjects under one organization, with at least two of them inside the reader's sub-tree."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    subjects = fields.Integer(required=True)
    status = fields.String(required=True, validate=validate.OneOf([str(status) for status in Status]))
    reason = fields.String(required=True, allow_none=True, validate=validate.OneOf(REASONS))
    score = _percentage()
    interval = _interval()
    satisfaction_rate = _percentage()
    satisfaction_interval = _interval()
    returned = fields.Integer(required=True)
    eligible = fields.Integer(required=True, allow_none=True)
    response_rate = _percentage()
    as_of_returned = fields.Integer(required=True)


class ScoresOut(Schema):
    """`totals` are the organizations above the subjects, in the order of the tree; none for a rated party."""

    formula_hash = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Nested(ScoreItem()), required=True)
    totals = fields.List(fields.Nested(TotalOut()), required=True)


class ScoredItemOut(Schema):
    """One question: the ballots by option in modes that weigh something, and its score."""

    key = fields.String(required=True)
    option_set = fields.String(required=True)
    n = _counts()
    abstained = fields.Integer(required=True, allow_none=True)
    by_class = fields.Dict(keys=fields.String(), values=_counts(), required=True, allow_none=True)
    score = _percentage()
    interval = _interval()
    withheld = _withheld()


class ScoreDetail(ScoreItem):
    formula_hash = fields.String(required=True, allow_none=True)
    items = fields.List(fields.Nested(ScoredItemOut()), required=True, allow_none=True)
    trace = fields.Dict(
        required=True, allow_none=True, metadata={"description": "every number that led to the score"}
    )


def progress_json(rows: list[Progress]) -> dict[str, Any]:
    days = [row.as_of.isoformat() for row in rows if row.as_of]
    named = {"as_of": days[0]} if days else {}
    return {**named, "items": [_progress_item(row) for row in rows]}


def _progress_item(row: Progress) -> dict[str, Any]:
    return {
        "organization_code": row.place.organization_code,
        "name": row.place.name,
        "eligible": row.turnout.eligible,
        "returned": row.turnout.returned,
        "response_rate": row.response_rate,
        "by_mode": row.by_mode,
        "by_class": row.by_class,
    }


def score_table_json(table: ScoreTable) -> dict[str, Any]:
    return {
        "formula_hash": table.campaign.formula_hash,
        "items": [_score_item(score) for score in table.scores],
        "totals": [_total(total) for total in table.totals],
    }


_PARTS = frozenset({"valid", "by_class", "by_mode", "flags"})
"""Fields of a row that a total does not have."""


def _total(total: TotalScore) -> dict[str, Any]:
    return {
        "organization_code": total.organization_code,
        "name": total.name,
        "subjects": total.subjects,
        "as_of_returned": total.as_of_returned,
        **{name: value for name, value in total.figures.items() if name not in _PARTS},
    }


def _score_item(score: Score) -> dict[str, Any]:
    return {
        "organization_code": score.place.organization_code,
        "name": score.place.name,
        "as_of_returned": score.as_of_returned,
        **score.figures,
    }


def subject_report_json(report: SubjectReport) -> dict[str, Any]:
    return {
        "formula_hash": report.campaign.formula_hash,
        **_score_item(report.score),
        "items": report.items,
        "trace": report.trace,
    }


class CodeCountsOut(Schema):
    """What became of the codes of one mode and class; `made` counts them all."""

    mode = fields.String(required=True)
    rater_class = fields.String(required=True)
    made = fields.Integer(required=True)
    printed = fields.Integer(required=True)
    handed_out = fields.Integer(required=True)
    undelivered = fields.Integer(required=True)
    revoked = fields.Integer(required=True)
    reissued = fields.Integer(required=True)


class PlaceCodesOut(Schema):
    """`used` is null for a rated party, and for panels of several subjects."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    used = fields.Integer(required=True, allow_none=True)
    codes = fields.List(fields.Nested(CodeCountsOut()), required=True)


class CodesOut(Schema):
    items = fields.List(fields.Nested(PlaceCodesOut()), required=True)


def codes_json(places: Iterable[PlaceCodes]) -> dict[str, Any]:
    """Write what became of one-time codes, place by place."""
    items = [
        {"organization_code": one.organization_code, "name": one.name, "used": one.used, "codes": one.counts}
        for one in places
    ]
    return {"items": items}
