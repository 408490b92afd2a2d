"""Reads of reminders: what is due, and what a secretary is shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.core import clock
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.reminders.models import Reminder
from survey_service.reminders.rules import BATCH, FIRST_AFTER, newest_rested
from survey_service.staff.rules import Role


@dataclass(frozen=True)
class StandingReminder:
    """A reminder that a secretary is shown for a week, while the campaign is open."""

    campaign_id: int
    title: str
    closes_at: datetime
    made_on: date


def _is_running(now: datetime) -> ColumnElement[bool]:
    return and_(
        Campaign.has_reminders.is_(True),
        Campaign.launched_at.is_not(None),
        Campaign.closed_at.is_(None),
        Campaign.withdrawn_at.is_(None),
        Campaign.closes_at > now,
    )


def _select_due(now: datetime) -> Select[int]:
    """Select what was never reminded, or a week ago and longer."""
    its_last = and_(
        Reminder.campaign_id == CampaignSubject.campaign_id,
        Reminder.organization_id == CampaignSubject.organization_id,
    )
    rested = Reminder.made_on <= newest_rested(clock.local_day(now))
    return (
        select(CampaignSubject.campaign_id)
        .join(Campaign, Campaign.id == CampaignSubject.campaign_id)
        .outerjoin(Reminder, its_last)
        .where(_is_running(now), Campaign.opens_at <= now - FIRST_AFTER)
        .where(or_(Reminder.made_on.is_(None), rested))
    )


def campaigns_to_remind(session: Session, *, now: datetime) -> Sequence[int]:
    """Return the open campaigns with a branch that is to be reminded."""
    return session.scalars(_select_due(now).distinct()).all()


def branches_to_remind(session: Session, *, campaign_id: int, now: datetime) -> Sequence[Organization]:
    """Return the next branches of a campaign that are to be reminded, in the order of the tree."""
    due = _select_due(now).where(CampaignSubject.campaign_id == campaign_id)
    return session.scalars(
        due.join(Organization, Organization.id == CampaignSubject.organization_id)
        .with_only_columns(Organization)
        .order_by(Organization.path)
        .limit(BATCH)
    ).all()


def list_standing(session: Session, *, staff: Identity, now: datetime) -> Sequence[StandingReminder]:
    """Return what a secretary is reminded of; nothing for anybody else."""
    if staff.role != Role.BRANCH_SECRETARY:
        return []
    made_on = func.max(Reminder.made_on)
    rows = session.execute(
        select(Campaign.id, Campaign.title, Campaign.closes_at, made_on)
        .join(Reminder, Reminder.campaign_id == Campaign.id)
        .join(Organization, Organization.id == Reminder.organization_id)
        .where(_is_running(now), is_within(staff.path))
        .where(Reminder.made_on > newest_rested(clock.local_day(now)))
        .group_by(Campaign.id, Campaign.title, Campaign.closes_at)
        .order_by(Campaign.closes_at, Campaign.id)
    )
    return [StandingReminder(*row) for row in rows]
