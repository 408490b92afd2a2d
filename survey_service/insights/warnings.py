"""Raise warnings, each once, and tell other systems of them and of cases.

What is kept from a place goes only to receivers above it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from survey_service.core import clock
from survey_service.insights.models import OpinionLikeness, OpinionTold, OpinionWarning
from survey_service.insights.rules import MANY_IN_A_WEEK, OVERDUE_DAYS, WEEK, WarningKind
from survey_service.opinions.flags import Flag, flagging_words
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import position_of
from survey_service.opinions.rules import State
from survey_service.opinions.statements import insert_once
from survey_service.opinions.topics import common_words
from survey_service.opinions.working_days import WorkingDays
from survey_service.organizations.models import Organization
from survey_service.webhooks.models import Webhook, WebhookTopic
from survey_service.webhooks.rules import Topic
from survey_service.webhooks.service import announce

_AT_ONCE = 500
_DAY = timedelta(days=1)
_FLAGS = {Flag.SAFETY: WarningKind.SAFETY, Flag.THREAT: WarningKind.THREAT}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A warning to be raised."""

    kind: WarningKind
    key: str
    organization_id: int
    opinion: Opinion | None = None
    words: Sequence[str] = ()
    opinions: int = 1


def raise_warnings(session: Session, *, calendar: WorkingDays, now: datetime) -> int:
    """Raise what is new, and return how many warnings that are."""
    today = clock.local_day(now)
    found = [*_overdue(session, calendar, today), *_flagged(session, today), *_many_similar(session, today)]
    return sum(_raise(session, one, now) for one in found)


def overdue_before(calendar: WorkingDays, today: date) -> date:
    """Return the first deadline that is not overdue by so many working days yet."""
    day = today
    while calendar.after(day, OVERDUE_DAYS).day >= today:
        day -= _DAY
    return day + _DAY


def _overdue(session: Session, calendar: WorkingDays, today: date) -> Iterator[Finding]:
    known = and_(
        OpinionWarning.opinion_id == Opinion.id,
        OpinionWarning.kind == WarningKind.OVERDUE,
        OpinionWarning.raised_on > Opinion.due_on,
    )
    limit = position_of(overdue_before(calendar, today), 0)
    late = and_(Opinion.is_open.is_(True), Opinion.position < limit)
    for opinion in _unwarned(session, late, known):
        key = f"overdue:{opinion.id}:{opinion.due_on}"
        yield Finding(
            kind=WarningKind.OVERDUE, key=key, organization_id=opinion.organization_id, opinion=opinion
        )


def _flagged(session: Session, today: date) -> Iterator[Finding]:
    recent = Opinion.received_on > today - WEEK
    for flag, kind in _FLAGS.items():
        known = and_(OpinionWarning.opinion_id == Opinion.id, OpinionWarning.kind == kind)
        for opinion in _unwarned(session, recent, known, limit=None):
            if words := flagging_words(opinion.text, flag):
                yield Finding(
                    kind=kind,
                    key=f"{kind}:{opinion.id}",
                    organization_id=opinion.organization_id,
                    opinion=opinion,
                    words=words,
                )


def _unwarned(
    session: Session, condition: ColumnElement[bool], known: ColumnElement[bool], limit: int | None = _AT_ONCE
) -> Sequence[Opinion]:
    warned = select(OpinionWarning.id).where(known).exists()
    statement = select(Opinion).options(joinedload(Opinion.organization), joinedload(Opinion.concealed))
    return session.scalars(statement.where(condition, ~warned).limit(limit)).all()


