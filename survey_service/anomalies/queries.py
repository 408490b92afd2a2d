"""Reads of flags, exclusions and disputes: counts by group, and never an answer."""

from collections.abc import Collection, Mapping

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.anomalies.models import DisputeCount, DisputeRuling
from survey_service.anomalies.rules import DisputeDecision, is_disputed
from survey_service.ballots.models import Ballot
from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.models import Campaign
from survey_service.core.errors import NotFound
from survey_service.entrances.models import Entrance
from survey_service.staff.models import StaffAccount
from survey_service.tallies.models import Exclusion
from survey_service.tallies.queries import count_one_time
from survey_service.tallies.rules import Group


def count_flagged(session: Session, campaign_id: int, subject_ids: Collection[int]) -> dict[Group, int]:
    """Return the number of ballots of each flagged group of some subjects."""
    columns = (Ballot.subject_id, Ballot.rater_class, Ballot.mode, Ballot.place_id, Ballot.flag)
    statement = (
        select(*columns, func.count())
        .where(Ballot.campaign_id == campaign_id, Ballot.subject_id.in_(subject_ids))
        .where(Ballot.flag.in_(list(BallotFlag)))
        .group_by(*columns)
    )
    return {Group(*row[:5]): row[5] for row in session.execute(statement)}


def list_exclusions(session: Session, campaign_id: int, subject_ids: Collection[int]) -> list[Exclusion]:
    """Return what was proposed about some subjects, oldest first."""
    statement = select(Exclusion).where(
        Exclusion.campaign_id == campaign_id, Exclusion.subject_id.in_(subject_ids)
    )
    return list(session.scalars(statement.order_by(Exclusion.id)))


def get_exclusion(session: Session, campaign_id: int, exclusion_id: int) -> Exclusion:
    """Return an exclusion and hold it; raises NotFound, also for one of another campaign."""
    exclusion = session.get(Exclusion, exclusion_id, with_for_update=True, populate_existing=True)
    if exclusion is None or exclusion.campaign_id != campaign_id:
        raise NotFound
    return exclusion


def places_of(session: Session, place_ids: Collection[int]) -> dict[int, str]:
    """Return where posted entrances hang."""
    statement = select(Entrance.id, Entrance.place).where(Entrance.id.in_(place_ids))
    return dict(session.execute(statement).all())


def names_of(session: Session, staff_ids: Collection[int]) -> dict[int, str]:
    """Return the names of staff by id."""
    statement = select(StaffAccount.id, StaffAccount.display_name).where(StaffAccount.id.in_(staff_ids))
    return dict(session.execute(statement).all())


def count_disputes(session: Session, campaign_id: int) -> Mapping[int, int]:
    """Return the number of disputed codes by subject."""
    statement = select(DisputeCount.subject_id, DisputeCount.disputes)
    return dict(session.execute(statement.where(DisputeCount.campaign_id == campaign_id)).all())


def disputed_subjects(session: Session, campaign: Campaign) -> set[int]:
    """Return the subjects whose disputes exceed the campaign's share."""
    counts = count_disputes(session, campaign.id)
    ballots = count_one_time(session, campaign.id) if counts else {}
    return {
        subject_id
        for subject_id, disputes in counts.items()
        if is_disputed(
            disputes=disputes,
            one_time_ballots=ballots.get(subject_id, 0),
            permille=campaign.dispute_permille,
        )
    }


def list_rulings(session: Session, campaign_id: int) -> list[DisputeRuling]:
    """Return what the county has ruled, oldest first."""
    statement = select(DisputeRuling).where(DisputeRuling.campaign_id == campaign_id)
    return list(session.scalars(statement.order_by(DisputeRuling.id)))


def held_subjects(session: Session, campaign_id: int) -> set[int]:
    """Return the subjects whose score the county holds: the newest ruling decides."""
    newest = {ruling.subject_id: ruling.decision for ruling in list_rulings(session, campaign_id)}
    return {subject_id for subject_id, decision in newest.items() if decision is DisputeDecision.HOLD}
