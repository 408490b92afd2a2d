"""What waits for somebody, over all that the product does: the first page begins with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sqlalchemy.orm import Session

from survey_service.clear_letters.queries import count_in_state
from survey_service.clear_letters.rules import LetterState
from survey_service.core.permissions import Identity
from survey_service.opinions.queries import count_cases
from survey_service.opinions.rules import WITH_HANDLER, State
from survey_service.ratings.duties import DueStep, list_due_steps
from survey_service.staff.rules import is_allowed


class Duty(StrEnum):
    """What can wait, most pressing first."""

    OPINIONS_OVERDUE = "opinions_overdue"
    OPINIONS_TO_SORT = "opinions_to_sort"
    OPINIONS_IN_HAND = "opinions_in_hand"
    LETTERS_TO_DECIDE = "letters_to_decide"
    LETTERS_SENT_BACK = "letters_sent_back"


@dataclass(frozen=True)
class Duties:
    """How much of each waits; what does not wait is not there."""

    counts: Mapping[Duty, int] = field(default_factory=dict)
    steps: Sequence[DueStep] = ()


def read_duties(session: Session, *, staff: Identity, today: date) -> Duties:
    """Return what waits for somebody by role and sub-tree."""
    counts: dict[Duty, int] = {}
    if is_allowed(staff.role, "opinions.read", staff.withheld):
        counts |= _count_opinions(session, staff, today)
    if is_allowed(staff.role, "clear_letters.compose", staff.withheld):
        counts |= _count_letters(session, staff)
    waiting = {duty: counts[duty] for duty in Duty if counts.get(duty)}
    if not is_allowed(staff.role, "ratings.answer", staff.withheld):
        return Duties(waiting)
    return Duties(waiting, list_due_steps(session, staff=staff, today=today))


def _count_opinions(session: Session, staff: Identity, today: date) -> dict[Duty, int]:
    """An office sorts and watches over what is late; a branch has in hand what it can see."""
    found = count_cases(session, staff=staff, states=WITH_HANDLER | {State.RECEIVED}, today=today)
    in_hand = sum(found.by_state.get(state, 0) for state in WITH_HANDLER)
    is_sorting = is_allowed(staff.role, "opinions.triage", staff.withheld)
    return {
        Duty.OPINIONS_OVERDUE: found.overdue,
        Duty.OPINIONS_TO_SORT: found.by_state.get(State.RECEIVED, 0) if is_sorting else 0,
        Duty.OPINIONS_IN_HAND: 0 if is_sorting else in_hand,
    }


def _count_letters(session: Session, staff: Identity) -> dict[Duty, int]:
    if is_allowed(staff.role, "clear_letters.decide", staff.withheld):
        duty, state = Duty.LETTERS_TO_DECIDE, LetterState.SUBMITTED
    else:
        duty, state = Duty.LETTERS_SENT_BACK, LetterState.SENT_BACK
    return {duty: count_in_state(session, state, within_path=staff.path)}
