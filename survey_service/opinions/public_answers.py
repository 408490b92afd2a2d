"""What a place has answered in public, for everybody to read.

The gate of the staff does not stand before this page, so it has guards of its own, all in one statement: the
author wants his words published, the present answer has a public part, and the case is no report. Nothing at
all is shown of a place from which few have written: there a neighbour might guess who it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import ColumnElement, Integer, and_, cast, func, or_, select
from sqlalchemy.orm import Session, aliased

from survey_service.core.errors import NotFound
from survey_service.opinions.models import Opinion, OpinionAnswer
from survey_service.opinions.redaction import redact
from survey_service.opinions.rules import (
    AWAITING_VERDICT,
    MIN_TEXTS,
    Category,
    State,
    Topic,
    sounds_like_report,
)
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind

PAGE_SIZE = 10
_ANSWERED = AWAITING_VERDICT | {State.CLOSED}
_VILLAGES = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY)


@dataclass(frozen=True)
class PublicAnswer:
    """An opinion in redacted words, and its public answer; the day is that of the answer."""

    category: Category | None
    topic: Topic | None
    text: str
    answer: str
    answered_by: str
    answered_on: date


@dataclass(frozen=True)
class AnswersPage:
    """A page of a place's answers, the newest first; `next_after` is None after the last."""

    organization_code: str
    organization_name: str
    items: Sequence[PublicAnswer]
    is_withheld: bool
    next_after: int | None


def list_public_answers(session: Session, *, organization_code: str, after: int = 0) -> AnswersPage:
    """Return a page of what a place has answered in public; raises NotFound for an unknown place.

    `after` is the number of answers on earlier pages: an id would let readers follow a case.
    """
    place = _find_place(session, organization_code)
    if _count_writers(session, place) < MIN_TEXTS:
        return AnswersPage(place.code, place.name, (), is_withheld=True, next_after=None)
    present = and_(
        OpinionAnswer.opinion_id == Opinion.id, OpinionAnswer.round == cast(Opinion.is_reopened, Integer)
    )
    rows = session.execute(
        select(
            Opinion.category,
            Opinion.topic,
            Opinion.text,
            OpinionAnswer.public_text,
            Organization.name,
            OpinionAnswer.answered_on,
        )
        .join(OpinionAnswer, present)
        .join(Organization, Organization.id == OpinionAnswer.organization_id)
        .where(
            _is_of(place),
            _is_no_report(),
            Opinion.may_publish.is_(True),
            Opinion.state.in_(_ANSWERED),
            OpinionAnswer.public_text != "",
        )
        .order_by(OpinionAnswer.answered_on.desc(), Opinion.id)
        .offset(after)
        .limit(PAGE_SIZE + 1)
    ).all()
    shown = [PublicAnswer(*row) for row in rows[:PAGE_SIZE] if not sounds_like_report(row.text)]
    next_after = after + PAGE_SIZE if len(rows) > PAGE_SIZE else None
    return AnswersPage(place.code, place.name, [_redacted(one) for one in shown], False, next_after)


def _find_place(session: Session, code: str) -> Organization:
    """Return the organization behind a code, for the branch of a village the village."""
    parent = aliased(Organization)
    is_its_village = and_(
        parent.id == Organization.parent_id,
        parent.kind.in_(_VILLAGES),
        Organization.kind == OrganizationKind.BRANCH,
    )
    row = session.execute(
        select(Organization, parent).outerjoin(parent, is_its_village).where(Organization.code == code)
    ).one_or_none()
    if row is None:
        raise NotFound
    place: Organization = row[1] or row[0]
    return place


def _is_of(place: Organization) -> ColumnElement[bool]:
    """Return the condition that an opinion was written to a place or to one of its branches."""
    is_branch = and_(Organization.parent_id == place.id, Organization.kind == OrganizationKind.BRANCH)
    inside = select(Organization.id).where(or_(Organization.id == place.id, is_branch))
    return Opinion.organization_id.in_(inside)


def _is_no_report() -> ColumnElement[bool]:
    """Return the condition that nobody calls an opinion a report, and that it is kept from nobody."""
    return and_(
        Opinion.concealed_id.is_(None),
        Opinion.is_report_by_author.is_(False),
        func.coalesce(Opinion.category, Category.OTHER) != Category.REPORT,
    )


def _count_writers(session: Session, place: Organization) -> int:
    """Return how many opinions of a place an office has sorted, `MIN_TEXTS` at the most.

    Reports are not counted: else the page would tell by its opening that there is one.
    """
    sorted_ones = (
        select(Opinion.id)
        .where(_is_of(place), _is_no_report(), Opinion.state != State.RECEIVED)
        .limit(MIN_TEXTS)
    )
    return session.scalar(select(func.count()).select_from(sorted_ones.subquery())) or 0


def _redacted(one: PublicAnswer) -> PublicAnswer:
    """Mask what rules of today find in words that were kept, or that staff have written."""
    return replace(one, text=redact(one.text).text, answer=redact(one.answer).text)
