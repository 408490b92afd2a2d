"""Where an office must stand to move a cycle on."""

from pathlib import PurePosixPath
from posixpath import commonpath

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.organizations.models import Organization
from survey_service.ratings.models import RatingSubject
from survey_service.ratings.queries import path_of_cycle


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
