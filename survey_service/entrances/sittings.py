"""Sittings: the same panel codes in several campaigns of one owner.

The code is one, and so is the paper; everything behind it is a matter of each campaign: a slot with the
same digest and serial, its own row, window and key. A batch leads and has the key of the codes, those of the
other campaigns follow it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy import text as sql
from sqlalchemy.orm import Session, aliased

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import RaterClass
from survey_service.core.texts import text
from survey_service.entrances.models import CodeBatch, Entrance, Panel, PanelSubject
from survey_service.entrances.rules import OPEN_STATES
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import SubjectKind

MAX_CAMPAIGNS = 10
"""Branches, service centres, secretaries and some more: nobody sits through ten."""
_COPY_SLOTS = sql(
    "INSERT INTO entrance (campaign_id, subject_id, panel_id, batch_id, turn, mode, rater_class, issue,"
    " place, is_preview, serial, code_digest)"
    " SELECT own.campaign_id, NULL, own.panel_id, own.id, own.turn, slot.mode, slot.rater_class, slot.issue,"
    " '', false, slot.serial, slot.code_digest"
    " FROM entrance AS slot JOIN code_batch AS own ON own.lead_id = slot.batch_id"
    " WHERE slot.batch_id = :lead_id ORDER BY own.turn, slot.serial"
)
HOLDER = aliased(CodeBatch, name="holder")
"""The batch that has the key of a slot's code: its own, or the lead of the sitting."""


@dataclass(frozen=True)
class SharedCampaign:
    """A campaign of a sitting, as those see it who hand the codes out."""

    campaign_id: int
    title: str
    is_lead: bool


@dataclass(frozen=True)
class RatedCampaign:
    """What a panel's code rates in one campaign: so and so many of a kind, with the names of their places."""

    title: str
    kind: SubjectKind
    names: Sequence[str]


def holder_id() -> ColumnElement[int]:
    """Return whose key a slot's code comes from, where its own batch is joined."""
    return func.coalesce(CodeBatch.lead_id, CodeBatch.id)


def follow(session: Session, lead: CodeBatch, panels: Sequence[Panel]) -> list[CodeBatch]:
    """Make a batch for the panel of each further campaign, in their turn, that has the lead's codes."""
    companions = [
        CodeBatch(
            campaign_id=panel.campaign_id,
            panel_id=panel.id,
            lead_id=lead.id,
            turn=turn,
            mode=lead.mode,
            rater_class=lead.rater_class,
            request_digest=lead.request_digest,
            created_at=lead.created_at,
        )
        for turn, panel in enumerate(panels, start=1)
    ]
    session.add_all(companions)
    session.flush()
    return companions


def copy_slots(session: Session, lead: CodeBatch) -> None:
    """Give the batches that follow the slots of their lead."""
    session.connection().execute(_COPY_SLOTS, {"lead_id": lead.id})


def find_shared(session: Session, slots: Iterable[Entrance]) -> list[Entrance]:
    """Return the slots that the same codes open, those given among them, by campaign and serial."""
    digests = [slot.code_digest for slot in slots]
    return list(
        session.scalars(
            select(Entrance)
            .where(Entrance.code_digest.in_(digests))
            .order_by(Entrance.campaign_id, Entrance.serial)
        )
    )


