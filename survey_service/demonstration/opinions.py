"""Invented opinions over the villages of the demonstration, in all states, through the real services."""

import random
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.core import clock
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.demonstration.opinion_texts import Written, read_words, write_texts
from survey_service.opinions import service
from survey_service.opinions.authors import rate_answer
from survey_service.opinions.models import Opinion
from survey_service.opinions.policy import current_policy
from survey_service.opinions.queries import find_by_query_code
from survey_service.opinions.receiving import Allowance, Draft, Origin, receive_opinion
from survey_service.opinions.rules import Category, Level, Source, Verdict
from survey_service.opinions.service import Call
from survey_service.organizations.models import Organization
from survey_service.staff.models import StaffAccount

OPINIONS = 330
_SEED = 20261122
_SEASON_DAYS, _FRESH_DAYS = 80, 6
_FRESH_SHARE = 0.25
_REPEATED = 9
"""So often one complaint of one village comes within a week."""
_ENDS = {
    "received": 12,
    "triaged": 8,
    "accepted": 6,
    "begun": 10,
    "extended": 4,
    "transferred": 5,
    "declined": 3,
    "answered": 14,
    "called_back": 5,
    "satisfied": 12,
    "partly_solved": 5,
    "reopened": 4,
    "closed": 12,
}
"""What becomes of a hundred opinions, about."""


@dataclass(frozen=True)
class _Case:
    """An opinion on its way: who acts on it, and on which days."""

    session: Session
    opinion_id: int
    query_code: str
    staff: Identity
    received_at: datetime
    now: datetime
    words: Any

    def do(
        self, act: Callable[..., Opinion], *, after: int, by: Identity | None = None, **values: Any
    ) -> None:
        """Let staff act so many days after the opinion came, today at the latest."""
        at = min(self.received_at + timedelta(days=after), self.now)
        call = Call(staff=by or self.staff, opinion_id=self.opinion_id, now=at)
        act(self.session, call=call, policy=current_policy(), **values)

    def judge(self, verdict: Verdict, *, after: int) -> None:
        today = clock.local_day(min(self.received_at + timedelta(days=after), self.now))
        rate_answer(
            self.session, typed=self.query_code, verdict=verdict, policy=current_policy(), today=today
        )


def load_opinions(
    session: Session, *, staff: Identity, villages: Sequence[Organization], now: datetime
) -> None:
    """Store the opinions, and let the town and the branches work on most of them."""
    rng = random.Random(_SEED)  # noqa: S311  Invented opinions, not secrets.
    words = read_words()
    branches = _secretaries(session, villages)
    for number, written in enumerate(write_texts(rng, OPINIONS)):
        village = rng.choices(villages, [len(villages) - place / 2 for place in range(len(villages))])[0]
        _load_one(session, rng, written, village, staff, branches[village.id], words, _day(rng, now), now)
        if number < _REPEATED:
            _repeat(session, rng, words, villages[0], now)


def _secretaries(session: Session, villages: Sequence[Organization]) -> dict[int, Identity]:
    paths = {village.id: village.path for village in villages}
    accounts = session.scalars(select(StaffAccount).where(StaffAccount.organization_id.in_(paths)))
    return {
        one.organization_id: Identity(
            one.id, one.display_name, one.role, one.organization_id, paths[one.organization_id]
        )
        for one in accounts
    }


def _day(rng: random.Random, now: datetime) -> datetime:
    days = rng.randint(0, _FRESH_DAYS) if rng.random() < _FRESH_SHARE else rng.randint(7, _SEASON_DAYS)
    return now - timedelta(days=days)


def _repeat(session: Session, rng: random.Random, words: Any, village: Organization, now: datetime) -> None:
    """Store one more voice of those who all wait for the same."""
    text = rng.choice(words["repeated"])
    written = Written(text, Category.COMPLAINT, None, 0)
    _receive(session, rng, written, village, now - timedelta(days=rng.randint(0, _FRESH_DAYS)))


def _receive(
    session: Session, rng: random.Random, written: Written, village: Organization, at: datetime
) -> tuple[int, str]:
    is_report = written.category is Category.REPORT
    received = receive_opinion(
        session,
        keyring=current_keyring(),
        policy=current_policy(),
        draft=Draft(
            text=written.text,
            category=written.category,
            topic=written.topic,
            may_publish=rng.random() < 0.4,
            about=Level.VILLAGE if is_report else None,
        ),
        origin=Origin(village, Source.BOX),
        secret=secrets.token_urlsafe(24),
        allowance=Allowance(0, secrets.token_bytes(16), at.strftime("%Y-%m")),
        today=clock.local_day(at),
    )
    opinion = find_by_query_code(session, received.query_code)
    assert opinion is not None
    return opinion.id, received.query_code


def _load_one(
    session: Session,
    rng: random.Random,
    written: Written,
    village: Organization,
    town: Identity,
    branch: Identity,
    words: Any,
    at: datetime,
    now: datetime,
) -> None:
    opinion_id, query_code = _receive(session, rng, written, village, at)
    is_report = written.category is Category.REPORT
    end = rng.choices(list(_ENDS), list(_ENDS.values()))[0]
    # What came yesterday has not been answered and judged already.
    if (now - at).days < _FRESH_DAYS and end not in {"received", "triaged"}:
        end = "triaged"
    if end == "received":
        return
    handler = town if is_report else branch
    case = _Case(session, opinion_id, query_code, handler, at, now, words)
    level = Level.TOWN if is_report else Level.VILLAGE
    case.do(service.triage_opinion, after=1, by=town, category=written.category, level=level)
    _work(case, rng, end, town)


def _work(case: _Case, rng: random.Random, end: str, town: Identity) -> None:
    """Bring a sorted case to the end that was drawn for it."""
    reasons = case.words["reasons"]
    if end == "transferred":
        code = case.words["town"]
        case.do(service.transfer_opinion, after=2, organization_code=code, remark=reasons["transferred"])
    elif end == "declined":
        case.do(service.decline_opinion, after=2, reason=reasons["declined"])
    if end in {"triaged", "transferred", "declined"}:
        return
    case.do(service.accept_opinion, after=2)
    if end == "accepted":
        return
    case.do(service.begin_opinion, after=3)
    if end == "extended":
        case.do(service.extend_opinion, after=5, reason=reasons["extended"])
    if end in {"begun", "extended"}:
        return
    case.do(
        service.answer_opinion, after=rng.choice((4, 6, 9, 30)), public_text=rng.choice(case.words["answers"])
    )
    _finish(case, rng, end, town)


def _finish(case: _Case, rng: random.Random, end: str, town: Identity) -> None:
    """Let the author judge the answer, and the town end the case."""
    if end == "called_back":
        case.do(service.call_back_opinion, after=32, by=town, remark=case.words["reasons"]["called_back"])
    elif end == "satisfied":
        case.judge(rng.choice((Verdict.SATISFIED, Verdict.SATISFIED, Verdict.BASICALLY_SATISFIED)), after=33)
    elif end == "partly_solved":
        case.judge(Verdict.PARTLY_SOLVED, after=33)
    elif end == "reopened":
        case.judge(Verdict.DISSATISFIED, after=33)
    elif end == "closed":
        case.judge(rng.choice((Verdict.SATISFIED, Verdict.BASICALLY_SATISFIED)), after=33)
        case.do(service.close_opinion, after=35, by=town)
