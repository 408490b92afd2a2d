"""The JSON form of flags, exclusions and disputes."""

from typing import Any

from survey_service.anomalies.rules import DisputeDecision
from survey_service.anomalies.service import DisputedSubject, FlaggedGroup, ListedExclusion, Review
from survey_service.ballots.rules import BallotFlag
from survey_service.ballots.submission import require_proof
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import MAX_ID
from survey_service.core.marshalling import PlainText, Schema, fields, pre_load, validate
from survey_service.organizations.rules import MAX_CODE_LENGTH
from survey_service.tallies.models import Exclusion
from survey_service.tallies.rules import ExclusionState

MAX_REASON = 500
_REASON = validate.Length(min=1, max=MAX_REASON)
_CODE = validate.Length(min=1, max=MAX_CODE_LENGTH)


class ReasonIn(Schema):
    reason = PlainText(required=True, validate=_REASON)


class ExclusionIn(ReasonIn):
    organization_code = PlainText(required=True, validate=_CODE)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.Enum(Mode, by_value=True, required=True)
    place_id = fields.Integer(load_default=0, validate=validate.Range(0, MAX_ID))
    flag = fields.Enum(BallotFlag, by_value=True, required=True)


class RulingIn(ReasonIn):
    organization_code = PlainText(required=True, validate=_CODE)
    decision = fields.Enum(DisputeDecision, by_value=True, required=True)


class RulingOut(Schema):
    decision = fields.Enum(DisputeDecision, by_value=True, required=True)


class DisputeIn(Schema):
    """`organization_code` names the ballot that is disputed where one code rates several subjects."""

    ticket = fields.Raw(required=True, metadata={"type": "string"})
    organization_code = PlainText(validate=_CODE)

    @pre_load
    def require_proof(self, body: object, **_: Any) -> object:
        """Refuse what no phone of ours sends, as a ballot is refused."""
        return require_proof(body, has_secret=False)


class NotedOut(Schema):
    state = fields.String(required=True, validate=validate.OneOf(["noted"]))


class GroupOut(Schema):
    """A group of flagged ballots; `ballots` is null where there are fewer than may be shown."""

    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.Enum(Mode, by_value=True, required=True)
    place_id = fields.Integer(required=True)
    place = fields.String(required=True)
    flag = fields.Enum(BallotFlag, by_value=True, required=True)
    ballots = fields.Integer(required=True, allow_none=True)
    of = fields.Integer(required=True, allow_none=True)


class ExclusionOut(Schema):
    id = fields.Integer(required=True)
    state = fields.Enum(ExclusionState, by_value=True, required=True)


class ListedExclusionOut(ExclusionOut):
    """What was proposed about a group, by whom, and what became of it."""

    organization_code = fields.String(required=True)
    rater_class = fields.Enum(RaterClass, by_value=True, required=True)
    mode = fields.Enum(Mode, by_value=True, required=True)
    place_id = fields.Integer(required=True)
    flag = fields.Enum(BallotFlag, by_value=True, required=True)
    ballots = fields.Integer(required=True)
    reason = fields.String(required=True)
    proposed_by = fields.String(required=True)
    proposed_at = fields.AwareDateTime(required=True)
    decided_by = fields.String(required=True)
    decided_at = fields.AwareDateTime(required=True, allow_none=True)
    decision_reason = fields.String(required=True)
    may_decide = fields.Boolean(required=True)


class DisputedOut(Schema):
    organization_code = fields.String(required=True)
    name = fields.String(required=True)
    disputes = fields.Integer(required=True)
    one_time_ballots = fields.Integer(required=True)
    is_marked = fields.Boolean(required=True)
    ruling = fields.Enum(DisputeDecision, by_value=True, required=True, allow_none=True)
    reason = fields.String(required=True)


class ReviewOut(Schema):
    min_cell = fields.Integer(required=True)
    groups = fields.List(fields.Nested(GroupOut()), required=True)
    exclusions = fields.List(fields.Nested(ListedExclusionOut()), required=True)
    disputes = fields.List(fields.Nested(DisputedOut()), required=True)


def review_json(review: Review) -> dict[str, Any]:
    return {
        "min_cell": review.campaign.min_cell,
        "groups": [_group(one) for one in review.groups],
        "exclusions": [_exclusion(one) for one in review.exclusions],
        "disputes": [_disputed(one) for one in review.disputes],
    }


def _group(one: FlaggedGroup) -> dict[str, Any]:
    return {
        "organization_code": one.subject.organization_code,
        "name": one.subject.name,
        "rater_class": RaterClass(one.group.rater_class),
        "mode": Mode(one.group.mode),
        "place_id": one.group.place_id,
        "place": one.place,
        "flag": BallotFlag(one.group.flag),
        "ballots": one.ballots,
        "of": one.of,
    }


_OWN = (
    *("id", "state", "rater_class", "mode", "place_id", "flag", "ballots", "reason"),
    *("proposed_at", "decided_at", "decision_reason"),
)


def _exclusion(one: ListedExclusion) -> dict[str, Any]:
    return {name: getattr(one.exclusion, name) for name in _OWN} | {
        "organization_code": one.subject.organization_code,
        "proposed_by": one.proposed_by,
        "decided_by": one.decided_by,
        "may_decide": one.may_decide,
    }


def _disputed(one: DisputedSubject) -> dict[str, Any]:
    return {
        "organization_code": one.subject.organization_code,
        "name": one.subject.name,
        "disputes": one.disputes,
        "one_time_ballots": one.one_time_ballots,
        "is_marked": one.is_marked,
        "ruling": one.ruling,
        "reason": one.reason,
    }


def exclusion_json(exclusion: Exclusion) -> dict[str, Any]:
    return {"id": exclusion.id, "state": exclusion.state}