def _many_similar(session: Session, today: date) -> Iterator[Finding]:
    """Find groups that many of one place joined within a week; reports are left out."""
    fresh = and_(Opinion.received_on > today - WEEK, Opinion.concealed_id.is_(None))
    statement = (
        select(OpinionLikeness.first_id, Opinion.organization_id, func.count().label("number"))
        .join(Opinion, Opinion.id == OpinionLikeness.opinion_id)
        .where(fresh)
        .group_by(OpinionLikeness.first_id, Opinion.organization_id)
        .having(func.count() >= MANY_IN_A_WEEK)
    )
    year, week, _ = today.isocalendar()
    for row in session.execute(statement).all():
        texts = session.scalars(
            select(Opinion.text)
            .join(OpinionLikeness, OpinionLikeness.opinion_id == Opinion.id)
            .where(OpinionLikeness.first_id == row.first_id, fresh)
        ).all()
        yield Finding(
            kind=WarningKind.MANY_SIMILAR,
            key=f"many_similar:{row.organization_id}:{row.first_id}:{year}-{week}",
            organization_id=row.organization_id,
            words=common_words(texts),
            opinions=row.number,
        )


def _raise(session: Session, found: Finding, now: datetime) -> bool:
    row: dict[str, object] = {
        "kind": found.kind,
        "key": found.key,
        "organization_id": found.organization_id,
        "opinion_id": found.opinion and found.opinion.id,
        "words": "、".join(found.words)[:200],
        "opinions": found.opinions,
        "raised_on": clock.local_day(now),
        "receivers": 0,
    }
    if not insert_once(session, OpinionWarning, row):
        return False
    warning = session.scalars(select(OpinionWarning).where(OpinionWarning.key == found.key)).one()
    organization = session.get_one(Organization, found.organization_id)
    path = _path_for(found.opinion) if found.opinion else organization.path
    data = {
        "id": warning.id,
        "kind": found.kind,
        "organization_code": organization.code,
        "raised_on": warning.raised_on.isoformat(),
        "words": list(found.words),
        "opinions": found.opinions,
        "opinion_id": warning.opinion_id,
    }
    warning.receivers = announce(session, topic=Topic.WARNING_RAISED, path=path, data=data, now=now)
    return True


def _path_for(opinion: Opinion) -> str:
    """Return the place at which, and above which, other systems may hear of an opinion."""
    if opinion.concealed is None:
        return opinion.organization.path
    above, _, _ = opinion.concealed.path.rstrip("/").rpartition("/")
    return f"{above}/"


def tell_cases(session: Session, *, now: datetime) -> int:
    """Tell other systems of the next cases that are new or have moved on; return how many.

    It happens by the hour and in no order, so that no message tells when an opinion came.
    """
    if not _is_asked_for(session):
        return 0
    statement = (
        select(Opinion, OpinionTold)
        .options(joinedload(Opinion.organization), joinedload(Opinion.concealed))
        .outerjoin(OpinionTold, OpinionTold.opinion_id == Opinion.id)
        .where(_is_news(clock.local_day(now)))
        .order_by(Opinion.id)
        .limit(_AT_ONCE)
    )
    rows = session.execute(statement).all()
    for opinion, told in rows:
        topic = Topic.OPINION_RECEIVED if told is None else Topic.OPINION_CHANGED
        data = _case(opinion)
        announce(session, topic=topic, path=_path_for(opinion), data=data, now=now)
        session.merge(OpinionTold(opinion_id=opinion.id, version=opinion.version))
    return len(rows)


def _is_news(today: date) -> ColumnElement[bool]:
    """Return that a case is fresh and was never told, or was told as it is no longer."""
    is_fresh = and_(OpinionTold.version.is_(None), Opinion.received_on > today - WEEK)
    return or_(is_fresh, OpinionTold.version < Opinion.version)


def _is_asked_for(session: Session) -> bool:
    wanted = (Topic.OPINION_RECEIVED, Topic.OPINION_CHANGED)
    statement = select(Webhook.id).join(Webhook.topics).where(Webhook.disabled_at.is_(None))
    return session.scalar(statement.where(WebhookTopic.topic.in_(wanted)).limit(1)) is not None


def _case(opinion: Opinion) -> Mapping[str, object]:
    shown: Iterable[str] = ("id", "state", "category", "topic", "level", "text", "version")
    return {name: getattr(opinion, name) for name in shown} | {
        "organization_code": opinion.organization.code,
        "received_on": opinion.received_on.isoformat(),
        "due": opinion.due_on.isoformat(),
        "is_joined": opinion.state is State.JOINED,
    }
