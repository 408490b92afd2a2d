"""The acts of authors in the audit trail: those of a day together, after its end, in the order of random ids.

At once an entry would hold the second of a tap, and its place in the chain would tell the same. So each act
waits until the day is over, the day that the history of its case shows anyway. All acts of a day stand in
one entry, whose number says nothing about how many cases there are that somebody may not see.
"""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.audit import AUTHOR, AUTHORS_TARGET, Facts, record
from survey_service.opinions.models import Opinion, OpinionAuthorAct
from survey_service.opinions.queries import count_steps
from survey_service.opinions.rules import State, Verdict
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import ids_on_path

COMING = 0
"""The number of the act with which a case begins."""
_AT_ONCE = 200


def await_coming(session: Session, *, opinion_id: int, path: str, today: date) -> None:
    """Remember that a case began: neither its place nor its category, for it may be a report."""
    _await(session, opinion_id, COMING, path, today, before={}, after=facts_of(State.RECEIVED))


def await_step(
    session: Session, opinion: Opinion, *, on: date, before: dict[str, str], after: dict[str, str]
) -> None:
    """Remember the last step of a case, which was its author's, or that of one joined into it."""
    number = count_steps(session, opinion.id)
    path = session.get_one(Organization, opinion.organization_id).path
    _await(session, opinion.id, number, path, on, before=before, after=after)


def _await(
    session: Session,
    opinion_id: int,
    number: int,
    path: str,
    on: date,
    *,
    before: dict[str, str],
    after: dict[str, str],
) -> None:
    root_id = ids_on_path(path)[0]
    act = OpinionAuthorAct(opinion_id=opinion_id, number=number, taken_on=on, root_id=root_id)
    act.before, act.after = before, after
    session.add(act)


def facts_of(state: State, verdict: Verdict | None = None) -> dict[str, str]:
    """Return what the audit trail says of a case; and of its verdicts the one that was given or changed."""
    return {"state": state.value} | ({} if verdict is None else {"verdict": verdict.value})


def are_waiting(session: Session, *, now: datetime) -> bool:
    """Tell whether acts of a day that is over wait for their entry."""
    is_over = OpinionAuthorAct.taken_on < clock.local_day(now)
    return session.scalar(select(OpinionAuthorAct.number).where(is_over).limit(1)) is not None


def record_acts(session: Session, *, now: datetime) -> int:
    """Write the next acts of one tree on one day that is over into the audit trail; return how many."""
    waiting = (
        select(OpinionAuthorAct)
        .where(OpinionAuthorAct.taken_on < clock.local_day(now))
        .order_by(
            OpinionAuthorAct.taken_on,
            OpinionAuthorAct.root_id,
            OpinionAuthorAct.opinion_id,
            OpinionAuthorAct.number,
        )
        .limit(_AT_ONCE)
        .with_for_update()
    )
    found = session.scalars(waiting).all()
    acts = [act for act in found if (act.taken_on, act.root_id) == (found[0].taken_on, found[0].root_id)]
    if acts:
        _record(session, acts)
        keys = [(act.opinion_id, act.number) for act in acts]
        key = tuple_(OpinionAuthorAct.opinion_id, OpinionAuthorAct.number)
        session.execute(delete(OpinionAuthorAct).where(key.in_(keys)))
    return len(acts)


def _record(session: Session, acts: Sequence[OpinionAuthorAct]) -> None:
    before: Facts = {_name(act): act.before for act in acts if act.before}
    after: Facts = {"on": acts[0].taken_on.isoformat()} | {_name(act): act.after for act in acts}
    target = AUTHORS_TARGET + session.get_one(Organization, acts[0].root_id).code
    record(session, "opinions.authors", target, before=before, after=after, actor=AUTHOR)


def _name(act: OpinionAuthorAct) -> str:
    """Return the case, and the step in its history."""
    return f"{act.opinion_id}.{act.number}"
