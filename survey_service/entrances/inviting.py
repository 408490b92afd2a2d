"""Use cases of panels: make codes that rate several subjects, and show them again for printing.

With further campaigns of the same owner the codes are those of a sitting (`sittings`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    get_campaign,
    get_visible_campaign,
    hold_rated,
    list_subjects,
)
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
from survey_service.entrances.sittings import (
    HOLDER,
    MAX_CAMPAIGNS,
    copy_slots,
    follow,
    holder_id,
    list_rated_by_batch,
    name_rated,
)
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
    also_campaign_ids: Sequence[int] = (),
) -> list[IssuedCode]:
    """Make entrances as `create_entrances` does, and raise what it raises.

    Panel codes of one organization that is no subject itself rate all subjects below it, and those of
    further campaigns of the same owner, where some are named.
    """
    get_visible_campaign(session, campaign_id, staff)
    where = _place_above_subjects(session, campaign_id, organization_codes) if mode is Mode.PANEL else None
    if also_campaign_ids and where is None:
        raise Invalid(errors={"also_campaign_ids": [text("entrances.sitting_of_panels")]})
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
    wanted = _Wanted(where, rater_class, count, idempotency_key, now)
    campaigns = _campaigns_of_sitting(session, campaign_id, also_campaign_ids)
    batch = _create_panel_codes(session, staff, keyring, campaigns, wanted)
    if are_shown:
        mark_printed([batch], now)
    return [
        _issued(keyring, entrance, batch, where.code)
        for entrance, its_batch in _list_slots(session, batch.place_id)
        if its_batch is batch
    ]


@dataclass(frozen=True)
class _Wanted:
    """So many codes for the panel of a place."""

    where: Organization
    rater_class: RaterClass
    count: int
    idempotency_key: str | None
    now: datetime


def _campaigns_of_sitting(session: Session, campaign_id: int, also: Iterable[int]) -> list[Campaign]:
    """Return the campaigns in their turn; raises Invalid for others than those of the same owner."""
    first = get_campaign(session, campaign_id)
    ids = [one for one in dict.fromkeys(also) if one != campaign_id]
    found = {one.id: one for one in session.scalars(select(Campaign).where(Campaign.id.in_(ids)))}
    strangers = [
        one for one in ids if one not in found or found[one].organization_id != first.organization_id
    ]
    if strangers:
        listed = "、".join(map(str, strangers))
        raise Invalid(errors={"also_campaign_ids": [text("entrances.not_of_same_owner", campaigns=listed)]})
    if len(ids) >= MAX_CAMPAIGNS:
        raise Invalid(errors={"also_campaign_ids": [text("entrances.sitting_too_long", most=MAX_CAMPAIGNS)]})
    return [first, *(found[one] for one in ids)]


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
    campaigns: Sequence[Campaign],
    wanted: _Wanted,
) -> CodeBatch:
    """Return the batch that leads; the codes of the others are the same."""
    for campaign in campaigns:
        _check(campaign, wanted)
    check_number(wanted.count)
    rated = _rated_by_campaign(session, staff, campaigns, wanted.where)
    panels = [_ensure_panel(session, one.id, wanted.where, rated[one.id]) for one in campaigns]
    first, *others = campaigns
    request = canonical_digest(
        [first.id, wanted.where.code, Mode.PANEL, wanted.rater_class, wanted.count]
        + [[one.id for one in others]] * bool(others)
    )
    made = find_batches(
        session, campaign_id=first.id, idempotency_key=wanted.idempotency_key, request=request
    )
    lead = made[0] if made else _make_codes(session, keyring, panels, wanted, request)
    facts = {"organization_code": wanted.where.code, "rater_class": wanted.rater_class, "count": wanted.count}
    if others:
        facts |= {"campaigns": [one.id for one in campaigns]}
    for campaign in campaigns:
        mine = facts | {"batch": lead.id, "subjects": len(rated[campaign.id])}
        mine |= {"shown_again": True} if made else {}
        record(session, "entrances.create", campaign_target(campaign.id), after=mine)
    return lead


def _check(campaign: Campaign, wanted: _Wanted) -> None:
    """Refuse what cannot be made, and say in which campaign where there are several."""
    try:
        check_entrance(campaign, Mode.PANEL, wanted.rater_class, wanted.now)
    except Invalid as error:
        errors = {name: [f"{campaign.title}：{one}" for one in said] for name, said in error.errors.items()}
        raise Invalid(errors=errors) from error


def _rated_by_campaign(
    session: Session, staff: Identity, campaigns: Sequence[Campaign], where: Organization
) -> Mapping[int, Sequence[SubjectRow]]:
    """Return, and hold, whom a place's panel rates in each campaign.

    Others who make entrances of the same subjects wait here, for the serials and for the batch: campaign by
    campaign in the order of the ids.
    """
    rated = {one.id: subjects_of_panel(session, staff, one.id, where) for one in campaigns}
    if sum(map(len, rated.values())) > MAX_PANEL_SUBJECTS:
        raise Invalid(
            errors={"organization_code": [text("entrances.panel_too_large", most=MAX_PANEL_SUBJECTS)]}
        )
    for campaign in campaigns:
        if not rated[campaign.id]:
            nobody = text("entrances.nobody_to_rate", title=campaign.title, name=where.name)
            raise Invalid(errors={"also_campaign_ids": [nobody]})
    for campaign_id in sorted(rated):
        hold_rated(session, campaign_id, [subject.subject_id for subject in rated[campaign_id]])
    return rated


def _make_codes(
    session: Session, keyring: Keyring, panels: Sequence[Panel], wanted: _Wanted, request: str
) -> CodeBatch:
    """Make slots with the same serials in all panels: that of a slip is one number."""
    first, *others = panels
    [lead] = add_batches(
        session,
        keyring,
        campaign_id=first.campaign_id,
        subject_ids=[None],
        panel_id=first.id,
        mode=Mode.PANEL,
        rater_class=wanted.rater_class,
        request=request,
        idempotency_key=wanted.idempotency_key,
        now=wanted.now,
    )
    start = _last_serial(session, panels, wanted.rater_class) + 1
    make_slots(session, keyring, [lead], {first.id: range(start, start + wanted.count)})
    if others:
        follow(session, lead, others)
        copy_slots(session, lead)
    return lead


def subjects_of_panel(
    session: Session, staff: Identity, campaign_id: int, where: Organization
) -> list[SubjectRow]:
    """Return the subjects under an organization.

    Raises Forbidden unless the caller stands there, or higher, and above all of them, Invalid where the
    organization is rated itself: its own people would hold the codes.
    """
    subjects = list_subjects(session, campaign_id, within_path=where.path)
    if not staff.covers(where.path) or not all(staff.is_above(subject.path) for subject in subjects):
        raise Forbidden
    if any(subject.path == where.path for subject in subjects):
        raise Invalid(errors={"organization_code": [text("entrances.rated_itself", name=where.name)]})
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


def _last_serial(session: Session, panels: Iterable[Panel], rater_class: RaterClass) -> int:
    slots = select(func.max(Entrance.serial)).where(Entrance.panel_id.in_([panel.id for panel in panels]))
    return session.scalar(slots.where(Entrance.rater_class == rater_class)) or 0


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
    batches = {batch.id: batch for _, batch in slots}
    mark_printed(batches.values(), now)
    rates = {key: name_rated(list_rated_by_batch(session, batch)) for key, batch in batches.items()}
    return [
        replace(_issued(keyring, entrance, batch, organization_code), rates=rates[batch.id])
        for entrance, batch in slots
    ]


def _list_slots(session: Session, panel_id: int) -> list[tuple[Entrance, CodeBatch]]:
    """Return the open slots of a panel, each with the batch that has the key of its code."""
    rows = session.execute(
        select(Entrance, HOLDER)
        .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
        .join(HOLDER, HOLDER.id == holder_id())
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
