"""Reads of reports: each list is one statement, however many subjects it shows."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, select
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot
from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.entrances.models import Entrance
from survey_service.mass_evaluation.models import MassScore, MassTotal
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import is_within
from survey_service.sealing.models import SealedScore
from survey_service.sealing.queries import is_newest_score, list_sealed_parts
from survey_service.tallies.models import TallyHead, TallyRow, TurnoutDay

EVERYWHERE = "/"


@dataclass(frozen=True)
class RatedPlace:
    """A subject of a campaign, with the live number of its ballots and its eligible people by class."""

    subject_id: int
    organization_code: str
    name: str
    subject_name: str
    path: str
    is_roster_generated: bool
    eligible: Mapping[str, int | None]
    returned: int


@dataclass(frozen=True)
class Release:
    """A subject with its last released figures as stored JSON; None before the first release."""

    place: RatedPlace
    as_of_returned: int
    figures: str | None


@dataclass(frozen=True)
class Total:
    """The released figures of all subjects under an organization, as stored JSON."""

    organization_code: str
    name: str
    path: str
    as_of_returned: int
    figures: str


@dataclass(frozen=True)
class Posted:
    """A posted entrance."""

    rater_class: RaterClass
    place: str
    code: str


@dataclass(frozen=True)
class Slots:
    """How many one-time codes a subject has of one mode and class."""

    mode: Mode
    rater_class: RaterClass
    count: int


@dataclass(frozen=True)
class Parts:
    """The ballots of one subject, parted by mode and by class."""

    by_mode: dict[Mode, int]
    by_class: dict[RaterClass, int]


_PLACE = (
    CampaignSubject.subject_id,
    Organization.code,
    Organization.name,
    Subject.name,
    Organization.path,
    Organization.is_roster_generated,
    func.coalesce(SealedScore.eligible, CampaignSubject.eligible),
    func.coalesce(SealedScore.returned, TallyHead.returned),
)
"""What was sealed, with its corrections, stands in the place of what is live."""


def _has_head() -> ColumnElement[bool]:
    return and_(
        TallyHead.campaign_id == CampaignSubject.campaign_id,
        TallyHead.subject_id == CampaignSubject.subject_id,
    )


def _select_places(campaign_id: int, within_path: str, *more: Any) -> Select[Any]:
    return (
        select(*_PLACE, *more)
        .select_from(CampaignSubject)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .join(Subject, Subject.id == CampaignSubject.subject_id)
        .outerjoin(TallyHead, _has_head())
        .outerjoin(SealedScore, is_newest_score(campaign_id))
        .where(CampaignSubject.campaign_id == campaign_id, is_within(within_path))
        .order_by(CampaignSubject.position)
    )


def _place(row: Row[*tuple[Any, ...]]) -> RatedPlace:
    subject_id, code, name, subject_name, path, is_generated, eligible, returned, *_ = row
    return RatedPlace(
        subject_id, code, name, subject_name, path, is_generated, json.loads(eligible), returned or 0
    )


def list_places(session: Session, campaign_id: int, *, within_path: str) -> list[RatedPlace]:
    """Return a campaign's subjects inside a sub-tree, in the order of the campaign."""
    return [_place(row) for row in session.execute(_select_places(campaign_id, within_path))]


def list_releases(
    session: Session, campaign_id: int, *, within_path: str = EVERYWHERE, organization_code: str | None = None
) -> list[Release]:
    """Return a campaign's subjects inside a sub-tree with their releases, in the order of the campaign."""
    release = and_(
        MassScore.campaign_id == CampaignSubject.campaign_id,
        MassScore.subject_id == CampaignSubject.subject_id,
    )
    statement = _select_places(
        campaign_id,
        within_path,
        func.coalesce(SealedScore.returned, MassScore.as_of_returned),
        func.coalesce(SealedScore.figures, MassScore.figures),
    ).outerjoin(MassScore, release)
    if organization_code is not None:
        statement = statement.where(Organization.code == organization_code)
    return [Release(_place(row), row[-2] or 0, row[-1]) for row in session.execute(statement)]


def list_totals(session: Session, campaign_id: int, *, within_path: str) -> list[Total]:
    """Return the totals of a campaign inside a sub-tree, from the top."""
    statement = (
        select(
            Organization.code,
            Organization.name,
            Organization.path,
            MassTotal.as_of_returned,
            MassTotal.figures,
        )
        .join(MassTotal, MassTotal.organization_id == Organization.id)
        .where(MassTotal.campaign_id == campaign_id, is_within(within_path))
        .order_by(Organization.path)
    )
    return [Total(*row) for row in session.execute(statement)]


