"""Reads of what was sealed: snapshots, sealed scores, published receipts, and what is left to be done."""

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby

from sqlalchemy import ColumnElement, ScalarSelect, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from survey_service.ballots.models import Ballot, Receipt
from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.queries import get_campaign
from survey_service.core.errors import Conflict, NotFound
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import OrganizationKind
from survey_service.sealing.documents import write_snapshot
from survey_service.sealing.models import PublishedReceipts, ScoreSnapshot, SealedScore, Sealing
from survey_service.sealing.rules import Step

_STREAM_ROWS = 5_000
_STREAM_LISTS = 20
_AREAS = (OrganizationKind.TOWN, OrganizationKind.COUNTY, OrganizationKind.CITY)


def interrupted_sealings(session: Session, *, before: datetime) -> list[int]:
    """Return the campaigns whose sealing has not moved since a moment and is not finished."""
    waiting = select(Sealing.campaign_id).where(Sealing.step != Step.SEALED, Sealing.moved_at < before)
    return list(session.scalars(waiting))


def count_ballots(session: Session, campaign_id: int) -> dict[int, int]:
    """Return the number of ballots by subject."""
    statement = select(Ballot.subject_id, func.count()).where(Ballot.campaign_id == campaign_id)
    return dict(session.execute(statement.group_by(Ballot.subject_id)).all())


def receipts_by_subject(session: Session, campaign_id: int) -> Iterator[tuple[int, list[str]]]:
    """Yield each subject that has receipts with all of them, in no order."""
    statement = (
        select(Receipt.subject_id, Receipt.receipt)
        .where(Receipt.campaign_id == campaign_id)
        .order_by(Receipt.subject_id)
        .execution_options(yield_per=_STREAM_ROWS)
    )
    for subject_id, rows in groupby(session.execute(statement), key=lambda row: row[0]):
        yield subject_id, [row[1] for row in rows]


def area_codes(session: Session) -> dict[int, str]:
    """Return the codes of all towns, counties and cities by id."""
    statement = select(Organization.id, Organization.code).where(Organization.kind.in_(_AREAS))
    return dict(session.execute(statement).all())


def get_snapshot(session: Session, campaign_id: int, version: int | None = None) -> ScoreSnapshot:
    """Return the newest snapshot of a sealed campaign, or the one of a version.

    Raises NotFound, and Conflict `not_sealed` before the campaign is sealed.
    """
    if get_campaign(session, campaign_id).sealed_at is None:
        raise Conflict("not_sealed")
    snapshot = session.get(
        ScoreSnapshot, (campaign_id, newest_version(session, campaign_id) if version is None else version)
    )
    if snapshot is None:
        raise NotFound
    return snapshot


def get_digest(session: Session, campaign_id: int) -> str:
    """Return the digest of the newest snapshot."""
    version = newest_version(session, campaign_id)
    return session.get_one(ScoreSnapshot, (campaign_id, version)).digest


def newest_version(session: Session, campaign_id: int) -> int:
    """Return the number of the newest snapshot; 0 before the first."""
    return session.scalar(select(_newest(campaign_id))) or 0


def _newest(campaign_id: int | InstrumentedAttribute[int]) -> ScalarSelect[int]:
    newest = select(func.max(ScoreSnapshot.version)).where(ScoreSnapshot.campaign_id == campaign_id)
    return newest.correlate(CampaignSubject).scalar_subquery()


def list_snapshots(session: Session, campaign_id: int) -> list[ScoreSnapshot]:
    """Return all versions, oldest first."""
    statement = select(ScoreSnapshot).where(ScoreSnapshot.campaign_id == campaign_id)
    return list(session.scalars(statement.order_by(ScoreSnapshot.version)))


def list_scores(session: Session, snapshot: ScoreSnapshot) -> Iterator[SealedScore]:
    """Yield the scores of a snapshot in the order of the campaign."""
    statement = (
        select(SealedScore)
        .where(SealedScore.campaign_id == snapshot.campaign_id, SealedScore.version == snapshot.version)
        .order_by(SealedScore.position)
        .execution_options(yield_per=_STREAM_LISTS)
    )
    with session.scalars(statement) as found:
        yield from found


def read_document(session: Session, snapshot: ScoreSnapshot) -> Iterator[str]:
    """Yield the document of a snapshot piece by piece."""
    return write_snapshot(snapshot.head, list_scores(session, snapshot))


def is_newest_score(campaign_id: int | InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Return the condition that joins a subject of a campaign with its sealed score, where there is one."""
    return _is_score_in(_newest(campaign_id))


def is_score_of(snapshot: ScoreSnapshot) -> ColumnElement[bool]:
    """Return the condition that joins a subject of a campaign with its score in one version."""
    return _is_score_in(snapshot.version)


def _is_score_in(version: int | ScalarSelect[int]) -> ColumnElement[bool]:
    return and_(
        SealedScore.campaign_id == CampaignSubject.campaign_id,
        SealedScore.subject_id == CampaignSubject.subject_id,
        SealedScore.version == version,
    )


def get_sealed_score(session: Session, campaign_id: int, subject_id: int) -> SealedScore:
    """Return one subject's score of the newest snapshot."""
    return session.get_one(SealedScore, (campaign_id, newest_version(session, campaign_id), subject_id))


def list_sealed_parts(
    session: Session, campaign_id: int, *, within_path: str
) -> Iterator[tuple[int, str, str, int]]:
    """Yield subject, mode, class and number of ballots of every sealed slice inside a sub-tree."""
    statement = (
        select(SealedScore.subject_id, SealedScore.tallies)
        .select_from(CampaignSubject)
        .join(SealedScore, is_newest_score(campaign_id))
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(CampaignSubject.campaign_id == campaign_id, is_within(within_path))
    )
    for subject_id, tallies in session.execute(statement):
        for one in json.loads(tallies)["slices"]:
            yield subject_id, one["mode"], one["rater_class"], one["returned"]


def list_published(session: Session, campaign_id: int) -> Iterator[PublishedReceipts]:
    """Yield the published lists of receipts by code, a few at a time."""
    statement = (
        select(PublishedReceipts)
        .where(PublishedReceipts.campaign_id == campaign_id)
        .order_by(PublishedReceipts.organization_code)
        .execution_options(yield_per=_STREAM_LISTS)
    )
    with session.scalars(statement) as found:
        yield from found


def list_names(session: Session, campaign_id: int) -> dict[str, str]:
    """Return the names of the organizations under whose codes receipts are published, by code."""
    statement = (
        select(Organization.code, Organization.name)
        .join(PublishedReceipts, PublishedReceipts.organization_code == Organization.code)
        .where(PublishedReceipts.campaign_id == campaign_id)
    )
    return dict(session.execute(statement).all())


def count_published(session: Session, campaign_id: int) -> int:
    """Return how many receipts are published."""
    statement = select(func.sum(PublishedReceipts.count)).where(PublishedReceipts.campaign_id == campaign_id)
    return session.scalar(statement) or 0


def find_published(session: Session, campaign_id: int, receipt: str) -> str | None:
    """Return the name of the organization under which a receipt is published, or None when it is not."""
    return session.scalar(
        select(func.coalesce(Organization.name, PublishedReceipts.organization_code))
        .select_from(PublishedReceipts)
        .outerjoin(Organization, Organization.code == PublishedReceipts.organization_code)
        .where(PublishedReceipts.campaign_id == campaign_id)
        .where(PublishedReceipts.receipts.contains(receipt, autoescape=True))
    )
