"""Opinions as staff see them: the queue, one case with what can be done to it, boxes, and paper."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from survey_service.core.http import public_url
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.entrances.codes import grouped
from survey_service.opinions.models import Opinion, OpinionAnswer, OpinionBox, OpinionPhoto, OpinionStep
from survey_service.opinions.queries import MOST_COUNTED, CaseCounts, OpinionFilter
from survey_service.opinions.rules import (
    AWAITING_VERDICT,
    WITH_HANDLER,
    Act,
    Action,
    Category,
    Level,
    Policy,
    Standing,
    State,
    Topic,
    Verdict,
    follow,
)
from survey_service.opinions.service import standing_of
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import place_name
from survey_service.reports.charts import Segment, stack
from survey_service.reports.presentation.forms import Choice, FormView, choices
from survey_service.staff.rules import is_allowed

_MOST_SHOWN = 120
"""Characters of an opinion in a list."""
ALL = "all"
GROUPS: Mapping[str, frozenset[State]] = {
    "received": frozenset({State.RECEIVED}),
    "handling": WITH_HANDLER,
    "answered": AWAITING_VERDICT,
    "ended": frozenset({State.CLOSED, State.DECLINED, State.JOINED}),
}
COUNTED = ("received", "handling", "answered")
"""Tabs with a number; what has ended only grows."""
COUNTED_STATES = frozenset().union(*(GROUPS[name] for name in COUNTED))
_CHIPS = {"received": "scheduled", "handling": "insufficient", "answered": "ok", "ended": "closed"}
CATEGORY_KEYS: Mapping[Category, str] = {one: str(number) for number, one in enumerate(Category, 1)}
LEVEL_KEYS: Mapping[Level, str] = {Level.VILLAGE: "v", Level.TOWN: "t", Level.COUNTY: "c"}

PERMISSION_OF: Mapping[Action, str] = {
    Action.TRIAGE: "opinions.triage",
    Action.JOIN: "opinions.triage",
    Action.MASK: "opinions.triage",
    Action.SHOW_PHOTO: "opinions.triage",
    Action.ACCEPT: "opinions.handle",
    Action.BEGIN: "opinions.handle",
    Action.TRANSFER: "opinions.handle",
    Action.DECLINE: "opinions.handle",
    Action.EXTEND: "opinions.handle",
    Action.ANSWER: "opinions.handle",
    Action.CALL_BACK: "opinions.handle",
    Action.NOTE: "opinions.handle",
    Action.CLOSE: "opinions.close",
}


def filter_of(group: str) -> OpinionFilter:
    """Return what a tab of the queue holds; an unknown one holds everything."""
    return OpinionFilter(states=GROUPS.get(group, frozenset()))


@dataclass(frozen=True)
class Tab:
    label: str
    url: str
    is_current: bool


@dataclass(frozen=True)
class Row:
    """One case in a list."""

    url: str
    organization: str
    category: str
    text: str
    state: str
    chip: str
    due: str
    is_late: bool
    is_concealed: bool


@dataclass(frozen=True)
class QueuePage:
    tabs: Sequence[Tab]
    segments: Sequence[Segment]
    overdue: int
    rows: Sequence[Row]
    next_url: str
    is_empty: bool


def group_of(state: State) -> str:
    return next(name for name, states in GROUPS.items() if state in states)


def queue_page(
    opinions: Sequence[Opinion],
    *,
    counts: CaseCounts,
    group: str,
    staff: Identity,
    policy: Policy,
    today: date,
    limit: int,
) -> QueuePage:
    """Return one page of the queue; a branch has no tab for what nobody has sorted."""
    names = [name for name in GROUPS if name != "received" or is_allowed(staff.role, "opinions.triage")]
    numbers = {
        name: sum(counts.by_state.get(one, 0) for one in GROUPS[name]) for name in names if name in COUNTED
    }
    labelled = [(text(f"opinions.group_{name}"), number) for name, number in numbers.items()]
    return QueuePage(
        tabs=[_tab(name, numbers.get(name), group) for name in (*names, ALL)],
        segments=stack(labelled),
        overdue=counts.overdue,
        rows=[_row(one, policy, today) for one in opinions],
        next_url=_queue_url(group, opinions[-1].position) if len(opinions) == limit else "",
        is_empty=not opinions,
    )


def _tab(name: str, number: int | None, current: str) -> Tab:
    label = text(f"opinions.group_{name}")
    shown = f"{MOST_COUNTED - 1}+" if number is not None and number >= MOST_COUNTED else str(number)
    return Tab(label if number is None else f"{label} {shown}", _queue_url(name), name == current)


def _queue_url(group: str, cursor: int | None = None) -> str:
    return f"/staff/opinions?group={group}" + (f"&cursor={cursor}" if cursor else "")


def _row(one: Opinion, policy: Policy, today: date) -> Row:
    due, is_late = due_words(one, policy, today)
    shown = one.text if len(one.text) <= _MOST_SHOWN else one.text[:_MOST_SHOWN] + "…"
    return Row(
        url=f"/staff/opinions/{one.id}",
        organization=place_name(one.organization.name),
        category=_category(one),
        text=shown,
        state=text(f"opinions.state_{one.state}"),
        chip=_CHIPS[group_of(one.state)],
        due=due,
        is_late=is_late,
        is_concealed=one.concealed_id is not None,
    )


def _category(one: Opinion) -> str:
    return text(f"opinions.category_{one.category}") if one.category else text("opinions.no_category")


def due_words(one: Opinion, policy: Policy, today: date) -> tuple[str, bool]:
    """Say how long there is until the answer is due, and whether it is late; nothing where none runs."""
    if not one.is_open:
        return "", False
    if one.due_on < today:
        return text("opinions.days_late", days=policy.calendar.between(one.due_on, today)), True
    days = policy.calendar.between(today, one.due_on)
    return text("opinions.days_left", days=days) if days else text("opinions.due_today"), False


@dataclass(frozen=True)
class HistoryLine:
    day: str
    who: str
    what: str
    remark: str


@dataclass(frozen=True)
class AnswerView:
    private: str
    public: str
    who: str


@dataclass(frozen=True)
class PhotoView:
    number: int
    url: str
    is_shown: bool


@dataclass(frozen=True)
class Key:
    """A choice of the triage form and the key that chooses it."""

    value: str
    label: str
    key: str


@dataclass(frozen=True)
class CasePage:
    id: int
    version: int
    text: str
    state: str
    chip: str
    facts: Sequence[tuple[str, str]]
    is_late: bool
    is_concealed: bool
    may_publish: bool
    photos: Sequence[PhotoView]
    answers: Sequence[AnswerView]
    verdicts: Sequence[str]
    history: Sequence[HistoryLine]
    joined: Sequence[str]
    lead_url: str
    offered: frozenset[str]
    categories: Sequence[Key]
    levels: Sequence[Key]
    targets: Sequence[Choice]
    may_read_original: bool
    deadline_note: str
    form: FormView = field(default_factory=FormView)
    failed: str = ""
    """The action that was refused, whose words stand in its form again."""
    refusal: str = ""
    original: str = ""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A case with all that its page shows, as it was read."""

    opinion: Opinion
    answers: Sequence[OpinionAnswer]
    verdicts: Mapping[Verdict, int]
    steps: Sequence[OpinionStep]
    photos: Sequence[OpinionPhoto]
    joined: Sequence[Opinion]
    targets: Sequence[Organization]


