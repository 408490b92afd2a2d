"""What everybody may read while the grades of a cycle are publicly announced."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.core.clock import day_text, local_day
from survey_service.core.errors import NotFound
from survey_service.organizations.models import Organization
from survey_service.ratings.deadlines import read_step_times
from survey_service.ratings.grades import scheme_of_cycle
from survey_service.ratings.queries import count_final_grades, get_cycle, page_subjects
from survey_service.ratings.vocabulary import StepKind

PAGE_SIZE = 200
"""A county's villages on one page; a province rates a hundred times as many."""


@dataclass(frozen=True)
class Announced:
    """A grade with the names of those on a page who have it."""

    title: str
    names: Sequence[str]


@dataclass(frozen=True)
class Announcement:
    """Names and grades, and nothing else: no score leaves this way. `last_day` may be open.

    `counts` is how many have each grade in the whole cycle. `next_cursor` leads to those behind this page;
    `words` stand in the names of those looked for.
    """

    cycle_id: int
    title: str
    scheme: str
    office: str
    last_day: str
    is_over: bool
    counts: Sequence[tuple[str, int]]
    grades: Sequence[Announced]
    next_cursor: int | None
    words: str


def read_announcement(
    session: Session, *, cycle_id: int, now: datetime, cursor: int = 0, words: str = ""
) -> Announcement:
    """Return a page of what is announced while the public notice is due; raises NotFound before and after."""
    cycle = get_cycle(session, cycle_id)
    times = read_step_times(session, cycle)
    due = times[cycle.position] if cycle.position < len(times) else None
    if due is None or due.step.kind is not StepKind.PUBLIC_NOTICE:
        raise NotFound
    scheme = scheme_of_cycle(cycle)
    counts: Counter[str | None] = Counter()
    for (grade, _), count in count_final_grades(session, cycle_id, within_path="/").items():
        counts[grade] += count
    shown = page_subjects(session, cycle_id, within_path="/", after=cursor - 1, limit=PAGE_SIZE, words=words)
    names: dict[str | None, list[str]] = {}
    for one in shown:
        names.setdefault(one.row.grade_final, []).append(one.name)
    return Announcement(
        cycle_id=cycle_id,
        title=cycle.title,
        scheme=scheme.title,
        office=due.step.actor or session.get_one(Organization, cycle.organization_id).name,
        last_day=day_text(due.due_on) if due.due_on else "",
        is_over=due.is_late(local_day(now)),
        counts=[(band.title, counts[band.grade]) for band in scheme.bands],
        grades=[Announced(band.title, names[band.grade]) for band in scheme.bands if band.grade in names],
        next_cursor=shown[-1].row.position + 1 if len(shown) == PAGE_SIZE else None,
        words=words,
    )
