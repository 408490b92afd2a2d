"""One page of a cycle's grades, and how many there are of each: what a page shows of twenty thousand.

Where the stored grades are those of the inputs, only the rows of the page are read. A small cycle that is
being worked on is worked out anew; a large one shows what is stored, and says that it is being refreshed.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.ratings.grades import current_grades
from survey_service.ratings.models import RatingCycle, RatingGrade, RatingSubject
from survey_service.ratings.places import path_of_cycle
from survey_service.ratings.queries import (
    get_cycle,
    list_grades,
    list_subjects,
    page_subjects,
)
from survey_service.ratings.reading import (
    get_visible_cycle,
    grade_row,
    read_document,
    read_grades,
    require_released,
    table_head,
)

Json = dict[str, Any]
PAGE_SIZE = 100
SMALL = 1_000
"""So many subjects are worked out while somebody waits for a page."""


def read_grade_table(session: Session, *, staff: Identity, cycle_id: int, cursor: int | None = None) -> Json:
    """Return all grades of the reader's sub-tree, or from a cursor on, 0 being the first, those of a page.

    Raises as `reading.read_grades`.
    """
    if cursor is None:
        table = read_grades(session, staff=staff, cycle_id=cycle_id)
        return table | {"next_cursor": None, "is_stale": False}
    document = read_document(session, staff=staff, cycle_id=cycle_id)
    page = read_grade_page(session, staff=staff, cycle_id=cycle_id, document=document, after=cursor - 1)
    next_cursor = None if page["next"] is None else str(page["next"] + 1)
    shown = {"items": page["items"], "next_cursor": next_cursor, "is_stale": page["is_stale"]}
    return table_head(get_cycle(session, cycle_id)) | shown


def read_grade_page(
    session: Session,
    *,
    staff: Identity,
    cycle_id: int,
    document: Mapping[str, Any],
    after: int = -1,
    words: str = "",
) -> Json:
    """Return some rows of the grades of the reader's sub-tree, and the numbers of all of them.

    `document` is the scheme, as `read_document` gives it, `after` the position of the last row that was
    shown; `words` stand in the names of those looked for.
    Raises as `reading.read_grades`.
    """
    cycle = get_visible_cycle(session, cycle_id, staff)
    require_released(cycle, staff)
    counts, is_stale = _counts(session, cycle, staff)
    within: dict[str, Any] = {"within_path": staff.path, "after": after, "words": words}
    subjects = page_subjects(session, cycle_id, limit=PAGE_SIZE, **within)
    wanted = [one.row.subject_id for one in subjects]
    grades = list_grades(session, cycle_id, wanted) if is_stale else current_grades(session, cycle, wanted)
    return {
        "items": [
            grade_row(document, one, grades[one.row.subject_id])
            for one in subjects
            if one.row.subject_id in grades
        ],
        "counts": counts,
        "total": counts.total(),
        "next": subjects[-1].row.position if len(subjects) == PAGE_SIZE else None,
        "is_stale": is_stale,
    }


def _counts(session: Session, cycle: RatingCycle, staff: Identity) -> tuple[Counter[str | None], bool]:
    """Return how many subjects stand at each grade, and whether that is of earlier inputs."""
    is_current = cycle.graded_revision == cycle.revision
    stored = _stored_counts(session, cycle, staff)
    if is_current or stored.total() > SMALL:
        return stored, not is_current
    subjects = list_subjects(session, cycle.id, within_path=staff.path)
    grades = current_grades(session, cycle, [one.row.subject_id for one in subjects])
    standing = (one.row.grade_final or grades[one.row.subject_id].grade_proposed for one in subjects)
    return Counter(standing), False


def _stored_counts(session: Session, cycle: RatingCycle, staff: Identity) -> Counter[str | None]:
    grade = func.coalesce(RatingSubject.grade_final, RatingGrade.grade_proposed)
    joined = (RatingGrade.cycle_id == RatingSubject.cycle_id) & (
        RatingGrade.subject_id == RatingSubject.subject_id
    )
    statement = (
        select(grade, func.count())
        .select_from(RatingSubject)
        .outerjoin(RatingGrade, joined)
        .where(RatingSubject.cycle_id == cycle.id)
        .group_by(grade)
    )
    if not staff.covers(path_of_cycle(session, cycle_id=cycle.id)):
        # Whoever owns a cycle sees all its subjects; asking each for its place would be a third of the work.
        within = Organization.id == RatingSubject.organization_id
        statement = statement.join(Organization, within).where(is_within(staff.path))
    counts: Counter[str | None] = Counter()
    for found, count in session.execute(statement):
        counts[found] = count
    return counts
