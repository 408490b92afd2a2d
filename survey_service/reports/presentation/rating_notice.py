"""The public notice of a rating as those see it who run it: the list, its days, the objections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.ratings.reading import due_step
from survey_service.ratings.schemas import ObjectionIn, OutcomeIn
from survey_service.ratings.vocabulary import StepKind
from survey_service.reports.presentation.forms import Body, Choice, FormView, body_of, load
from survey_service.reports.presentation.frame import Link
from survey_service.reports.presentation.rating_work import tabs
from survey_service.reports.presentation.ratings import CycleView, cycle_view

Json = Mapping[str, Any]


@dataclass(frozen=True)
class ObjectionView:
    id: int
    name: str
    text: str
    received: str
    outcome: str


@dataclass(frozen=True)
class NoticePage:
    """`counts` is how many have each grade, `graded` the list as it is announced."""

    cycle: CycleView
    tabs: Sequence[Link]
    may_act: bool
    is_running: bool
    days: str
    counts: Sequence[str]
    graded: Sequence[tuple[str, str]]
    objections: Sequence[ObjectionView]
    subjects: Sequence[Choice]
    grades: Sequence[Choice]
    takes_objections: bool
    next_after: int | None
    form: FormView


def notice_page(
    cycle: Json,
    document: Json,
    table: Json,
    names: Mapping[int, str],
    *,
    today: date,
    may_act: bool,
    form: FormView | None = None,
) -> NoticePage:
    """Return the announced grades and the objections; `names` are those of the subjects by their ids."""
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    due = due_step(cycle)
    is_running = due is not None and due["kind"] is StepKind.PUBLIC_NOTICE
    last_day = due["due_on"] if due is not None and is_running else None
    final = [row for row in table["items"] if row["grade_final"]]
    given = table["counts"] if cycle["is_final"] else {}
    return NoticePage(
        cycle=cycle_view(cycle),
        tabs=tabs(cycle["id"], "notice", is_office=True),
        may_act=may_act,
        is_running=is_running,
        days=_notice_days(is_running, last_day, today),
        counts=[
            text("rating_work.count_of_grade", grade=title, count=given.get(grade, 0))
            for grade, title in titles.items()
        ],
        graded=[(row["name"], titles[row["grade_final"]]) for row in final],
        objections=[_objection(one, names) for one in cycle["objections"] if one.subject_id in names],
        subjects=[Choice(row["organization_code"], row["name"]) for row in final],
        grades=[Choice("", text("rating_work.keep_grade")), *(Choice(*one) for one in titles.items())],
        takes_objections=may_act and is_running and (last_day is None or today <= last_day),
        next_after=table["next"],
        form=form or FormView(),
    )


def _notice_days(is_running: bool, last_day: date | None, today: date) -> str:
    if not is_running:
        return text("rating_work.notice_not_now")
    if last_day is None:
        return text("rating_work.notice_open_ended")
    key = "notice_running" if today <= last_day else "notice_ended"
    return text(f"rating_work.{key}", day=last_day.isoformat())


def _objection(one: Any, names: Mapping[int, str]) -> ObjectionView:
    received = text("rating_work.received_at", at=local_text(one.received_at))
    return ObjectionView(one.id, names[one.subject_id], one.text, received, one.outcome or "")


def objection_asked_for(values: Mapping[str, str]) -> Body:
    body = load(ObjectionIn(), body_of(values, ObjectionIn().fields))
    return {"organization_code": body["organization_code"], "words": body["text"]}


def outcome_asked_for(values: Mapping[str, str]) -> Body:
    return load(OutcomeIn(), body_of(values, OutcomeIn().fields))
