"""What staff do to a case. Each use case holds the case, moves it by the rules, and leaves its traces.

Of two people who act at once the second finds what the first has done, and overwrites nothing: the case is
held until the commit, and who names an older version is told so.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.audit import Facts, record
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.texts import text as sentence
from survey_service.opinions.models import Opinion, OpinionAnswer, OpinionPhoto, OpinionStep
from survey_service.opinions.places import level_of, place_at
from survey_service.opinions.queries import (
    count_steps,
    list_answers,
    lock_opinion,
    position_of,
)
from survey_service.opinions.redaction import mask
from survey_service.opinions.rules import (
    OPEN,
    Act,
    Action,
    Category,
    Level,
    OpinionMoved,
    Policy,
    Refusal,
    Standing,
    State,
    follow,
)
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.staff.rules import Role


@dataclass(frozen=True, kw_only=True)
class Call:
    """Who acts on which case, as he last saw it (`version` None: whatever it is now), and when."""

    staff: Identity
    opinion_id: int
    now: datetime
    version: int | None = None

    @property
    def today(self) -> date:
        return clock.local_day(self.now)


def opinion_target(opinion_id: int) -> str:
    """Return how the audit trail names an opinion."""
    return f"opinion:{opinion_id}"


def standing_of(opinion: Opinion) -> Standing:
    """Return where a case stands, as the rules know it."""
    return Standing(
        opinion.state,
        opinion.category,
        opinion.since,
        opinion.due_on,
        is_extended=opinion.is_extended,
        is_reopened=opinion.is_reopened,
    )


def triage_opinion(
    session: Session,
    *,
    call: Call,
    policy: Policy,
    category: Category,
    level: Level,
    duplicate_of: int | None = None,
) -> Opinion:
    """Say what an opinion is and who handles it, or that it goes on in another case.

    Raises Conflict `opinion_concealed` where those would handle a report whom it is about.
    """
    if duplicate_of is not None:
        lock_in_order(session, call.opinion_id, duplicate_of)
    opinion = _hold(session, call)
    ancestors = list_ancestors(session, path=opinion.organization.path)
    before = {"category": opinion.category, "is_concealed": opinion.concealed_id is not None}
    _conceal(call.staff, opinion, category, ancestors)
    handler = place_at(ancestors, level)
    _check_handler(opinion, handler)
    act = Act(Action.TRIAGE, call.today, category=category)
    opinion.level, opinion.handler = level, handler
    after = {"category": category, "level": level, "is_concealed": opinion.concealed is not None}
    _move(session, opinion, act, policy, staff=call.staff, before=before, after=after)
    if duplicate_of is not None:
        _join(session, call, policy, opinion, duplicate_of, named="duplicate_of")
    return opinion


def _conceal(
    staff: Identity, opinion: Opinion, category: Category, ancestors: Sequence[Organization]
) -> None:
    """Keep a report from those whom it is about; only the county says that an author's report is none."""
    if category is Category.REPORT:
        place = opinion.concealed or place_at(ancestors, Level.VILLAGE)
        opinion.concealed = place if place.parent_id else None
        return
    if opinion.is_report_by_author and staff.role != Role.COUNTY_ADMIN:
        raise Conflict("opinion_concealed")
    opinion.concealed = None


def _check_handler(opinion: Opinion, handler: Organization) -> None:
    concealed = opinion.concealed
    is_above = concealed is None or (
        concealed.path.startswith(handler.path) and handler.path != concealed.path
    )
    if not is_above:
        raise Conflict("opinion_concealed")


def accept_opinion(session: Session, *, call: Call, policy: Policy) -> Opinion:
    """Take a case on."""
    return _act(session, call, policy, Action.ACCEPT)


def begin_opinion(session: Session, *, call: Call, policy: Policy) -> Opinion:
    """Begin to work on a case."""
    return _act(session, call, policy, Action.BEGIN)


def decline_opinion(session: Session, *, call: Call, policy: Policy, reason: str) -> Opinion:
    """Refuse to handle a case; the author reads the reason."""
    return _act(session, call, policy, Action.DECLINE, remark=reason)


def extend_opinion(session: Session, *, call: Call, policy: Policy, reason: str) -> Opinion:
    """Take as much time again, once."""
    return _act(session, call, policy, Action.EXTEND, remark=reason)


