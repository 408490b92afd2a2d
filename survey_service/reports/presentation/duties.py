"""What waits for somebody, in sentences that lead to where it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from survey_service.core.clock import day_text
from survey_service.core.texts import text
from survey_service.opinions.queries import MOST_COUNTED
from survey_service.ratings.duties import DueStep
from survey_service.reports.duties import Duties, Duty

_URLS: Mapping[Duty, str] = {
    Duty.OPINIONS_OVERDUE: "/staff/opinions?group=handling",
    Duty.OPINIONS_TO_SORT: "/staff/opinions?group=received",
    Duty.OPINIONS_IN_HAND: "/staff/opinions?group=handling",
    Duty.LETTERS_TO_DECIDE: "/staff/clear-letters?state=submitted",
    Duty.LETTERS_SENT_BACK: "/staff/clear-letters?state=sent_back",
}
_WARNINGS_URL = "/staff/opinions/overview"
_LATE = frozenset({Duty.OPINIONS_OVERDUE})


@dataclass(frozen=True)
class DutyLine:
    sentence: str
    url: str
    is_late: bool


def duty_lines(duties: Duties, *, warnings: int) -> Sequence[DutyLine]:
    """Return a line for each thing that waits, what is late first.

    `warnings` are those about opinions, as the head of every page counts them.
    """
    lines = [
        DutyLine(text(f"duties.{duty}", count=_number(count)), _URLS[duty], duty in _LATE)
        for duty, count in duties.counts.items()
    ]
    if warnings:
        lines.append(DutyLine(text("duties.warnings_unseen", count=warnings), _WARNINGS_URL, is_late=False))
    lines += [_step_line(step) for step in duties.steps]
    return sorted(lines, key=lambda line: not line.is_late)


def _number(count: int) -> str:
    return f"{MOST_COUNTED - 1}+" if count >= MOST_COUNTED else str(count)


def _step_line(step: DueStep) -> DutyLine:
    until = day_text(step.due_on) if step.due_on else ""
    key = "step_late" if step.is_late else "step_until" if until else "step"
    sentence = text(f"duties.{key}", title=step.title, step=step.step, until=until)
    return DutyLine(sentence, f"/staff/ratings/{step.cycle_id}/work", step.is_late)
