"""Reads of slots in numbers: what became of the letters of each subject, and their serials.

Nothing here knows which of them were used.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.entrances.models import CodeBatch, Entrance, HouseholdGroup, Panel, PanelSubject
from survey_service.entrances.rules import RevokedAs
from survey_service.entrances.sittings import HOLDER, holder_id
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within

_STREAM_ROWS = 2_000


@dataclass(frozen=True)
class CodeCounts:
    """What became of the codes of one subject, mode and class, or of those of a panel, which has no subject.

    `made` counts every slot; of these `undelivered` and `revoked` open nothing now, and the others stand in
    batches that were printed, or handed out, or neither. `printable` can still be printed.
    """

    subject_id: int | None
    organization_code: str
    name: str
    mode: Mode
    rater_class: RaterClass
    made: int
    printed: int
    handed_out: int
    undelivered: int
    revoked: int
    reissued: int
    printable: int

    @property
    def in_use(self) -> int:
        return self.made - self.undelivered - self.revoked


@dataclass(frozen=True)
class SlotRow:
    """A slot in a list of serials, without its code."""

    organization_code: str
    name: str
    mode: Mode
    rater_class: RaterClass
    serial: int
    issue: int
    is_revoked: bool
    revoked_as: RevokedAs | None
    group: str


def count_codes(session: Session, *, campaign_id: int, within_path: str) -> list[CodeCounts]:
    """Return the numbers of one-time codes inside a sub-tree, in the order of the campaign."""
    return _count_codes(session, campaign_id, is_within(within_path))


def count_codes_rating(session: Session, *, campaign_id: int, subject_id: int) -> list[CodeCounts]:
    """Return the numbers of the codes that rate a subject: its own, and those of panels."""
    panels = select(PanelSubject.panel_id).where(
        PanelSubject.campaign_id == campaign_id, PanelSubject.subject_id == subject_id
    )
    rates_it = or_(Entrance.subject_id == subject_id, Entrance.panel_id.in_(panels))
    return _count_codes(session, campaign_id, rates_it)


def _count_codes(session: Session, campaign_id: int, is_wanted: ColumnElement[bool]) -> list[CodeCounts]:
    is_open = Entrance.revoked_at.is_(None)
    statement: Select[*tuple[Any, ...]] = (
        select(
            Entrance.subject_id,
            Organization.code,
            Organization.name,
            Entrance.mode,
            Entrance.rater_class,
            func.count(),
            _count(is_open & HOLDER.printed_at.is_not(None)),
            _count(is_open & HOLDER.handed_out_at.is_not(None)),
            _count(Entrance.revoked_as == RevokedAs.UNDELIVERED),
            _count(~is_open & func.coalesce(Entrance.revoked_as != RevokedAs.UNDELIVERED, True)),
            _count(Entrance.issue > 1),
            _count(is_open & HOLDER.wrapped_key.is_not(None)),
        )
        .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
        .join(HOLDER, HOLDER.id == holder_id())
        .outerjoin(CampaignSubject, _is_same_subject())
        .outerjoin(Panel, Panel.id == Entrance.panel_id)
        .join(Organization, Organization.id == _organization_id())
        .where(Entrance.campaign_id == campaign_id, Entrance.serial.is_not(None), is_wanted)
        .group_by(
            CampaignSubject.position,
            Entrance.subject_id,
            Organization.id,
            Entrance.mode,
            Entrance.rater_class,
        )
        .order_by(CampaignSubject.position, Organization.id, Entrance.mode, Entrance.rater_class)
    )
    return [CodeCounts(*row) for row in session.execute(statement)]


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


def _organization_id() -> ColumnElement[int]:
    return func.coalesce(CampaignSubject.organization_id, Panel.organization_id)


def _is_same_subject() -> ColumnElement[bool]:
    return (CampaignSubject.campaign_id == Entrance.campaign_id) & (
        CampaignSubject.subject_id == Entrance.subject_id
    )


def list_groups(session: Session, *, campaign_id: int) -> dict[int, list[HouseholdGroup]]:
    """Return the villagers' groups of each subject in the order of their serials."""
    found: dict[int, list[HouseholdGroup]] = {}
    groups = session.scalars(
        select(HouseholdGroup)
        .where(HouseholdGroup.campaign_id == campaign_id)
        .order_by(HouseholdGroup.subject_id, HouseholdGroup.first_serial)
    )
    for group in groups:
        found.setdefault(group.subject_id, []).append(group)
    return found


def group_of(groups: Iterable[HouseholdGroup], serial: int) -> str:
    """Return the name of the group that a serial belongs to, or nothing."""
    return next((one.name for one in groups if one.first_serial <= serial <= one.last_serial), "")


def list_serials(
    session: Session,
    *,
    campaign_id: int,
    within_path: str,
    mode: Mode,
    organization_codes: Sequence[str] | None = None,
) -> Iterator[SlotRow]:
    """Yield the slots inside a sub-tree, by village, class and serial, so in the order of the groups."""
    groups = list_groups(session, campaign_id=campaign_id) if mode is Mode.HOUSEHOLD else {}
    statement: Select[*tuple[Any, ...]] = (
        select(
            Organization.code,
            Organization.name,
            Entrance.rater_class,
            Entrance.serial,
            Entrance.issue,
            Entrance.revoked_at,
            Entrance.revoked_as,
            Entrance.subject_id,
        )
        .outerjoin(CampaignSubject, _is_same_subject())
        .outerjoin(Panel, Panel.id == Entrance.panel_id)
        .join(Organization, Organization.id == _organization_id())
        .where(Entrance.campaign_id == campaign_id, Entrance.mode == mode, Entrance.serial.is_not(None))
        .where(is_within(within_path))
        .order_by(CampaignSubject.position, Organization.id, Entrance.rater_class, Entrance.serial)
        .execution_options(yield_per=_STREAM_ROWS)
    )
    if organization_codes is not None:
        statement = statement.where(Organization.code.in_(organization_codes))
    for code, name, rater_class, serial, issue, revoked_at, revoked_as, subject_id in session.execute(
        statement
    ):
        yield SlotRow(
            code,
            name,
            mode,
            rater_class,
            serial,
            issue,
            is_revoked=revoked_at is not None,
            revoked_as=revoked_as,
            group=group_of(groups.get(subject_id, ()), serial),
        )