def case_page(case: Case, *, staff: Identity, policy: Policy, today: date, **more: Any) -> CasePage:
    """Return a case as a page; `more` carries what a refused form left behind."""
    one = case.opinion
    offered = _offered(one, staff, policy, today)
    due, is_late = due_words(one, policy, today)
    return CasePage(
        id=one.id,
        version=one.version,
        text=one.text,
        state=text(f"opinions.state_{one.state}"),
        chip=_CHIPS[group_of(one.state)],
        facts=_facts(one, due),
        is_late=is_late,
        is_concealed=one.concealed_id is not None,
        may_publish=one.may_publish,
        photos=[_photo(photo) for photo in case.photos],
        answers=[_answer(answer) for answer in case.answers],
        verdicts=[
            f"{text(f'opinions.verdict_{verdict}')} {number}" for verdict, number in case.verdicts.items()
        ],
        history=[_line(step) for step in reversed(case.steps)],
        joined=[one.text for one in case.joined],
        lead_url=f"/staff/opinions/{one.lead_id}" if one.lead_id else "",
        offered=offered,
        categories=[Key(one, text(f"opinions.category_{one}"), key) for one, key in CATEGORY_KEYS.items()],
        levels=[Key(one, text(f"opinions.level_{one}"), key) for one, key in LEVEL_KEYS.items()],
        targets=[Choice(target.code, place_name(target.name)) for target in case.targets],
        may_read_original=is_allowed(staff.role, "opinions.read_original"),
        deadline_note="" if policy.calendar.knows(one.due_on.year) else text("opinions.holidays_unknown"),
        **more,
    )


