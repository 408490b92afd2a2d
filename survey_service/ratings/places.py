"""Where somebody must stand for what he does in a cycle."""

from pathlib import PurePosixPath
from posixpath import commonpath

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import path_of_organization
from survey_service.ratings.models import RatingCycle, RatingSubject


def path_of_cycle(session: Session, *, cycle_id: int, **_: object) -> str:
    """Return the path of the organization that owns a cycle; raises NotFound."""
    path = session.scalar(
        select(Organization.path)
        .join(RatingCycle, RatingCycle.organization_id == Organization.id)
        .where(RatingCycle.id == cycle_id)
    )
    if path is None:
        raise NotFound
    return path


def path_of_rated(session: Session, *, organization_code: str, **_: object) -> str:
    """Return the path of the organization that is rated; raises NotFound."""
    return path_of_organization(session, code=organization_code)


def path_of_steps(session: Session, *, cycle_id: int, **_: object) -> str:
    """Return the path of the lowest place above everybody who is rated, or of the owner; raises NotFound.

    So the town that assesses completes its step in the county's cycle too, where all subjects are its own.
    Nobody stands above himself: a place that is rated counts by the one above it.
    """
    owner = path_of_cycle(session, cycle_id=cycle_id)
    statement = (
        select(func.min(Organization.path), func.max(Organization.path))
        .join(RatingSubject, RatingSubject.organization_id == Organization.id)
        .where(RatingSubject.cycle_id == cycle_id)
    )
    # Paths are compared byte by byte: what the first and the last begin with, all begin with.
    common = commonpath([PurePosixPath(path).parent for path in session.execute(statement).one()])
    common = f"{common.rstrip('/')}/"
    return common if common.startswith(owner) else owner