def list_shared(session: Session, *, campaign_id: int) -> Mapping[int, Sequence[SharedCampaign]]:
    """Return with which other campaigns each panel of a campaign shares codes, by panel."""
    own = session.execute(
        select(holder_id(), CodeBatch.panel_id)
        .where(CodeBatch.campaign_id == campaign_id, CodeBatch.panel_id.is_not(None))
        .order_by(CodeBatch.id)
    ).all()
    leads = {lead_id for lead_id, _ in own}
    others = session.execute(
        select(holder_id(), Campaign.id, Campaign.title, CodeBatch.lead_id.is_(None))
        .join(Campaign, Campaign.id == CodeBatch.campaign_id)
        .where(or_(CodeBatch.id.in_(leads), CodeBatch.lead_id.in_(leads)), Campaign.id != campaign_id)
        .order_by(CodeBatch.turn, Campaign.id)
    )
    by_lead: dict[int, list[SharedCampaign]] = {}
    for lead_id, other_id, title, is_lead in others:
        by_lead.setdefault(lead_id, []).append(SharedCampaign(other_id, title, is_lead))
    found: dict[int, dict[int, SharedCampaign]] = {}
    for lead_id, panel_id in own:
        shared = {one.campaign_id: one for one in by_lead.get(lead_id, ())}
        if panel_id is not None and shared:
            found[panel_id] = found.get(panel_id, {}) | shared
    return {panel_id: list(shared.values()) for panel_id, shared in found.items()}


def list_slots_rating(
    session: Session, *, campaign_id: int, subject_id: int, rater_class: RaterClass
) -> list[tuple[Entrance, CodeBatch]]:
    """Return the open slots of the panels that rate a subject, each with the batch that has its key."""
    panels = select(PanelSubject.panel_id).where(
        PanelSubject.campaign_id == campaign_id, PanelSubject.subject_id == subject_id
    )
    rows = session.execute(
        select(Entrance, HOLDER)
        .join(CodeBatch, CodeBatch.id == Entrance.batch_id)
        .join(HOLDER, HOLDER.id == holder_id())
        .where(Entrance.panel_id.in_(panels), Entrance.rater_class == rater_class)
        .where(Entrance.revoked_at.is_(None))
        .order_by(Entrance.panel_id, Entrance.serial)
    )
    return [(entrance, batch) for entrance, batch in rows]


def list_rated_by_batch(session: Session, batch: CodeBatch) -> list[RatedCampaign]:
    """Return what the codes of a panel's batch rate, campaign by campaign in their turn."""
    rows = session.execute(
        select(Campaign.title, Campaign.subject_kind, Organization.name)
        .select_from(CodeBatch)
        .join(Campaign, Campaign.id == CodeBatch.campaign_id)
        .join(PanelSubject, PanelSubject.panel_id == CodeBatch.panel_id)
        .join(
            CampaignSubject,
            (CampaignSubject.campaign_id == PanelSubject.campaign_id)
            & (CampaignSubject.subject_id == PanelSubject.subject_id),
        )
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(or_(CodeBatch.id == batch.id, CodeBatch.lead_id == batch.id))
        .order_by(CodeBatch.turn, CampaignSubject.position)
    )
    found: dict[tuple[str, SubjectKind], list[str]] = {}
    for title, kind, name in rows:
        found.setdefault((title, kind), []).append(name)
    return [RatedCampaign(title, kind, names) for (title, kind), names in found.items()]


def name_rated(rated: Sequence[RatedCampaign]) -> str:
    """Say in a line what a slip is for: 6 branches and 6 secretaries; with titles where kinds do not tell."""
    kinds = {one.kind for one in rated}
    return "、".join(
        text("entrances.rates_kind", count=len(one.names), kind=text(f"staff_pages.subject_{one.kind}"))
        if len(kinds) == len(rated)
        else text("entrances.rates_titled", count=len(one.names), title=one.title)
        for one in rated
    )


def list_candidates(
    session: Session, *, campaign: Campaign, within_path: str, now: datetime
) -> list[tuple[Campaign, int]]:
    """Return an owner's other running campaigns with how many they rate inside a sub-tree."""
    rows = session.execute(
        select(Campaign, func.count())
        .join(CampaignSubject, CampaignSubject.campaign_id == Campaign.id)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(Campaign.organization_id == campaign.organization_id, Campaign.id != campaign.id)
        .where(Campaign.closes_at > now, Campaign.closed_at.is_(None), Campaign.withdrawn_at.is_(None))
        .where(is_within(within_path))
        .group_by(Campaign.id)
        .order_by(Campaign.id)
    )
    return [(one, count) for one, count in rows if one.window.state(now) in OPEN_STATES]