def _offered(one: Opinion, staff: Identity, policy: Policy, today: date) -> frozenset[str]:
    """Return what this person can do to the case as it stands."""
    if not staff.covers(one.handler.path):
        return frozenset()
    standing = standing_of(one)
    return frozenset(
        action.value
        for action, permission in PERMISSION_OF.items()
        if is_allowed(staff.role, permission)
        and isinstance(follow(standing, Act(action, today), policy), Standing)
    )


def _facts(one: Opinion, due: str) -> list[tuple[str, str]]:
    facts = [
        ("organization", place_name(one.organization.name)),
        ("category", _category(one)),
        ("topic", text(f"opinions.topic_{one.topic}") if one.topic else ""),
        ("source", text(f"opinions.source_{one.source}")),
        ("handler", place_name(one.handler.name)),
        ("received", day_words(one.received_on)),
        ("due", f"{day_words(one.due_on)}（{due}）" if due else ""),
    ]
    return [(text(f"opinions.fact_{name}"), value) for name, value in facts if value]


def day_words(day: date) -> str:
    return text("opinions.day", year=day.year, month=day.month, day=day.day)


def _photo(photo: OpinionPhoto) -> PhotoView:
    url = f"/staff/opinions/{photo.opinion_id}/photos/{photo.number}"
    return PhotoView(photo.number, url, photo.is_shown)


def _answer(answer: OpinionAnswer) -> AnswerView:
    who = (
        f"{place_name(answer.organization.name)} {answer.staff.display_name} {day_words(answer.answered_on)}"
    )
    return AnswerView(answer.private_text, answer.public_text, who)


def _line(step: OpinionStep) -> HistoryLine:
    staff = step.staff and step.staff.display_name
    place = place_name(step.organization.name) if step.organization else ""
    who = f"{place} {staff}" if staff else text("opinions.the_author")
    return HistoryLine(day_words(step.taken_on), who, text(f"opinions.did_{step.action}"), step.remark)


@dataclass(frozen=True)
class PaperPage:
    organizations: Sequence[Choice]
    categories: Sequence[Choice]
    topics: Sequence[Choice]
    levels: Sequence[Choice]
    form: FormView


def paper_page(organizations: Sequence[Organization], form: FormView) -> PaperPage:
    """Return the form for what came on paper."""
    unsaid = [Choice("", text("opinions.not_chosen"))]
    return PaperPage(
        organizations=[Choice(one.code, place_name(one.name)) for one in organizations],
        categories=unsaid + choices(Category, "opinions.category_"),
        topics=unsaid + choices(Topic, "opinions.topic_"),
        levels=unsaid + choices(Level, "opinions.level_"),
        form=form,
    )


@dataclass(frozen=True)
class BoxView:
    id: int
    name: str
    place: str
    code: str
    url: str
    qr_url: str


@dataclass(frozen=True)
class BoxesPage:
    boxes: Sequence[BoxView]
    organizations: Sequence[Choice]


def boxes_page(boxes: Sequence[OpinionBox], organizations: Sequence[Organization]) -> BoxesPage:
    """Return the posted codes with their QR images, to be printed from the page."""
    return BoxesPage(
        [_box(one) for one in boxes], [Choice(one.code, place_name(one.name)) for one in organizations]
    )


def _box(one: OpinionBox) -> BoxView:
    url = f"{public_url()}/o/{one.code}"
    name = place_name(one.organization.name)
    return BoxView(one.id, name, one.place, grouped(one.code), url, f"/o/{one.code}.svg")
