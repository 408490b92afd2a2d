"""What everybody may read while the grades of a cycle are publicly announced."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.clock import day_text, local_day
from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.ratings.deadlines import read_step_times
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.queries import get_cycle, list_subjects
from survey_service.ratings.vocabulary import StepKind


@dataclass(frozen=True)
class Announced:
    """A grade with the names of those who have it."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True)
class Announcement:
    """Names and grades, and nothing else: no score leaves this way. `last_day` may be open."""

    title: str
    scheme: str
    office: str
    last_day: str
    is_over: bool
    grades: Sequence[Announced]


def read_announcement(session: Session, *, cycle_id: int, now: datetime) -> Announcement:
    """Return what is announced while the public notice is due; raises NotFound before and after it."""
    cycle = get_cycle(session, cycle_id)
    times = read_step_times(session, cycle)
    due = times[cycle.position] if cycle.position < len(times) else None
    if due is None or due.step.kind is not StepKind.PUBLIC_NOTICE:
        raise NotFound
    scheme = scheme_of_cycle(cycle)
    names: dict[str, list[str]] = {band.grade: [] for band in scheme.bands}
    for one in list_subjects(session, cycle_id):
        if one.row.grade_final is not None:
            names[one.row.grade_final].append(one.name)
    return Announcement(
        title=cycle.title,
        scheme=scheme.title,
        office=due.step.actor or session.get_one(Organization, cycle.organization_id).name,
        last_day=day_text(due.due_on) if due.due_on else "",
        is_over=due.is_late(local_day(now)),
        grades=[Announced(band.title, names[band.grade]) for band in scheme.bands if names[band.grade]],
    )
