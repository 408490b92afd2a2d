"""Exclude a group of flagged ballots: two persons decide blind, by counts and evidence alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.anomalies.queries import (
    count_disputes,
    count_flagged,
    get_exclusion,
    list_exclusions,
    list_rulings,
    names_of,
    places_of,
)
from survey_service.anomalies.rules import DisputeDecision, is_disputed, is_of_same_level, refusal
from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    find_subject_below,
    get_formula,
    get_visible_campaign,
    hold_unsealed,
    list_subjects,
)
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core.audit import Facts, record
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.staff.queries import path_of_account
from survey_service.tallies.models import Exclusion
from survey_service.tallies.queries import count_one_time, count_slices
from survey_service.tallies.rules import ExclusionState, Group, SliceKey
from survey_service.tallies.service import count_group, mark_subject


@dataclass(frozen=True)
class FlaggedGroup:
    """A group with its size, and that of the slice in which it lies.

    `ballots` is None where there are fewer than may be shown, `of` where it would tell them.
    """

    subject: SubjectRow
    group: Group
    place: str
    ballots: int | None
    of: int | None


@dataclass(frozen=True)
class DisputedSubject:
    """How many voters of a subject say that others used their codes, and what is in force."""

    subject: SubjectRow
    disputes: int
    one_time_ballots: int
    is_marked: bool
    ruling: DisputeDecision | None
    reason: str
    decided_by: str


@dataclass(frozen=True)
class ListedExclusion:
    """A proposal with the words that belong to it; `may_decide` is about the reader."""

    exclusion: Exclusion
    subject: SubjectRow
    place: str
    proposed_by: str
    decided_by: str
    may_decide: bool


@dataclass(frozen=True)
class Review:
    """What the office sees of one campaign: counts and evidence, no answer, no score, no effect."""

    campaign: Campaign
    groups: Sequence[FlaggedGroup]
    returned: Mapping[int, int]
    """The counted ballots of each subject."""
    exclusions: Sequence[ListedExclusion]
    disputes: Sequence[DisputedSubject]


def read_review(session: Session, *, staff: Identity, campaign_id: int) -> Review:
    """Return flags, exclusions and disputes of the subjects below the reader.

    Raises NotFound, and Forbidden where the campaign concerns nobody in his sub-tree.
    """
    campaign = get_visible_campaign(session, campaign_id, staff)
    subjects = {
        subject.subject_id: subject
        for subject in list_subjects(session, campaign_id, within_path=staff.path)
        if staff.is_above(subject.path)
    }
    wholes = count_slices(session, campaign_id, subjects)
    returned = dict.fromkeys(subjects, 0)
    for key, number in wholes.items():
        returned[key.subject_id] += number
    return Review(
        campaign=campaign,
        groups=_list_groups(session, campaign, subjects, wholes),
        returned=returned,
        exclusions=_list_exclusions(session, staff, campaign_id, subjects),
        disputes=_list_disputes(session, campaign, subjects),
    )


def _list_groups(
    session: Session,
    campaign: Campaign,
    subjects: Mapping[int, SubjectRow],
    wholes: Mapping[SliceKey, int],
) -> list[FlaggedGroup]:
    counted = count_flagged(session, campaign.id, subjects)
    places = places_of(session, {group.place_id for group in counted})
    order = {subject_id: position for position, subject_id in enumerate(subjects)}
    ordered = sorted(counted.items(), key=lambda one: (order[one[0].subject_id], *one[0][1:]))
    return [
        FlaggedGroup(
            subject=subjects[group.subject_id],
            group=group,
            place=places.get(group.place_id, ""),
            ballots=number if number >= campaign.min_cell else None,
            of=wholes.get(SliceKey(*group[:4])) if number >= campaign.min_cell else None,
        )
        for group, number in ordered
    ]


def _list_exclusions(
    session: Session, staff: Identity, campaign_id: int, subjects: Mapping[int, SubjectRow]
) -> list[ListedExclusion]:
    found = list_exclusions(session, campaign_id, subjects)
    people = {one.proposed_by for one in found} | {one.decided_by for one in found if one.decided_by}
    names, places = names_of(session, people), places_of(session, {one.place_id for one in found})
    return [
        ListedExclusion(
            exclusion=one,
            subject=subjects[one.subject_id],
            place=places.get(one.place_id, ""),
            proposed_by=names[one.proposed_by],
            decided_by=names.get(one.decided_by or 0, ""),
            may_decide=one.state is ExclusionState.PROPOSED and _may_decide(session, staff, one),
        )
        for one in found
    ]


def _may_decide(session: Session, staff: Identity, exclusion: Exclusion) -> bool:
    proposer_path = path_of_account(session, staff_id=exclusion.proposed_by)
    return staff.id != exclusion.proposed_by and is_of_same_level(staff.path, proposer_path)


def _list_disputes(
    session: Session, campaign: Campaign, subjects: Mapping[int, SubjectRow]
) -> list[DisputedSubject]:
    counts, ballots = count_disputes(session, campaign.id), count_one_time(session, campaign.id)
    rulings = {ruling.subject_id: ruling for ruling in list_rulings(session, campaign.id)}
    names = names_of(session, {ruling.decided_by for ruling in rulings.values()})
    listed = []
    for subject_id, subject in subjects.items():
        disputes, one_time = counts.get(subject_id, 0), ballots.get(subject_id, 0)
        ruling = rulings.get(subject_id)
        if not disputes and ruling is None:
            continue
        listed.append(
            DisputedSubject(
                subject=subject,
                disputes=disputes,
                one_time_ballots=one_time,
                is_marked=is_disputed(
                    disputes=disputes, one_time_ballots=one_time, permille=campaign.dispute_permille
                ),
                ruling=ruling.decision if ruling else None,
                reason=ruling.reason if ruling else "",
                decided_by=names[ruling.decided_by] if ruling else "",
            )
        )
    return listed


def propose_exclusion(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    organization_code: str,
    rater_class: RaterClass,
    mode: Mode,
    flag: BallotFlag,
    reason: str,
    now: datetime,
    place_id: int = 0,
) -> Exclusion:
    """Propose to leave a group out of the score.

    Raises NotFound, Forbidden for a subject at or above the caller's own level, Invalid for a group that is
    too small, Conflict `already_proposed`, and Conflict `wrong_state` when the sealing has begun.
    """
    campaign = hold_unsealed(session, campaign_id)
    subject = find_subject_below(session, staff, campaign_id, organization_code)
    group = Group(subject.subject_id, rater_class, mode, place_id, flag)
    exclusion = Exclusion(
        campaign_id=campaign_id,
        subject_id=subject.subject_id,
        rater_class=rater_class,
        mode=mode,
        place_id=place_id,
        flag=flag,
        ballots=_require_large(session, campaign, group),
        reason=reason,
        proposed_by=staff.id,
        proposed_at=now,
    )
    try:
        with session.begin_nested():
            session.add(exclusion)
    except IntegrityError as error:
        raise Conflict("already_proposed") from error
    facts = _facts(exclusion, subject, reason)
    record(session, "exclusions.propose", campaign_target(campaign_id), after=facts)
    return exclusion


def _require_large(session: Session, campaign: Campaign, group: Group) -> int:
    """Return the size of a group; raises Invalid where leaving it out would tell about too few ballots."""
    counted = count_group(session, campaign_id=campaign.id, group=group)
    found = refusal(
        returned=counted.returned,
        standing=counted.standing,
        rater_class=RaterClass(group.rater_class),
        mode=Mode(group.mode),
        formula=get_formula(campaign),
    )
    if found is not None:
        raise Invalid(errors={"flag": [text(f"anomalies.{found}", min_cell=campaign.min_cell)]})
    return counted.returned


def decide_exclusion(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    exclusion_id: int,
    is_confirmed: bool,
    reason: str,
    now: datetime,
) -> Exclusion:
    """Confirm or decline a proposal of somebody else; the next rebuild leaves a confirmed group out.

    Ballots that come later with the same flag belong to it. Raises NotFound, Forbidden for the proposer
    himself and for everybody below his level, Conflict `wrong_state` when it was decided before, or when the
    sealing has begun.
    """
    campaign = hold_unsealed(session, campaign_id)
    exclusion = get_exclusion(session, campaign_id, exclusion_id)
    if exclusion.state is not ExclusionState.PROPOSED:
        raise Conflict("wrong_state")
    (subject,) = [
        one for one in list_subjects(session, campaign_id) if one.subject_id == exclusion.subject_id
    ]
    if not (staff.is_above(subject.path) and _may_decide(session, staff, exclusion)):
        raise Forbidden
    if is_confirmed:
        _require_large(session, campaign, exclusion.group)
    exclusion.state = ExclusionState.CONFIRMED if is_confirmed else ExclusionState.DECLINED
    exclusion.decided_by, exclusion.decided_at, exclusion.decision_reason = staff.id, now, reason
    session.flush()
    if is_confirmed:
        mark_subject(session, campaign_id=campaign_id, subject_id=exclusion.subject_id)
    target, facts = campaign_target(campaign_id), _facts(exclusion, subject, reason)
    if is_confirmed:
        record(session, "exclusions.confirm", target, after=facts)
    else:
        record(session, "exclusions.decline", target, after=facts)
    return exclusion


def _facts(exclusion: Exclusion, subject: SubjectRow, reason: str) -> Facts:
    return {
        "exclusion": exclusion.id,
        "organization_code": subject.organization_code,
        "rater_class": exclusion.rater_class,
        "mode": exclusion.mode,
        "place_id": exclusion.place_id,
        "flag": exclusion.flag,
        "ballots": exclusion.ballots,
        "reason": reason,
    }
