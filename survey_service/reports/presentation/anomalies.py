"""Flags, exclusions and disputes as a page shows them: counts and evidence, never an answer or an effect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from survey_service.anomalies.rules import DisputeDecision
from survey_service.anomalies.schemas import ExclusionIn, ReasonIn, RulingIn
from survey_service.anomalies.service import DisputedSubject, FlaggedGroup, ListedExclusion, Review
from survey_service.ballots.rules import BallotFlag
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.reports.charts import Segment, stack
from survey_service.reports.presentation.forms import Body, Choice, body_of, choices, load
from survey_service.reports.presentation.turnout import UNKNOWN, CampaignHead, campaign_head
from survey_service.staff.rules import Role, is_allowed
from survey_service.tallies.rules import ExclusionState, Group

_GROUP_FIELDS = ("organization_code", "rater_class", "mode", "place_id", "flag")


@dataclass(frozen=True)
class FlagWords:
    """A flag, what it rests on, and the tone of its bar."""

    label: str
    evidence: str
    tone: int


@dataclass(frozen=True)
class GroupView:
    """One row of the table; `fields` are those of the form that proposes to exclude it."""

    label: str
    channel: str
    ballots: str
    of: str
    state: str
    fields: Mapping[str, str]
    may_propose: bool


@dataclass(frozen=True)
class SubjectBar:
    """The flagged ballots of one subject among all of its ballots, as parts of a bar."""

    name: str
    ballots: int
    returned: int
    segments: Sequence[Segment]
    groups: Sequence[GroupView]


@dataclass(frozen=True)
class ExclusionView:
    id: int
    name: str
    label: str
    channel: str
    ballots: int
    reason: str
    proposed: str
    state: str
    state_label: str
    decided: str
    decision_reason: str
    may_decide: bool


@dataclass(frozen=True)
class DisputeView:
    code: str
    name: str
    disputes: int
    one_time_ballots: int
    is_marked: bool
    state_label: str
    reason: str
    decided_by: str
    offered: Sequence[Choice]


@dataclass(frozen=True)
class AnomalyPage:
    head: CampaignHead
    flags: Sequence[FlagWords]
    subjects: Sequence[SubjectBar]
    exclusions: Sequence[ExclusionView]
    disputes: Sequence[DisputeView]
    min_cell: int
    is_sealed: bool
    may_rule: bool
    made_at: str


def anomaly_page(review: Review, *, role: Role, now: datetime) -> AnomalyPage:
    campaign = review.campaign
    may_act = campaign.frozen_at is None and is_allowed(role, "anomalies.propose")
    return AnomalyPage(
        head=campaign_head(campaign, role=role, current="anomalies", now=now),
        flags=[_flag_words(flag, tone) for tone, flag in enumerate(BallotFlag, start=1)],
        subjects=_bars(review, may_act=may_act),
        exclusions=[_exclusion(one) for one in reversed(review.exclusions)],
        disputes=[_dispute(one) for one in review.disputes],
        min_cell=campaign.min_cell,
        is_sealed=campaign.frozen_at is not None,
        may_rule=campaign.frozen_at is None and is_allowed(role, "disputes.decide"),
        made_at=clock.local_text(now),
    )


def _flag_words(flag: BallotFlag, tone: int) -> FlagWords:
    return FlagWords(text(f"anomalies.flag_{flag}"), text(f"anomalies.evidence_{flag}"), tone)


def _bars(review: Review, *, may_act: bool) -> list[SubjectBar]:
    states = {
        one.exclusion.group: one.exclusion.state
        for one in review.exclusions
        if one.exclusion.state is not ExclusionState.DECLINED
    }
    by_subject: dict[str, list[FlaggedGroup]] = {}
    for one in review.groups:
        by_subject.setdefault(one.subject.organization_code, []).append(one)
    return [
        _bar(groups, states, returned=review.returned[groups[0].subject.subject_id], may_act=may_act)
        for groups in by_subject.values()
    ]


def _bar(
    groups: Sequence[FlaggedGroup], states: Mapping[Group, ExclusionState], *, returned: int, may_act: bool
) -> SubjectBar:
    sums = {flag: sum(one.ballots or 0 for one in groups if one.group.flag == flag) for flag in BallotFlag}
    flagged = sum(sums.values())
    parts = [(text(f"anomalies.flag_{flag}"), number) for flag, number in sums.items()]
    # A ballot that no rebuild has counted yet may be among the flagged ones.
    others = (text("anomalies.others"), max(0, returned - flagged))
    return SubjectBar(
        name=groups[0].subject.name,
        ballots=flagged,
        returned=max(returned, flagged),
        segments=stack([*parts, others]) if flagged else (),
        groups=[_group(one, states.get(one.group), may_act=may_act) for one in groups],
    )


def _group(one: FlaggedGroup, state: ExclusionState | None, *, may_act: bool) -> GroupView:
    return GroupView(
        label=text(f"anomalies.flag_{one.group.flag}"),
        channel=_channel(one.group.rater_class, one.group.mode, one.place),
        ballots=text("anomalies.few") if one.ballots is None else str(one.ballots),
        of=UNKNOWN if one.of is None else str(one.of),
        state=text(f"anomalies.state_{state}") if state else "",
        fields={
            "organization_code": one.subject.organization_code,
            "rater_class": one.group.rater_class,
            "mode": one.group.mode,
            "place_id": str(one.group.place_id),
            "flag": one.group.flag,
        },
        may_propose=may_act and state is None and one.ballots is not None,
    )


def _channel(rater_class: str, mode: str, place: str) -> str:
    words = [text(f"campaigns.class_{rater_class}"), text(f"campaigns.mode_{mode}"), place]
    return " · ".join(word for word in words if word)


def _exclusion(one: ListedExclusion) -> ExclusionView:
    exclusion = one.exclusion
    decided_at = exclusion.decided_at
    return ExclusionView(
        id=exclusion.id,
        name=one.subject.name,
        label=text(f"anomalies.flag_{exclusion.flag}"),
        channel=_channel(exclusion.rater_class, exclusion.mode, one.place),
        ballots=exclusion.ballots,
        reason=exclusion.reason,
        proposed=_signed(one.proposed_by, exclusion.proposed_at),
        state=exclusion.state,
        state_label=text(f"anomalies.state_{exclusion.state}"),
        decided=_signed(one.decided_by, decided_at) if decided_at else "",
        decision_reason=exclusion.decision_reason,
        may_decide=one.may_decide,
    )


def _signed(name: str, moment: datetime) -> str:
    return text("anomalies.signed", name=name, at=clock.local_text(moment))


def _dispute(one: DisputedSubject) -> DisputeView:
    others = [decision for decision in DisputeDecision if decision is not one.ruling]
    return DisputeView(
        code=one.subject.organization_code,
        name=one.subject.name,
        disputes=one.disputes,
        one_time_ballots=one.one_time_ballots,
        is_marked=one.is_marked,
        state_label=text(f"anomalies.ruling_{one.ruling}") if one.ruling else "",
        reason=one.reason,
        decided_by=one.decided_by,
        offered=choices(others, "anomalies.decide_"),
    )


def exclusion_asked_for(values: Mapping[str, str]) -> Body:
    """Return the group that a form names, with its reason; raises Invalid."""
    return load(ExclusionIn(), body_of(values, [*_GROUP_FIELDS, "reason"]))


def decision_asked_for(values: Mapping[str, str]) -> Body:
    """Return whether a form confirms, and its reason; raises Invalid."""
    return load(ReasonIn(), body_of(values, ["reason"])) | {"is_confirmed": values.get("act") == "confirm"}


def ruling_asked_for(values: Mapping[str, str]) -> Body:
    return load(RulingIn(), body_of(values, ["organization_code", "decision", "reason"]))
