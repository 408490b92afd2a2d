"""Reads of the tally sheet."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot, DirtyMark, Participation
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import ONE_TIME_MODES
from survey_service.tallies.models import Exclusion, TallyHead, TallyRow, TurnoutDay
from survey_service.tallies.rules import ExclusionState, Group, SliceKey

_STREAM_ROWS = 20_000


def dirty_campaigns(session: Session) -> list[int]:
    """Return the campaigns whose tally lacks ballots; a sealed one lacks none, whatever marks it has."""
    marked = select(DirtyMark.campaign_id).join(Campaign, Campaign.id == DirtyMark.campaign_id)
    unsealed = marked.where(Campaign.sealed_at.is_(None)).distinct()
    return list(session.scalars(unsealed.order_by(DirtyMark.campaign_id)))


def dirty_subjects(session: Session, campaign_id: int) -> set[int]:
    """Return the subjects whose tally lacks ballots."""
    return set(
        session.scalars(select(DirtyMark.subject_id).where(DirtyMark.campaign_id == campaign_id).distinct())
    )


_GROUP = (Ballot.subject_id, Ballot.rater_class, Ballot.mode, Ballot.place_id, Ballot.flag)


def stream_ballots(
    session: Session, campaign_id: int, subject_id: int | None = None, *, of: Group | None = None
) -> Iterator[Sequence[Row[int, str, str, int, str, str]]]:
    """Yield the parts of the group, and the answers, of a campaign's ballots, a batch at a time.

    Or only those of one subject, or of one group.
    """
    statement = select(*_GROUP, Ballot.answers).where(Ballot.campaign_id == campaign_id)
    if subject_id is not None:
        statement = statement.where(Ballot.subject_id == subject_id)
    if of is not None:
        statement = statement.where(*(column == value for column, value in zip(_GROUP, of, strict=True)))
    # Past the ORM, which looks at every row.
    yield from (
        session.connection().execute(statement, execution_options={"yield_per": _STREAM_ROWS}).partitions()
    )


def excluded_groups(session: Session, campaign_id: int) -> frozenset[Group]:
    """Return the groups that a rebuild leaves out of the score."""
    confirmed = select(Exclusion).where(
        Exclusion.campaign_id == campaign_id, Exclusion.state == ExclusionState.CONFIRMED
    )
    return frozenset(exclusion.group for exclusion in session.scalars(confirmed))


def list_slices(
    session: Session, campaign_id: int, subject_ids: Iterable[int] | None = None
) -> list[TallyRow]:
    """Return the tally sheet of a campaign, or of some of its subjects."""
    statement = select(TallyRow).where(TallyRow.campaign_id == campaign_id)
    if subject_ids is not None:
        statement = statement.where(TallyRow.subject_id.in_(list(subject_ids)))
    return list(session.scalars(statement.order_by(TallyRow.subject_id)))


def list_heads(session: Session, campaign_id: int) -> dict[int, TallyHead]:
    """Return the head of each subject's tally."""
    heads = session.scalars(select(TallyHead).where(TallyHead.campaign_id == campaign_id))
    return {head.subject_id: head for head in heads}


def daily_turnout(session: Session, campaign_id: int, subject_ids: Iterable[int]) -> list[TurnoutDay]:
    """Return the daily counts of some subjects, oldest first."""
    return list(
        session.scalars(
            select(TurnoutDay)
            .where(TurnoutDay.campaign_id == campaign_id, TurnoutDay.subject_id.in_(list(subject_ids)))
            .order_by(TurnoutDay.day)
        )
    )


def count_rows(session: Session, campaign_id: int) -> tuple[int, int]:
    """Return the numbers of participations and of ballots: the invariant is that they are equal."""
    participations = select(func.count()).where(Participation.campaign_id == campaign_id)
    ballots = select(func.count()).where(Ballot.campaign_id == campaign_id)
    return session.scalar(participations) or 0, session.scalar(ballots) or 0


def count_slices(session: Session, campaign_id: int, subject_ids: Collection[int]) -> dict[SliceKey, int]:
    """Return the number of ballots of each slice, the excluded ones with all others."""
    columns = (TallyRow.subject_id, TallyRow.rater_class, TallyRow.mode, TallyRow.place_id)
    statement = (
        select(*columns, func.sum(TallyRow.returned))
        .where(TallyRow.campaign_id == campaign_id, TallyRow.subject_id.in_(subject_ids))
        .group_by(*columns)
    )
    return {SliceKey(*row[:4]): int(row[4]) for row in session.execute(statement)}


def count_one_time(session: Session, campaign_id: int) -> Mapping[int, int]:
    """Return the number of ballots with one-time codes by subject."""
    statement = (
        select(TallyRow.subject_id, func.sum(TallyRow.returned))
        .where(TallyRow.campaign_id == campaign_id, TallyRow.mode.in_(list(ONE_TIME_MODES)))
        .group_by(TallyRow.subject_id)
    )
    return {subject_id: int(number) for subject_id, number in session.execute(statement)}
