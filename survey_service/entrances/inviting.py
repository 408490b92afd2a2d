"""Use cases of panels: make codes that rate several subjects, and show them again for printing."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import SubjectRow, get_campaign, list_subjects, lock_subjects
from survey_service.campaigns.rules import Mode, RaterClass, campaign_target
from survey_service.core.audit import record
from survey_service.core.canonical import canonical_digest
from survey_service.core.errors import Forbidden, Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.core.texts import text
from survey_service.entrances.batches import (
    add_batches,
    code_in_clear,
    find_batches,
    make_slots,
    mark_printed,
)
from survey_service.entrances.models import CodeBatch, Entrance, Panel, PanelSubject
from survey_service.entrances.printing import printable_slots
from survey_service.entrances.service import IssuedCode, check_entrance, check_number, create_entrances
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import find_by_codes

MAX_PANEL_SUBJECTS = 100
"""More than anybody rates in one sitting; the mark of what is done has to fit into a cookie."""


def create_slots(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    organization_codes: Sequence[str],
    mode: Mode,
    rater_class: RaterClass,
    now: datetime,
    count: int = 1,
    place: str = "",
    idempotency_key: str | None = None,
    are_shown: bool = True,
) -> list[IssuedCode]:
    """Make entrances as `create_entrances` does, and raise what it raises.

    Panel codes of one organization that is no subject itself rate all subjects below it.
    """
    where = _place_above_subjects(session, campaign_id, organization_codes) if mode is Mode.PANEL else None
    if where is None:
        return create_entrances(
            session,
            staff=staff,
            keyring=keyring,
            campaign_id=campaign_id,
            organization_codes=organization_codes,
            mode=mode,
            rater_class=rater_class,
            now=now,
            count=count,
            place=place,
            idempotency_key=idempotency_key,
            are_shown=are_shown,
        )
    batch = _create_panel_codes(
        session, staff, keyring, campaign_id, where, rater_class, count, idempotency_key, now
    )
    if are_shown:
        mark_printed([batch], now)
    return [
        _issued(keyring, entrance, batch, where.code)
        for entrance, its_batch in _list_slots(session, batch.place_id)
        if its_batch is batch
    ]


def _place_above_subjects(
    session: Session, campaign_id: int, organization_codes: Sequence[str]
) -> Organization | None:
    """Return the one organization that is named, when it is not rated itself but some below it are."""
    if len(organization_codes) != 1:
        return None
    where = find_by_codes(session, organization_codes).get(organization_codes[0])
    if where is None or list_subjects(session, campaign_id, organization_codes=organization_codes):
        return None
    return where if list_subjects(session, campaign_id, within_path=where.path, limit=1) else None


def _create_panel_codes(
    session: Session,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    where: Organization,
    rater_class: RaterClass,
    count: int,
    idempotency_key: str | None,
    now: datetime,
) -> CodeBatch:
    check_entrance(get_campaign(session, campaign_id), Mode.PANEL, rater_class, now)
    check_number(count)
    subjects = subjects_of_panel(session, staff, campaign_id, where)
    # Others who make entrances of the same subjects wait here, for the serials and for the batch.
    lock_subjects(session, campaign_id, [subject.subject_id for subject in subjects])
    panel = _ensure_panel(session, campaign_id, where, subjects)
    request = canonical_digest([campaign_id, where.code, Mode.PANEL, rater_class, count])
    made = find_batches(session, campaign_id=campaign_id, idempotency_key=idempotency_key, request=request)
    facts = {"organization_code": where.code, "rater_class": rater_class, "count": count}
    batches = made or add_batches(
        session,
        keyring,
        campaign_id=campaign_id,
        subject_ids=[None],
        panel_id=panel.id,
        mode=Mode.PANEL,
        rater_class=rater_class,
        request=request,
        idempotency_key=idempotency_key,
        now=now,
    )
    if made:
        facts |= {"shown_again": True}
    else:
        first = _last_serial(session, panel, rater_class) + 1
        make_slots(session, keyring, batches, {panel.id: range(first, first + count)})
    facts |= {"batch": batches[0].id, "subjects": len(subjects)}
    record(session, "entrances.create", campaign_target(campaign_id), after=facts)
    return batches[0]


def subjects_of_panel(
    session: Session, staff: Identity, campaign_id: int, where: Organization
) -> list[SubjectRow]:
    """Return the subjects under an organization; raises Forbidden unless the caller stands above all."""
    subjects = list_subjects(session, campaign_id, within_path=where.path)
    if not all(staff.is_above(subject.path) for subject in subjects):
        raise Forbidden
    if len(subjects) > MAX_PANEL_SUBJECTS:
        raise Invalid(
            errors={"organization_code": [text("entrances.panel_too_large", most=MAX_PANEL_SUBJECTS)]}
        )
    return subjects


def _ensure_panel(
    session: Session, campaign_id: int, where: Organization, subjects: Sequence[SubjectRow]
) -> Panel:
    """Return the panel of an organization; before launch it may gain subjects that were added meanwhile."""
    key = {"campaign_id": campaign_id, "organization_id": where.id}
    panel = session.scalar(select(Panel).filter_by(**key))
    if panel is None:
        panel = Panel(**key)
        session.add(panel)
        session.flush()
    known = set(session.scalars(select(PanelSubject.subject_id).filter_by(panel_id=panel.id)))
    session.add_all(
        PanelSubject(panel_id=panel.id, subject_id=subject.subject_id, campaign_id=campaign_id)
        for subject in subjects
        if subject.subject_id not in known
    )
    session.flush()
    return panel


def _last_serial(session: Session, panel: Panel, rater_class: RaterClass) -> int:
    slots = select(func.max(Entrance.serial)).filter_by(panel_id=panel.id, rater_class=rater_class)
    return session.scalar(slots) or 0


def list_panel_codes(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    organization_code: str,
    now: datetime,
) -> list[IssuedCode]:
    """Return the codes of an organization's panel in the clear, by class and serial.

    Raises NotFound, Forbidden unless the caller stands above all whom the panel rates, and Conflict when the
    codes have been handed out.
    """
    row = session.execute(
        select(Panel, Organization)
        .join(Organization, Organization.id == Panel.organization_id)
        .where(Panel.campaign_id == campaign_id, Organization.code == organization_code)
    ).one_or_none()
    if row is None:
        raise NotFound
    panel, where = row
    subjects_of_panel(session, staff, campaign_id, where)
    slots = printable_slots(_list_slots(session, panel.id))
    mark_printed((batch for _, batch in slots), now)
    return [_issued(keyring, entrance, batch, organization_code) for entrance, batch in slots]


def _list_slots(session: Session, panel_id: int) -> list[tuple[Entrance, CodeBatch]]:
    rows = session.execute(
        select(Entrance, CodeBatch)
        .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
        .where(Entrance.panel_id == panel_id, Entrance.revoked_at.is_(None))
        .order_by(Entrance.rater_class, Entrance.serial)
    )
    return [(entrance, batch) for entrance, batch in rows]


def _issued(keyring: Keyring, entrance: Entrance, batch: CodeBatch, organization_code: str) -> IssuedCode:
    return IssuedCode(
        code_in_clear(keyring, batch, entrance),
        organization_code,
        entrance.mode,
        entrance.rater_class,
        serial=entrance.serial,
    )
