"""Reads of paper batches; none of them joins stubs with ballots."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.errors import NotFound
from survey_service.entrances.models import Entrance, PanelSubject
from survey_service.organizations.models import Organization
from survey_service.paper_entry.models import PaperBatch, PaperLine, PaperList, PaperStub, PaperTotal
from survey_service.paper_entry.rules import BatchState, Keying, ListKind

STUB_MODES = frozenset({Mode.HOUSEHOLD, Mode.PANEL})
"""The slots that a stub can carry the code of."""


def get_batch(session: Session, campaign_id: int, batch_id: int, *, holds: bool = False) -> PaperBatch:
    """Return a batch, and hold its row when asked to; raises NotFound, also for one of another campaign."""
    query = select(PaperBatch).where(PaperBatch.id == batch_id, PaperBatch.campaign_id == campaign_id)
    if holds:
        query = query.with_for_update().execution_options(populate_existing=True)
    batch = session.scalar(query)
    if batch is None:
        raise NotFound
    return batch


def get_list(session: Session, batch_id: int, kind: ListKind, *, holds: bool = False) -> PaperList:
    """Return one list of a batch, and hold its row when asked to; raises NotFound."""
    query = select(PaperList).where(PaperList.batch_id == batch_id, PaperList.kind == kind)
    if holds:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def path_of_batch(session: Session, *, campaign_id: int, batch_id: int, **_: object) -> str:
    """Return the path of the organization whose paper a batch holds; raises NotFound."""
    batch = get_batch(session, campaign_id, batch_id)
    return session.execute(
        select(Organization.path)
        .join(CampaignSubject, CampaignSubject.organization_id == Organization.id)
        .where(CampaignSubject.campaign_id == campaign_id, CampaignSubject.subject_id == batch.subject_id)
    ).scalar_one()


def list_batches(session: Session, campaign_id: int, subject_ids: Collection[int]) -> list[PaperBatch]:
    """Return the batches of some subjects, oldest first."""
    statement = select(PaperBatch).where(
        PaperBatch.campaign_id == campaign_id, PaperBatch.subject_id.in_(subject_ids)
    )
    return list(session.scalars(statement.order_by(PaperBatch.id)))


def count_open_batches(session: Session, campaign_id: int) -> int:
    """Return how many batches of a campaign are still being keyed."""
    statement = select(func.count()).where(
        PaperBatch.campaign_id == campaign_id, PaperBatch.state == BatchState.OPEN
    )
    return session.scalar(statement) or 0


def read_lines(session: Session, batch_id: int, keying: Keying) -> dict[int, str]:
    """Return what one look read, by position."""
    rows = session.execute(
        select(PaperLine.position, PaperLine.line)
        .where(PaperLine.batch_id == batch_id, PaperLine.keying == keying)
        .order_by(PaperLine.position)
    )
    return dict(rows.all())


def read_stubs(session: Session, batch_id: int, keying: Keying) -> set[int]:
    """Return the slots whose stubs one look found."""
    return set(
        session.scalars(
            select(PaperStub.entrance_id).where(PaperStub.batch_id == batch_id, PaperStub.keying == keying)
        )
    )


def find_slots(session: Session, batch: PaperBatch, digests: Sequence[bytes]) -> Mapping[bytes, int]:
    """Return the unrevoked slots of a batch's subject and class by the digests of their codes.

    Those of a panel that rates the subject are among them.
    """
    panels = select(PanelSubject.panel_id).where(
        PanelSubject.campaign_id == batch.campaign_id, PanelSubject.subject_id == batch.subject_id
    )
    statement = select(Entrance.code_digest, Entrance.id).where(
        Entrance.code_digest.in_(digests),
        Entrance.campaign_id == batch.campaign_id,
        or_(Entrance.subject_id == batch.subject_id, Entrance.panel_id.in_(panels)),
        Entrance.rater_class == batch.rater_class,
        Entrance.mode.in_(STUB_MODES),
        Entrance.serial.is_not(None),
        Entrance.revoked_at.is_(None),
    )
    return dict(session.execute(statement).all())


def slots_of_panels(session: Session, entrance_ids: Collection[int]) -> set[int]:
    """Return those of some slots that rate several subjects."""
    statement = select(Entrance.id).where(Entrance.id.in_(entrance_ids), Entrance.panel_id.is_not(None))
    return set(session.scalars(statement))


def serials_of(session: Session, entrance_ids: Collection[int]) -> dict[int, tuple[Mode, int]]:
    """Return mode and serial of some slots, in the order of the serials."""
    statement = select(Entrance.id, Entrance.mode, Entrance.serial).where(Entrance.id.in_(entrance_ids))
    rows = session.execute(statement.order_by(Entrance.mode, Entrance.serial))
    return {slot: (mode, serial or 0) for slot, mode, serial in rows}


def closed_totals(
    session: Session, campaign_id: int, subject_id: int | None = None
) -> list[tuple[int, RaterClass, int, Mapping[str, Mapping[str, int]]]]:
    """Return subject, class, returned ballots and counts by item and option of every closed meeting."""
    statement = (
        select(PaperBatch.id, PaperBatch.subject_id, PaperBatch.rater_class, PaperBatch.returned)
        .where(PaperBatch.campaign_id == campaign_id, PaperBatch.state == BatchState.CLOSED)
        .where(PaperBatch.mode == Mode.PAPER_TOTAL)
        .order_by(PaperBatch.id)
    )
    if subject_id is not None:
        statement = statement.where(PaperBatch.subject_id == subject_id)
    batches = session.execute(statement).all()
    counts: dict[int, dict[str, dict[str, int]]] = {}
    if batches:
        totals = select(PaperTotal).where(PaperTotal.batch_id.in_([batch_id for batch_id, *_ in batches]))
        for one in session.scalars(totals):
            counts.setdefault(one.batch_id, {}).setdefault(one.item, {})[one.option] = one.number
    return [
        (subject, rater_class, returned or 0, counts.get(batch_id, {}))
        for batch_id, subject, rater_class, returned in batches
    ]


@dataclass(frozen=True)
class SheetCounts:
    """What became of the sheets of one subject in one mode of paper, in all its closed batches.

    `set_aside` of the returned ones came with stubs whose slots had been used before.
    """

    mode: Mode
    issued: int
    returned: int
    set_aside: int


def count_sheets(session: Session, *, campaign_id: int, subject_id: int) -> list[SheetCounts]:
    """Return what became of the sheets of a subject, by mode."""
    numbers = (PaperBatch.issued, PaperBatch.returned, PaperBatch.set_aside)
    statement = (
        select(PaperBatch.mode, *(func.sum(func.coalesce(one, 0)) for one in numbers))
        .where(PaperBatch.campaign_id == campaign_id, PaperBatch.subject_id == subject_id)
        .where(PaperBatch.state == BatchState.CLOSED)
        .group_by(PaperBatch.mode)
        .order_by(PaperBatch.mode)
    )
    return [SheetCounts(mode, *map(int, counts)) for mode, *counts in session.execute(statement)]


def issued_on_paper(session: Session, campaign_id: int) -> dict[int, dict[Mode, int]]:
    """Return how many sheets each subject was given by mode, without those that were set aside.

    A sheet that was set aside was returned and is not among the counted ones, so it has to be taken from both
    sides before the returned ones are held against the issued ones.
    """
    statement = (
        select(
            PaperBatch.subject_id,
            PaperBatch.mode,
            func.sum(PaperBatch.issued),
            func.sum(PaperBatch.set_aside),
        )
        .where(PaperBatch.campaign_id == campaign_id, PaperBatch.state == BatchState.CLOSED)
        .group_by(PaperBatch.subject_id, PaperBatch.mode)
    )
    found: dict[int, dict[Mode, int]] = {}
    for subject_id, mode, issued, set_aside in session.execute(statement):
        found.setdefault(subject_id, {})[mode] = max(0, (issued or 0) - (set_aside or 0))
    return found
