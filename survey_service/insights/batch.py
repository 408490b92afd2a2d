"""The look at everything once an hour: which opinions say the same, and how villages differ.

It reads, computes without holding anything, and then replaces what it found the last time.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, or_, select
from sqlalchemy.orm import Session

from survey_service.insights.models import OpinionLikeness, OpinionWord
from survey_service.insights.rules import LOOK_BACK, MIN_AUTHORS
from survey_service.opinions.grouping import find_groups
from survey_service.opinions.models import Opinion
from survey_service.opinions.topics import distinctive_words
from survey_service.organizations.models import Organization


@dataclass(frozen=True)
class Recent:
    """An opinion as far as likeness goes."""

    id: int
    text: str
    organization_id: int
    neighbourhood: tuple[int | None, int | None]
    """Only opinions of one town are compared, and no report with what is none."""


def read_recent(session: Session, *, today: date) -> list[Recent]:
    """Return the opinions of a season and what is open still, the earliest days first."""
    statement = (
        select(
            Opinion.id, Opinion.text, Opinion.organization_id, Opinion.concealed_id, Organization.parent_id
        )
        .join(Organization, Organization.id == Opinion.organization_id)
        .where(or_(Opinion.received_on >= today - LOOK_BACK, Opinion.is_open.is_(True)))
        .order_by(Opinion.received_on, Opinion.id)
    )
    return [
        Recent(row.id, row.text, row.organization_id, (row.parent_id, row.concealed_id))
        for row in session.execute(statement)
    ]


def find_likenesses(recent: Sequence[Recent]) -> Iterator[dict[str, object]]:
    """Yield the rows of `opinion_likeness`; the first of a group stands in it, like itself."""
    neighbourhoods: dict[object, list[tuple[int, str]]] = {}
    for one in recent:
        neighbourhoods.setdefault(one.neighbourhood, []).append((one.id, one.text))
    for texts in neighbourhoods.values():
        for group in find_groups(texts):
            yield {"first_id": group.first, "opinion_id": group.first, "similarity": 1.0}
            for member in group.members:
                yield {
                    "first_id": group.first,
                    "opinion_id": member.id,
                    "similarity": round(member.similarity, 3),
                }


def find_words(recent: Sequence[Recent]) -> Iterator[dict[str, object]]:
    """Yield the rows of `opinion_word`, each place against the others of its town; reports say nothing."""
    towns: dict[int | None, list[tuple[int, str]]] = {}
    for one in recent:
        town, concealed = one.neighbourhood
        if concealed is None:
            towns.setdefault(town, []).append((one.organization_id, one.text))
    for texts in towns.values():
        for place, words in distinctive_words(texts, min_opinions=MIN_AUTHORS).items():
            for word in words:
                yield {"organization_id": place, "word": word.word, "opinions": word.opinions, "z": word.z}


def replace_findings(
    session: Session, *, likenesses: Sequence[Mapping[str, object]], words: Sequence[Mapping[str, object]]
) -> None:
    """Put what was found in the place of what stood there."""
    for model, rows in ((OpinionLikeness, likenesses), (OpinionWord, words)):
        session.execute(delete(model))
        if rows:
            session.execute(insert(model), [dict(row) for row in rows])
