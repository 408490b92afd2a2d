"""Reads of runs and their parts; what a part holds is read by nobody but the download."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.rules import Mode
from survey_service.core.errors import NotFound
from survey_service.entrances.models import CodeBatch, Entrance, Panel
from survey_service.entrances.slot_places import SlotPlace
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import is_within
from survey_service.print_runs.models import PrintPart, PrintRun
from survey_service.print_runs.rules import LEASE, PartState


@dataclass(frozen=True)
class RunProgress:
    """A run with its parts by state, and how many of its codes stand in printed parts."""

    run: PrintRun
    parts: int
    waiting: int
    printed: int
    failed: int
    dropped: int
    codes: int
    codes_printed: int

    @property
    def is_finished(self) -> bool:
        return self.waiting == 0


@dataclass(frozen=True)
class PartRow:
    """A part in a list, without what it holds."""

    number: int
    organization_code: str
    name: str
    group: str
    first_serial: int
    last_serial: int
    codes: int
    state: PartState


def path_of_run(session: Session, *, campaign_id: int, run_id: int, **_: object) -> str:
    """Return the path of the organization from which a run was started; raises NotFound."""
    path = session.scalar(
        select(Organization.path)
        .join(PrintRun, PrintRun.organization_id == Organization.id)
        .where(PrintRun.id == run_id, PrintRun.campaign_id == campaign_id)
    )
    if path is None:
        raise NotFound
    return path


def get_run(session: Session, run_id: int) -> PrintRun:
    """Return a run; raises NotFound."""
    run = session.get(PrintRun, run_id)
    if run is None:
        raise NotFound
    return run


def _progress() -> Select[*tuple[Any, ...]]:
    in_state = {state: PrintPart.state == state for state in PartState}
    return (
        select(
            PrintRun,
            func.count(PrintPart.number),
            *(_count(in_state[state]) for state in PartState),
            func.sum(PrintPart.codes),
            _count(in_state[PartState.PRINTED], PrintPart.codes),
        )
        .join(PrintPart, PrintPart.run_id == PrintRun.id)
        .group_by(PrintRun.id)
    )


def _count(condition: ColumnElement[bool], what: Any = 1) -> ColumnElement[int]:
    return func.sum(case((condition, what), else_=0))


def read_progress(session: Session, run_id: int) -> RunProgress:
    """Return how far a run has come; raises NotFound."""
    row = session.execute(_progress().where(PrintRun.id == run_id)).one_or_none()
    if row is None:
        raise NotFound
    return RunProgress(*row)


def list_runs(session: Session, *, campaign_id: int, within_path: str, limit: int = 50) -> list[RunProgress]:
    """Return the newest runs of a campaign that were started inside a sub-tree, the newest first."""
    statement = (
        _progress()
        .join(Organization, Organization.id == PrintRun.organization_id)
        .where(PrintRun.campaign_id == campaign_id, is_within(within_path))
        .order_by(PrintRun.id.desc())
        .limit(limit)
    )
    return [RunProgress(*row) for row in session.execute(statement)]


def list_parts(session: Session, run_id: int) -> list[PartRow]:
    """Return the parts of a run in their order."""
    rows = session.execute(
        select(
            PrintPart.number,
            Organization.code,
            Organization.name,
            PrintPart.group_name,
            PrintPart.first_serial,
            PrintPart.last_serial,
            PrintPart.codes,
            PrintPart.state,
        )
        .join(CodeBatch, CodeBatch.id == PrintPart.batch_id)
        .outerjoin(Subject, Subject.id == CodeBatch.subject_id)
        .outerjoin(Panel, Panel.id == CodeBatch.panel_id)
        .join(Organization, Organization.id == func.coalesce(Subject.organization_id, Panel.organization_id))
        .where(PrintPart.run_id == run_id)
        .order_by(PrintPart.number)
    )
    return [PartRow(*row) for row in rows]


def waiting_runs(session: Session, *, now: datetime) -> list[int]:
    """Return the runs with parts that somebody can take now."""
    return list(session.scalars(select(PrintPart.run_id).where(is_takeable(now)).distinct()))


def is_takeable(now: datetime) -> ColumnElement[bool]:
    """Return the condition that a part waits, and that nobody is at work on it."""
    is_free = or_(PrintPart.claimed_at.is_(None), PrintPart.claimed_at < now - LEASE)
    return (PrintPart.state == PartState.WAITING) & is_free


def codes_of_part() -> ScalarSelect[int]:
    """Return how many codes of a part can be used."""
    is_inside = Entrance.serial.between(PrintPart.first_serial, PrintPart.last_serial)
    is_of_batch = Entrance.batch_id == PrintPart.batch_id
    count = select(func.count()).where(is_of_batch, is_inside, Entrance.revoked_at.is_(None))
    return count.scalar_subquery()


def is_outdated(codes: ScalarSelect[int]) -> ColumnElement[bool]:
    """Return the condition that a part holds others than its `codes`, which can still be printed."""
    can_print = CodeBatch.wrapped_key.is_not(None) & (PrintPart.state != PartState.DROPPED)
    return can_print & (PrintPart.codes != codes)


def outdated_campaigns(session: Session) -> list[int]:
    """Return the campaigns with parts whose slots have changed since they were planned."""
    statement = select(CodeBatch.campaign_id).join(PrintPart, PrintPart.batch_id == CodeBatch.id)
    return list(session.scalars(statement.where(is_outdated(codes_of_part())).distinct()))


def list_printable_batches(
    session: Session, *, campaign_id: int, places: Sequence[SlotPlace], mode: Mode, is_new_only: bool
) -> list[CodeBatch]:
    """Return the batches of some places whose codes can still be shown, oldest first."""
    statement = (
        select(CodeBatch)
        .where(CodeBatch.campaign_id == campaign_id, _is_of(places))
        .where(CodeBatch.mode == mode, CodeBatch.wrapped_key.is_not(None))
        .order_by(CodeBatch.id)
    )
    if is_new_only:
        statement = statement.where(CodeBatch.printed_at.is_(None))
    return list(session.scalars(statement))


def _is_of(places: Sequence[SlotPlace]) -> ColumnElement[bool]:
    subjects = [place.subject_id for place in places if place.subject_id is not None]
    panels = [place.panel_id for place in places if place.panel_id is not None]
    return or_(CodeBatch.subject_id.in_(subjects), CodeBatch.panel_id.in_(panels))


def open_serials(session: Session, batch_ids: Sequence[int]) -> dict[int, list[int]]:
    """Return the serials of the slots that are open, in order, by batch."""
    rows = session.execute(
        select(Entrance.batch_id, Entrance.serial)
        .where(Entrance.batch_id.in_(batch_ids), Entrance.revoked_at.is_(None))
        .order_by(Entrance.serial)
    )
    found: dict[int, list[int]] = {}
    for batch_id, serial in rows:
        assert batch_id is not None
        assert serial is not None
        found.setdefault(batch_id, []).append(serial)
    return found


def waiting_for_hand_out(
    session: Session, *, campaign_id: int, places: Sequence[SlotPlace], mode: Mode
) -> list[CodeBatch]:
    """Return, and hold, the batches of some places that were printed and not handed out."""
    return list(
        session.scalars(
            select(CodeBatch)
            .where(CodeBatch.campaign_id == campaign_id, _is_of(places))
            .where(CodeBatch.mode == mode)
            .where(CodeBatch.printed_at.is_not(None), CodeBatch.handed_out_at.is_(None))
            .order_by(CodeBatch.id)
            .with_for_update(of=CodeBatch)
        )
    )
