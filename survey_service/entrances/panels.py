"""Reads of panels: one code, several subjects, and which these are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import CampaignSubject
from survey_service.campaigns.rules import RaterClass
from survey_service.entrances.models import Entrance, Panel, PanelSubject
from survey_service.organizations.models import Organization, Subject


@dataclass(frozen=True)
class RatedSubject:
    """A subject of a campaign as the holder of a panel's code meets it."""

    campaign_id: int
    subject_id: int
    organization_code: str
    name: str
    subject_name: str


_RATED = (
    select(
        PanelSubject.campaign_id,
        PanelSubject.subject_id,
        Organization.code,
        Organization.name,
        Subject.name,
    )
    .join(
        CampaignSubject,
        (CampaignSubject.campaign_id == PanelSubject.campaign_id)
        & (CampaignSubject.subject_id == PanelSubject.subject_id),
    )
    .join(Subject, Subject.id == PanelSubject.subject_id)
    .join(Organization, Organization.id == CampaignSubject.organization_id)
)


def list_rated(session: Session, *, panel_ids: Sequence[int]) -> Mapping[int, Sequence[RatedSubject]]:
    """Return the subjects of panels in the order of the campaign, by campaign."""
    rows = session.execute(
        _RATED.where(PanelSubject.panel_id.in_(panel_ids)).order_by(CampaignSubject.position)
    )
    found: dict[int, list[RatedSubject]] = {}
    for row in rows:
        subject = RatedSubject(*row)
        found.setdefault(subject.campaign_id, []).append(subject)
    return found


def find_rated(session: Session, *, entrance_id: int, organization_code: str) -> RatedSubject | None:
    """Return the one subject among those of an entrance's panel that an organization code names."""
    row = session.execute(
        _RATED.join(Entrance, Entrance.panel_id == PanelSubject.panel_id).where(
            Entrance.id == entrance_id, Organization.code == organization_code
        )
    ).first()
    return RatedSubject(*row) if row else None


def rated_by_panel(session: Session, *, campaign_id: int, organization_code: str) -> Sequence[int]:
    """Return the subjects that the panel of an organization rates in a campaign."""
    return session.scalars(
        select(PanelSubject.subject_id)
        .join(Panel, Panel.id == PanelSubject.panel_id)
        .join(Organization, Organization.id == Panel.organization_id)
        .where(Panel.campaign_id == campaign_id, Organization.code == organization_code)
    ).all()


def list_panels(session: Session, *, campaign_id: int) -> list[tuple[Panel, Organization]]:
    """Return the panels of a campaign with their organizations, in the order of the tree."""
    rows = session.execute(
        select(Panel, Organization)
        .join(Organization, Organization.id == Panel.organization_id)
        .where(Panel.campaign_id == campaign_id)
        .order_by(Organization.path)
    )
    return [(panel, place) for panel, place in rows]


def count_subjects(session: Session, *, campaign_id: int) -> dict[int, int]:
    """Return how many subjects each panel rates."""
    rows = session.execute(
        select(PanelSubject.panel_id, func.count())
        .where(PanelSubject.campaign_id == campaign_id)
        .group_by(PanelSubject.panel_id)
    )
    return dict(rows.all())


def count_panel_slots(session: Session, *, campaign_id: int) -> dict[int, dict[RaterClass, int]]:
    """Return how many codes of each panel are in use, by class."""
    rows = session.execute(
        select(Entrance.panel_id, Entrance.rater_class, func.count())
        .where(Entrance.campaign_id == campaign_id, Entrance.panel_id.is_not(None))
        .where(Entrance.revoked_at.is_(None))
        .group_by(Entrance.panel_id, Entrance.rater_class)
        .order_by(Entrance.rater_class)
    )
    found: dict[int, dict[RaterClass, int]] = {}
    for panel_id, rater_class, count in rows:
        if panel_id is not None:
            found.setdefault(panel_id, {})[rater_class] = count
    return found