def call_back_opinion(session: Session, *, call: Call, policy: Policy, remark: str) -> Opinion:
    """Write down that the author was asked, or that the place was looked at, after the answer."""
    return _act(session, call, policy, Action.CALL_BACK, remark=remark)


def note_opinion(session: Session, *, call: Call, policy: Policy, remark: str) -> Opinion:
    """Leave a note that only staff read."""
    return _act(session, call, policy, Action.NOTE, remark=remark)


def close_opinion(session: Session, *, call: Call, policy: Policy) -> Opinion:
    """End a case, whether its author has judged the answer or not."""
    return _act(session, call, policy, Action.CLOSE)


def transfer_opinion(
    session: Session, *, call: Call, policy: Policy, organization_code: str, remark: str
) -> Opinion:
    """Hand a case to another organization: one's own sub-tree, or a level above the case.

    Raises Invalid for others, and Conflict `opinion_concealed` where a report would reach whom it is about.
    """
    opinion = _hold(session, call)
    target = _find_target(session, call.staff, opinion, organization_code)
    _check_handler(opinion, target)
    facts = {"organization_code": organization_code, "level": level_of(target)}
    opinion.handler, opinion.level = target, level_of(target)
    act = Act(Action.TRANSFER, call.today)
    return _move(session, opinion, act, policy, staff=call.staff, remark=remark, after=facts)


def _find_target(session: Session, staff: Identity, opinion: Opinion, code: str) -> Organization:
    try:
        target = get_organization(session, code=code)
    except NotFound:
        target = None
    is_reachable = target is not None and (
        staff.covers(target.path) or opinion.organization.path.startswith(target.path)
    )
    if target is None or not is_reachable:
        raise Invalid(errors={"organization_code": [sentence("opinions.unknown_handler")]})
    return target


def answer_opinion(
    session: Session, *, call: Call, policy: Policy, private_text: str = "", public_text: str = ""
) -> Opinion:
    """Answer a case; the private text is read by its authors, the public one by everybody.

    Raises Conflict `opinion_answered` with the answer that stands already.
    """
    if not (private_text or public_text):
        raise Invalid(errors={"public_text": [sentence("opinions.answer_missing")]})
    opinion = _hold(session, call)
    round = standing_of(opinion).round
    _move(session, opinion, Act(Action.ANSWER, call.today), policy, staff=call.staff)
    session.add(
        OpinionAnswer(
            opinion_id=opinion.id,
            round=round,
            private_text=private_text,
            public_text=public_text,
            organization_id=call.staff.organization_id,
            staff_id=call.staff.id,
            answered_on=call.today,
        )
    )
    return opinion


def join_opinion(session: Session, *, call: Call, policy: Policy, into: int) -> Opinion:
    """Let an opinion go on in another case, which says the same: its author gets that one's answer.

    Raises Invalid for a case that is not there for the caller, or that goes on elsewhere itself, and
    Conflict `opinion_concealed` for a report and what is none.
    """
    lock_in_order(session, call.opinion_id, into)
    return _join(session, call, policy, _hold(session, call), into)


def lock_in_order(session: Session, *opinion_ids: int) -> None:
    """Hold several cases in one order, so that nobody waits for each other in a ring."""
    statement = select(Opinion.id).where(Opinion.id.in_(opinion_ids)).order_by(Opinion.id)
    session.execute(statement.with_for_update())


def _join(
    session: Session, call: Call, policy: Policy, opinion: Opinion, into: int, *, named: str = "into"
) -> Opinion:
    lead = _find_lead(session, call.staff, opinion, into, named)
    if lead.concealed_id != opinion.concealed_id:
        raise Conflict("opinion_concealed")
    opinion.lead_id = lead.id
    _move(session, opinion, Act(Action.JOIN, call.today), policy, staff=call.staff, after={"into": into})
    # Whoever was joined into this case goes on in the other, too.
    session.execute(update(Opinion).where(Opinion.lead_id == opinion.id).values(lead_id=lead.id))
    return opinion


def _find_lead(session: Session, staff: Identity, opinion: Opinion, into: int, named: str) -> Opinion:
    try:
        lead = lock_opinion(session, staff=staff, opinion_id=into)
    except NotFound:
        lead = None
    if lead is None or lead.id == opinion.id or lead.state in {State.JOINED, State.CLOSED}:
        raise Invalid(errors={named: [sentence("opinions.unknown_lead")]})
    return lead