def list_turnouts(
    session: Session, campaign_ids: Collection[int], *, within_path: str
) -> list[tuple[int, int, Mapping[str, int | None], int]]:
    """Return campaign, subject, eligible people by class and returned ballots inside a sub-tree."""
    statement = (
        select(
            CampaignSubject.campaign_id,
            CampaignSubject.subject_id,
            func.coalesce(SealedScore.eligible, CampaignSubject.eligible),
            func.coalesce(SealedScore.returned, TallyHead.returned),
        )
        .select_from(CampaignSubject)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .outerjoin(TallyHead, _has_head())
        .outerjoin(SealedScore, is_newest_score(CampaignSubject.campaign_id))
        .where(CampaignSubject.campaign_id.in_(campaign_ids), is_within(within_path))
    )
    rows = session.execute(statement)
    return [
        (campaign, subject, json.loads(eligible), returned or 0)
        for campaign, subject, eligible, returned in rows
    ]


def count_before(
    session: Session, campaign_ids: Collection[int], *, within_path: str, day: date
) -> dict[int, dict[int, int]]:
    """Return how many ballots were counted before a day, by campaign and subject inside a sub-tree."""
    counted: dict[int, dict[int, int]] = {campaign_id: {} for campaign_id in campaign_ids}
    if not counted:
        return counted
    statement = (
        select(TurnoutDay.campaign_id, TurnoutDay.subject_id, func.sum(TurnoutDay.returned))
        .join(
            CampaignSubject,
            and_(
                CampaignSubject.campaign_id == TurnoutDay.campaign_id,
                CampaignSubject.subject_id == TurnoutDay.subject_id,
            ),
        )
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(TurnoutDay.campaign_id.in_(campaign_ids), TurnoutDay.day < day, is_within(within_path))
        .group_by(TurnoutDay.campaign_id, TurnoutDay.subject_id)
    )
    for campaign_id, subject_id, returned in session.execute(statement):
        counted[campaign_id][subject_id] = int(returned)
    return counted


def count_parts(session: Session, campaign_id: int, *, within_path: str) -> dict[int, Parts]:
    """Return the live numbers of ballots by mode and class, by subject."""
    statement = (
        select(TallyRow.subject_id, TallyRow.mode, TallyRow.rater_class, func.sum(TallyRow.returned))
        .join(
            CampaignSubject,
            and_(
                CampaignSubject.campaign_id == TallyRow.campaign_id,
                CampaignSubject.subject_id == TallyRow.subject_id,
            ),
        )
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(TallyRow.campaign_id == campaign_id, is_within(within_path))
        .group_by(TallyRow.subject_id, TallyRow.mode, TallyRow.rater_class)
    )
    return _add_parts(session.execute(statement))


def count_sealed_parts(session: Session, campaign_id: int, *, within_path: str) -> dict[int, Parts]:
    """Return the sealed numbers of ballots by mode and class, by subject."""
    return _add_parts(list_sealed_parts(session, campaign_id, within_path=within_path))


def _add_parts(slices: Iterable[Any]) -> dict[int, Parts]:
    counted: dict[int, Parts] = {}
    for subject_id, mode, rater_class, returned in slices:
        parts = counted.setdefault(subject_id, Parts({}, {}))
        _add(parts.by_mode, Mode(mode), returned)
        _add(parts.by_class, RaterClass(rater_class), returned)
    return counted


def _add(counts: dict[Any, int], key: object, number: int) -> None:
    counts[key] = counts.get(key, 0) + int(number)


def has_ballots(session: Session, campaign_id: int) -> bool:
    """Tell whether anybody has voted, also where no tally knows of it yet."""
    voted = exists().where(Ballot.campaign_id == campaign_id)
    return bool(session.scalar(select(voted)))


def list_posted(session: Session, campaign_id: int) -> dict[int, list[Posted]]:
    """Return the posted entrances that are in use, by subject."""
    statement = (
        select(Entrance.subject_id, Entrance.rater_class, Entrance.place, Entrance.code)
        .where(Entrance.campaign_id == campaign_id, Entrance.code.is_not(None))
        .where(Entrance.revoked_at.is_(None), Entrance.is_preview.is_(False))
        .order_by(Entrance.id)
    )
    found: dict[int, list[Posted]] = {}
    for subject_id, rater_class, place, code in session.execute(statement):
        if subject_id is not None:
            found.setdefault(subject_id, []).append(Posted(rater_class, place, code or ""))
    return found


def count_slots(session: Session, campaign_id: int) -> dict[int, list[Slots]]:
    """Return the numbers of one-time codes in use, by subject; those of panels stand elsewhere."""
    statement = (
        select(Entrance.subject_id, Entrance.mode, Entrance.rater_class, func.count())
        .where(Entrance.campaign_id == campaign_id, Entrance.serial.is_not(None))
        .where(Entrance.revoked_at.is_(None), Entrance.panel_id.is_(None))
        .group_by(Entrance.subject_id, Entrance.mode, Entrance.rater_class)
        .order_by(Entrance.mode, Entrance.rater_class)
    )
    found: dict[int, list[Slots]] = {}
    for subject_id, mode, rater_class, count in session.execute(statement):
        if subject_id is not None:
            found.setdefault(subject_id, []).append(Slots(mode, rater_class, count))
    return found
