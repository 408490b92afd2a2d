"""Whose slots there are: subjects that are rated, and panels that rate all subjects below a place."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from survey_service.campaigns.queries import list_subjects
from survey_service.campaigns.rules import Mode
from survey_service.core.errors import Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.entrances.models import CodeBatch, Entrance, Panel, PanelSubject
from survey_service.entrances.panels import list_panels
from survey_service.organizations.models import Organization, Subject


@dataclass(frozen=True)
class SlotPlace:
    """A subject or a panel with the organization whose name stands on its paper; one of the ids is None."""

    subject_id: int | None
    panel_id: int | None
    organization_code: str
    name: str
    path: str
    rated: Sequence[int]
    """The subjects that its codes rate."""

    def holds(self, batch: CodeBatch) -> bool:
        """Tell whether a batch was made for it."""
        return (batch.subject_id, batch.panel_id) == (self.subject_id, self.panel_id)

    def is_slot(self) -> ColumnElement[bool]:
        """Return the condition that an entrance is one of its slots."""
        if self.panel_id is not None:
            return Entrance.panel_id == self.panel_id
        return Entrance.subject_id == self.subject_id


def list_slot_places(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    mode: Mode,
    organization_codes: Sequence[str] | None = None,
) -> list[SlotPlace]:
    """Return the places whose slots a staff member may print, panels first; all of them, or those named.

    Raises Invalid for what is named and has no slots of that mode, Forbidden where a named one is not below.
    """
    found = _places(session, campaign_id, mode)
    if organization_codes is None:
        return [place for place in found if _may_print(staff, place)]
    wanted = [place for place in found if place.organization_code in set(organization_codes)]
    if unknown := sorted(set(organization_codes) - {place.organization_code for place in wanted}):
        sentence = text("entrances.no_such_slots", codes="、".join(unknown))
        raise Invalid(errors={"organization_codes": [sentence]})
    if not all(_may_print(staff, place) for place in wanted):
        raise Forbidden
    return wanted


def _may_print(staff: Identity, place: SlotPlace) -> bool:
    """The organization of a panel is not rated itself; all whom its codes rate stand below it."""
    return staff.covers(place.path) if place.panel_id is not None else staff.is_above(place.path)


def _places(session: Session, campaign_id: int, mode: Mode) -> list[SlotPlace]:
    subjects = [
        SlotPlace(one.subject_id, None, one.organization_code, one.name, one.path, [one.subject_id])
        for one in list_subjects(session, campaign_id)
    ]
    return [*_panels(session, campaign_id), *subjects] if mode is Mode.PANEL else subjects


def _panels(session: Session, campaign_id: int) -> list[SlotPlace]:
    rated: dict[int, list[int]] = {}
    rows = session.execute(
        select(PanelSubject.panel_id, PanelSubject.subject_id).where(PanelSubject.campaign_id == campaign_id)
    )
    for panel_id, subject_id in rows:
        rated.setdefault(panel_id, []).append(subject_id)
    return [
        SlotPlace(None, panel.id, place.code, place.name, place.path, rated.get(panel.id, []))
        for panel, place in list_panels(session, campaign_id=campaign_id)
    ]


def find_organization(session: Session, batch: CodeBatch) -> Organization:
    """Return the organization whose name stands on the paper of a batch."""
    owner = (
        select(Subject.organization_id).where(Subject.id == batch.subject_id)
        if batch.panel_id is None
        else select(Panel.organization_id).where(Panel.id == batch.panel_id)
    )
    return session.scalars(select(Organization).where(Organization.id == owner.scalar_subquery())).one()
