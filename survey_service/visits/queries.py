"""Reads of visits."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.organizations.models import Organization, Subject
from survey_service.visits.models import Stationing, VisitCount


def list_stations(session: Session, *, staff_id: int) -> list[Organization]:
    """Return where a staff member is stationed, in the order of the tree."""
    return list(
        session.scalars(
            select(Organization)
            .join(Stationing, Stationing.organization_id == Organization.id)
            .where(Stationing.staff_id == staff_id)
            .order_by(Organization.path)
        )
    )


def count_visits(session: Session, *, staff_id: int, day: date) -> int:
    """Return how many visits a staff member has begun on a day."""
    return session.scalar(select(VisitCount.visits).filter_by(staff_id=staff_id, day=day)) or 0


def path_of_subject(session: Session, *, subject_id: int) -> str:
    """Return the path of the organization that a subject belongs to."""
    return session.scalars(
        select(Organization.path)
        .join(Subject, Subject.organization_id == Organization.id)
        .where(Subject.id == subject_id)
    ).one()
