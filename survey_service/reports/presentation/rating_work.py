"""The work on a rating cycle as pages show it: opening it, its steps, decisions, the public notice."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from survey_service.campaigns.models import Campaign
from survey_service.core.clock import local_text
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.ratings.queries import KnownScheme
from survey_service.ratings.reading import due_step
from survey_service.ratings.record_schemas import DeadlineIn
from survey_service.ratings.records import WORK_PAGE, SheetState, WorkRow
from survey_service.ratings.rulings import DecisionRow, DecisionTable
from survey_service.ratings.schemas import (
    CycleIn,
    DowngradeIn,
    GradeDecisionIn,
    SendBackIn,
    StepIn,
)
from survey_service.ratings.vocabulary import MoveKind
from survey_service.reports.presentation.forms import Body, Choice, FormView, body_of, load
from survey_service.reports.presentation.frame import Link
from survey_service.reports.presentation.ratings import CycleView, cycle_view
from survey_service.reports.presentation.turnout import UNKNOWN

Json = Mapping[str, Any]
_SEPARATORS = re.compile(r"[\s,;，；、]+")


@dataclass(frozen=True)
class NewCyclePage:
    form: FormView
    schemes: Sequence[Choice]
    areas: Sequence[Choice]
    campaigns: Sequence[Choice]


def new_cycle_page(
    schemes: Sequence[KnownScheme],
    areas: Sequence[Organization],
    campaigns: Sequence[Campaign],
    form: FormView,
) -> NewCyclePage:
    return NewCyclePage(
        form=form,
        schemes=[
            Choice(
                one.code,
                text("rating_work.scheme_choice", title=one.document["title"], version=one.version),
            )
            for one in schemes
        ],
        areas=[Choice(one.code, text("staff_pages.all_under", name=one.name)) for one in areas],
        campaigns=[
            Choice("", text("rating_work.no_campaign")),
            *(Choice(str(one.id), one.title) for one in campaigns),
        ],
    )


def cycle_asked_for(values: Mapping[str, str]) -> Body:
    """Return the cycle that a form asks for; raises Invalid."""
    codes = [code for code in _SEPARATORS.split(values.get("organization_codes", "")) if code]
    names = ["scheme", "title", "year", "campaign_id", *([] if codes else ["under"])]
    return load(CycleIn(), body_of(values, names) | ({"organization_codes": codes} if codes else {}))


def tabs(cycle_id: int, current: str, *, is_office: bool) -> list[Link]:
    """Return the links between the pages of one cycle; a rated party has one page before the end."""
    address = f"/staff/ratings/{cycle_id}"
    shown = ["work", "decisions", "notice", "forms"] if is_office else ["work", "forms"]
    return [
        Link(text("rating_work.overview"), address, current == "overview"),
        *(Link(text(f"rating_work.tab_{one}"), f"{address}/{one}", one == current) for one in shown),
    ]


@dataclass(frozen=True)
class StepLine:
    code: str
    title: str
    actor: str
    state: str
    due: str
    is_late: bool


@dataclass(frozen=True)
class WorkLine:
    code: str
    name: str
    states: Sequence[tuple[str, str, str]]
    """Of each level: its title, the colour of the chip, and the state in words."""
    exclusion: str


@dataclass(frozen=True)
class WorkPage:
    cycle: CycleView
    tabs: Sequence[Link]
    steps: Sequence[StepLine]
    due: StepLine | None
    may_act: bool
    explained: str
    earlier: Sequence[Choice]
    open_steps: Sequence[Choice]
    warnings: Sequence[str]
    moves: Sequence[str]
    rows: Sequence[WorkLine]
    next_after: int | None
    visits: Sequence[tuple[str, str, str, bool]]
    """Code and name of whom to visit, why, and whether it is done."""
    form: FormView


_CHIPS = {
    SheetState.EMPTY: "draft",
    SheetState.DRAFT: "open",
    SheetState.SUBMITTED: "ok",
    SheetState.RETURNED: "suppressed",
}


def work_page(
    cycle: Json,
    document: Json,
    rows: Sequence[WorkRow],
    visits: Sequence[Json],
    *,
    warnings: Sequence[str],
    is_office: bool,
    may_act: bool,
    today: date,
    form: FormView | None = None,
) -> WorkPage:
    steps = list(_steps(cycle["steps"], today))
    due = next((one for one in steps if one.state == "due"), None)
    grades = {band["grade"]: band["title"] for band in document["bands"]}
    decides = any(one["decides"] and due and one["code"] == due.code for one in cycle["steps"])
    is_open = not cycle["is_final"]
    return WorkPage(
        cycle=cycle_view(cycle),
        tabs=tabs(cycle["id"], "work", is_office=is_office),
        steps=steps,
        due=due,
        may_act=may_act and is_office,
        explained=text("rating_work.decides_explained" if decides else "rating_work.complete_explained"),
        earlier=[Choice(one.code, one.title) for one in steps if one.state == "done" and is_open],
        open_steps=[Choice(one.code, one.title) for one in steps if one.state != "done"],
        warnings=warnings,
        moves=list(_moves(cycle)),
        rows=[_work_line(row) for row in rows],
        next_after=rows[-1].position if len(rows) == WORK_PAGE else None,
        visits=[(one["organization_code"], one["name"], _why(one, grades), one["is_done"]) for one in visits],
        form=form or FormView(),
    )


def _steps(steps: Sequence[Json], today: date) -> Iterator[StepLine]:
    is_next = True
    for step in steps:
        state = "done" if step["is_done"] else "due" if is_next else "later"
        is_next = is_next and step["is_done"]
        is_late = state == "due" and step["due_on"] is not None and today > step["due_on"]
        due = step["due_on"].isoformat() if step["due_on"] else ""
        yield StepLine(step["code"], step["title"], step["actor"], state, due, is_late)


def _moves(cycle: Json) -> Iterator[str]:
    titles = {step["code"]: step["title"] for step in cycle["steps"]}
    for move in cycle["moves"]:
        key = "move_completed" if move.kind is MoveKind.COMPLETED else "move_sent_back"
        words = text(f"rating_work.{key}", at=local_text(move.at), step=titles[move.step])
        yield f"{words}：{move.remark}" if move.remark else words


def _work_line(row: WorkRow) -> WorkLine:
    states = [
        (text(f"rating_work.level_{level}"), _CHIPS[state], text(f"rating_work.state_{state}"))
        for level, state in row.states.items()
    ]
    return WorkLine(row.organization_code, row.name, states, row.exclusion or "")


def _why(one: Json, grades: Mapping[str, str]) -> str:
    earlier = grades.get(one["earlier_grade"] or "", "")
    return "；".join(text(f"rating_work.visit_{reason}", grade=earlier) for reason in one["reasons"])


@dataclass(frozen=True)
class DecisionView:
    """A subject before the committee; `replaces` is the newest decision that the page has shown."""

    code: str
    name: str
    total: str
    proposed: str
    final: str
    needs_decision: bool
    reasons: Sequence[str]
    decided: Sequence[str]
    replaces: int | None
    offered: Sequence[Choice]
    chosen: str
    blocked: str
    lower: Sequence[Choice]


@dataclass(frozen=True)
class DecisionsPage:
    cycle: CycleView
    tabs: Sequence[Link]
    may_act: bool
    is_due: bool
    is_final: bool
    attention: Sequence[DecisionView]
    rows: Sequence[DecisionView]
    next_after: int | None
    words: str
    triggers: Sequence[Choice]
    form: FormView
    conflict: bool
    asked: str


def decisions_page(
    cycle: Json,
    document: Json,
    table: DecisionTable,
    *,
    may_act: bool,
    asked: str = "",
    words: str = "",
    form: FormView | None = None,
    is_conflict: bool = False,
) -> DecisionsPage:
    """Return the table; `asked` is the subject whose form is shown although nothing asks for it."""
    titles = {band["grade"]: band["title"] for band in document["bands"]}
    due = due_step(cycle)
    triggers = (document.get("downgrade") or {}).get("triggers", ())
    return DecisionsPage(
        cycle=cycle_view(cycle),
        tabs=tabs(cycle["id"], "decisions", is_office=True),
        may_act=may_act,
        is_due=due is not None and due["decides"],
        is_final=cycle["is_final"],
        attention=[_decision(row, titles) for row in table.asking],
        rows=[_decision(row, titles) for row in table.rows],
        next_after=table.next,
        words=words,
        triggers=[Choice(one["code"], one["title"]) for one in triggers],
        form=form or FormView(),
        conflict=is_conflict,
        asked=asked,
    )


def _decision(row: DecisionRow, titles: Mapping[str, str]) -> DecisionView:
    grade = row.grade
    proposed, final = (grade[name] or "" for name in ("grade_proposed", "grade_final"))
    grades = list(titles)
    made = row.decisions[-1] if row.decisions else None
    return DecisionView(
        code=grade["organization_code"],
        name=grade["name"],
        total=grade["total"] or UNKNOWN,
        proposed=titles.get(proposed, UNKNOWN),
        final=titles.get(final, UNKNOWN),
        needs_decision=grade["needs_decision"],
        reasons=grade["reasons"],
        decided=[_decided(one, titles) for one in row.decisions],
        replaces=made.number if made else None,
        offered=[Choice(one, titles[one]) for one in grades if one not in grade["blocked"]],
        chosen=made.grade if made else proposed,
        blocked="、".join(titles[one] for one in grades if one in grade["blocked"]),
        lower=[Choice(one, titles[one]) for one in grades[grades.index(final) + 1 :]] if final else [],
    )


def _decided(made: Any, titles: Mapping[str, str]) -> str:
    return text(
        "rating_work.decided_as",
        grade=titles.get(made.grade, made.grade),
        at=local_text(made.at),
        number=made.number,
        reason=made.reason or UNKNOWN,
    )


def remark_asked_for(values: Mapping[str, str]) -> Body:
    return load(StepIn(), body_of(values, ["remark"]))


def send_back_asked_for(values: Mapping[str, str]) -> Body:
    return load(SendBackIn(), body_of(values, SendBackIn().fields))


def deadline_asked_for(values: Mapping[str, str]) -> Body:
    return load(DeadlineIn(), body_of(values, DeadlineIn().fields))


def decision_asked_for(values: Mapping[str, str]) -> Body:
    return load(GradeDecisionIn(), body_of(values, GradeDecisionIn().fields))


def downgrade_asked_for(values: Mapping[str, str]) -> Body:
    return load(DowngradeIn(), body_of(values, DowngradeIn().fields))