def mask_opinion(
    session: Session, *, call: Call, policy: Policy, spans: Sequence[tuple[int, int]]
) -> Opinion:
    """Cover more of the redacted words by hand; the original stays as it is."""
    opinion = _hold(session, call)
    length = len(opinion.text)
    if not all(0 <= start < end <= length for start, end in spans):
        raise Invalid(errors={"spans": [sentence("opinions.span_outside")]})
    opinion.text = mask(opinion.text, spans)
    facts = {"spans": len(spans)}
    return _move(session, opinion, Act(Action.MASK, call.today), policy, staff=call.staff, after=facts)


def mask_words(session: Session, *, call: Call, policy: Policy, words: str) -> Opinion:
    """Cover some words by hand wherever they stand; raises Invalid where they stand nowhere."""
    opinion = _hold(session, call)
    spans = [(found.start(), found.end()) for found in re.finditer(re.escape(words), opinion.text)]
    if not spans:
        raise Invalid(errors={"words": [sentence("opinions.words_missing")]})
    return mask_opinion(session, call=call, policy=policy, spans=spans)


def show_photo(session: Session, *, call: Call, policy: Policy, number: int) -> Opinion:
    """Let the branch see a photo, which shows nobody who could be known by it."""
    opinion = _hold(session, call)
    photo = session.get(OpinionPhoto, (opinion.id, number))
    if photo is None:
        raise NotFound
    photo.is_shown = True
    act = Act(Action.SHOW_PHOTO, call.today)
    return _move(session, opinion, act, policy, staff=call.staff, after={"number": number})


def _act(session: Session, call: Call, policy: Policy, action: Action, *, remark: str = "") -> Opinion:
    opinion = _hold(session, call)
    return _move(session, opinion, Act(action, call.today), policy, staff=call.staff, remark=remark)


def _hold(session: Session, call: Call) -> Opinion:
    """Return the case, held until the commit.

    Raises NotFound where the caller may not know of it, Forbidden where another level handles it, and
    Conflict `opinion_changed` where he has seen an older version.
    """
    opinion = lock_opinion(session, staff=call.staff, opinion_id=call.opinion_id)
    if not call.staff.covers(opinion.handler.path):
        raise Forbidden
    if call.version is not None and call.version != opinion.version:
        raise Conflict("opinion_changed", extra=_present(session, opinion))
    return opinion


def _present(session: Session, opinion: Opinion) -> dict[str, object]:
    """Return what somebody has to know who comes second."""
    answers = list_answers(session, opinion.id)
    last = answers[-1] if answers else None
    answer = last and {"private_text": last.private_text, "public_text": last.public_text}
    return {"state": opinion.state, "version": opinion.version, "answer": answer}


def _move(
    session: Session,
    opinion: Opinion,
    act: Act,
    policy: Policy,
    *,
    staff: Identity,
    remark: str = "",
    before: Facts | None = None,
    after: Facts | None = None,
) -> Opinion:
    """Move a case by the rules, and write down that a staff member did."""
    state = opinion.state
    move_case(session, opinion, act, policy, staff=staff, remark=remark)
    record(
        session,
        f"opinions.{act.action}",
        opinion_target(opinion.id),
        before={"state": state, **(before or {})},
        after={"state": opinion.state, **(after or {}), **({"remark": remark} if remark else {})},
    )
    return opinion


def move_case(
    session: Session,
    opinion: Opinion,
    act: Act,
    policy: Policy,
    *,
    staff: Identity | None,
    remark: str = "",
) -> Standing:
    """Move a held case by the rules and write its history; raises Conflict with the refusal's code."""
    moved = follow(standing_of(opinion), act, policy)
    if isinstance(moved, Refusal):
        raise Conflict(moved.value, extra=_present(session, opinion))
    opinion.state, opinion.category = moved.state, moved.category
    opinion.since, opinion.due_on = moved.since, moved.due
    opinion.is_extended, opinion.is_reopened = moved.is_extended, moved.is_reopened
    opinion.is_open = moved.state in OPEN
    opinion.position = position_of(moved.due, opinion.id)
    opinion.version += 1
    session.add(
        OpinionStep(
            opinion_id=opinion.id,
            number=count_steps(session, opinion.id) + 1,
            action=act.action,
            state=moved.state,
            staff_id=staff and staff.id,
            organization_id=staff and staff.organization_id,
            remark=remark,
            taken_on=act.on,
        )
    )
    session.flush()
    publish(session, OpinionMoved(opinion.id))
    return moved
