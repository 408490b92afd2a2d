"""The author's way back: what became of his opinion, and what he thinks of the answer."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from survey_service.core.errors import Conflict, NotFound
from survey_service.entrances.codes import read_symbols
from survey_service.opinions.author_acts import await_step, facts_of
from survey_service.opinions.models import Opinion, OpinionVerdict
from survey_service.opinions.queries import (
    find_by_query_code,
    find_verdict,
    get_lead,
    list_answers,
    list_steps,
    lock_author_case,
)
from survey_service.opinions.redaction import redact
from survey_service.opinions.rules import (
    AWAITING_VERDICT,
    QUERY_CODE_LENGTH,
    Act,
    Action,
    Policy,
    State,
    Verdict,
)
from survey_service.opinions.service import move_case, standing_of
from survey_service.organizations.models import Organization


@dataclass(frozen=True)
class AuthorView:
    """What an author is told; never who else wrote the same, and never a note of the staff."""

    query_code: str
    state: State
    due: date
    is_due_exact: bool
    answers: tuple[tuple[str, str], ...]
    """Private and public text of each answer, the first one first."""
    declined_because: str
    may_rate: bool
    verdict: Verdict | None
    may_reopen: bool
    """Whether "not satisfied" would reopen the case."""
    organization_code: str
    """To whom it was written."""

    @property
    def answer(self) -> str | None:
        """Return the present answer in one piece."""
        if not self.answers or self.state is State.REOPENED:
            return None
        return "\n\n".join(part for part in reversed(self.answers[-1]) if part)


def read_query_code(typed: str) -> str:
    """Return a query code as it was made; raises NotFound `unknown_query_code` for what can be none."""
    code = read_symbols(typed, QUERY_CODE_LENGTH)
    if code is None:
        raise NotFound("unknown_query_code")
    return code


def look_up(session: Session, *, typed: str, policy: Policy) -> AuthorView:
    """Return what became of an opinion; raises NotFound `unknown_query_code`."""
    query_code = read_query_code(typed)
    own = find_by_query_code(session, query_code)
    if own is None:
        raise NotFound("unknown_query_code")
    return _view(session, own, get_lead(session, own), query_code, policy)


def _view(session: Session, own: Opinion, lead: Opinion, query_code: str, policy: Policy) -> AuthorView:
    answers = list_answers(session, lead.id)
    return AuthorView(
        query_code=query_code,
        state=lead.state,
        due=lead.due_on,
        is_due_exact=policy.calendar.knows(lead.due_on.year),
        answers=tuple((one.private_text, one.public_text) for one in answers),
        declined_because="" if answers else _reason(session, lead),
        may_rate=lead.state in AWAITING_VERDICT,
        verdict=find_verdict(session, opinion_id=own.id, round=standing_of(lead).round),
        may_reopen=not lead.is_reopened,
        organization_code=session.get_one(Organization, own.organization_id).code,
    )


def _reason(session: Session, lead: Opinion) -> str:
    steps = [step for step in list_steps(session, lead.id) if step.action is Action.DECLINE]
    return steps[-1].remark if steps else ""


def rate_answer(
    session: Session, *, typed: str, verdict: Verdict, policy: Policy, today: date, remark: str = ""
) -> AuthorView:
    """Take an author's verdict; "not satisfied" reopens a case once.

    Raises NotFound `unknown_query_code`, Conflict `opinion_closed` after the end of the case and
    `not_answered_yet` before its answer.
    """
    query_code = read_query_code(typed)
    found = lock_author_case(session, query_code)
    if found is None:
        raise NotFound("unknown_query_code")
    own, lead = found
    if lead.state is State.REOPENED and find_verdict(session, opinion_id=own.id, round=0) is verdict:
        # The same tap, sent twice.
        return _view(session, own, lead, query_code, policy)
    if lead.state not in AWAITING_VERDICT | {State.CLOSED}:
        raise Conflict("not_answered_yet")
    round = standing_of(lead).round
    before = facts_of(lead.state, find_verdict(session, opinion_id=own.id, round=round))
    act = Act(Action.RATE, today, verdict=verdict)
    move_case(session, lead, act, policy, staff=None, remark=redact(remark).text)
    row = session.get(OpinionVerdict, (own.id, round))
    if row is None:
        session.add(OpinionVerdict(opinion_id=own.id, round=round, verdict=verdict))
    else:
        row.verdict = verdict
    await_step(session, lead, on=today, before=before, after=facts_of(lead.state, verdict))
    session.flush()
    return _view(session, own, lead, query_code, policy)
