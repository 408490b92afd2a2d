"""The case of an opinion: its states, what may follow what, its deadline, and who may look at it.

Everything here is pure and total: each action has an answer in each state, a new standing or a refusal.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType

from survey_service.core.digests import DIGEST_BYTES, keyed_digest, plain_digest
from survey_service.core.events import Event
from survey_service.entrances.codes import symbols
from survey_service.opinions.working_days import WorkingDays

MAX_TEXT_LENGTH = 2_000
MAX_REMARK_LENGTH = 500
MAX_PHOTOS = 3
OPINIONS_PER_CREDENTIAL = 3
QUERY_CODE_LENGTH = 13
MIN_TEXTS = 10
"""Texts of ballots are read from this number per subject and question upwards (`domain.md` section 7)."""


class Category(StrEnum):
    """What an opinion is (`domain.md` section 6)."""

    COMPLAINT = "complaint"
    ENQUIRY = "enquiry"
    SUGGESTION = "suggestion"
    HELP = "help"
    REPORT = "report"
    OTHER = "other"


class Topic(StrEnum):
    """What an opinion is about (`domain.md` section 6)."""

    PARTY_BUILDING = "party_building"
    COLLECTIVE_ECONOMY = "collective_economy"
    LIVING_ENVIRONMENT = "living_environment"
    RISK_CONTROL = "risk_control"
    CIVILITY = "civility"


class Level(StrEnum):
    """Who handles a case."""

    VILLAGE = "village"
    TOWN = "town"
    COUNTY = "county"


class Source(StrEnum):
    """How an opinion came."""

    ENTRANCE = "entrance"
    LETTER = "letter"
    BOX = "box"
    BALLOT = "ballot"
    PAPER = "paper"


class State(StrEnum):
    RECEIVED = "received"
    TRIAGED = "triaged"
    ACCEPTED = "accepted"
    TRANSFERRED = "transferred"
    DECLINED = "declined"
    IN_PROGRESS = "in_progress"
    ANSWERED = "answered"
    CALLED_BACK = "called_back"
    RATED = "rated"
    REOPENED = "reopened"
    JOINED = "joined"
    """It goes on in another case, whose answer is its answer."""
    CLOSED = "closed"


class Action(StrEnum):
    TRIAGE = "triage"
    ACCEPT = "accept"
    TRANSFER = "transfer"
    DECLINE = "decline"
    BEGIN = "begin"
    EXTEND = "extend"
    ANSWER = "answer"
    CALL_BACK = "call_back"
    RATE = "rate"
    JOIN = "join"
    NOTE = "note"
    MASK = "mask"
    SHOW_PHOTO = "show_photo"
    CLOSE = "close"


class Verdict(StrEnum):
    SATISFIED = "satisfied"
    BASICALLY_SATISFIED = "basically_satisfied"
    DISSATISFIED = "dissatisfied"
    PARTLY_SOLVED = "partly_solved"


class Refusal(StrEnum):
    """Why an action is refused; also the error's code."""

    WRONG_STEP = "opinion_wrong_step"
    ANSWERED = "opinion_answered"
    EXTENDED = "opinion_extended"
    JOINED = "opinion_joined"
    CLOSED = "opinion_closed"


WITH_HANDLER = frozenset(
    {State.TRIAGED, State.TRANSFERRED, State.ACCEPTED, State.IN_PROGRESS, State.REOPENED}
)
"""Somebody has to do something about it."""
OPEN = WITH_HANDLER | {State.RECEIVED}
"""A deadline runs."""
AWAITING_VERDICT = frozenset({State.ANSWERED, State.CALLED_BACK, State.RATED})

_STARTS: Mapping[Action, frozenset[State]] = MappingProxyType(
    {
        Action.TRIAGE: frozenset({State.RECEIVED, State.TRIAGED, State.TRANSFERRED, State.REOPENED}),
        Action.ACCEPT: frozenset({State.TRIAGED, State.TRANSFERRED, State.REOPENED}),
        Action.TRANSFER: WITH_HANDLER,
        Action.DECLINE: frozenset({State.TRIAGED, State.TRANSFERRED}),
        Action.BEGIN: frozenset({State.ACCEPTED}),
        Action.EXTEND: WITH_HANDLER,
        Action.ANSWER: WITH_HANDLER,
        Action.CALL_BACK: frozenset({State.ANSWERED}),
        Action.RATE: AWAITING_VERDICT,
        Action.JOIN: OPEN,
        Action.NOTE: frozenset(State),
        Action.MASK: frozenset(State),
        Action.SHOW_PHOTO: frozenset(State),
        Action.CLOSE: AWAITING_VERDICT | {State.DECLINED},
    }
)
_ENDS: Mapping[Action, State] = MappingProxyType(
    {
        Action.TRIAGE: State.TRIAGED,
        Action.ACCEPT: State.ACCEPTED,
        Action.TRANSFER: State.TRANSFERRED,
        Action.DECLINE: State.DECLINED,
        Action.BEGIN: State.IN_PROGRESS,
        Action.ANSWER: State.ANSWERED,
        Action.CALL_BACK: State.CALLED_BACK,
        Action.RATE: State.RATED,
        Action.JOIN: State.JOINED,
        Action.CLOSE: State.CLOSED,
    }
)

DEFAULT_DAYS: Mapping[Category, int] = MappingProxyType(
    {
        Category.ENQUIRY: 3,
        Category.HELP: 3,
        Category.COMPLAINT: 13,
        Category.SUGGESTION: 13,
        Category.REPORT: 13,
        Category.OTHER: 13,
    }
)
"""Working days until an answer is due (`domain.md` section 6); nothing is said there of the last two."""


@dataclass(frozen=True)
class Policy:
    """By which days deadlines are counted."""

    calendar: WorkingDays
    days: Mapping[Category, int] = field(default_factory=lambda: DEFAULT_DAYS)

    def due(self, category: Category | None, since: date) -> date:
        """Return until when an opinion has to be answered; one without a category counts as `other`."""
        return self.calendar.after(since, self.days[category or Category.OTHER]).day


@dataclass(frozen=True)
class Standing:
    """Where a case stands."""

    state: State
    category: Category | None
    since: date
    """The day from which the deadline is counted: of receipt, or of the reopening."""
    due: date
    is_extended: bool = False
    is_reopened: bool = False

    @property
    def round(self) -> int:
        """Return the number of the present answer: 0, or 1 after the reopening."""
        return int(self.is_reopened)


@dataclass(frozen=True)
class Act:
    """What somebody does to a case on a day."""

    action: Action
    on: date
    category: Category | None = None
    verdict: Verdict | None = None


def receive(category: Category | None, on: date, policy: Policy) -> Standing:
    """Return the standing of a fresh opinion."""
    return Standing(State.RECEIVED, category, on, policy.due(category, on))


def follow(standing: Standing, act: Act, policy: Policy) -> Standing | Refusal:
    """Return the standing after an act, or why it cannot be done."""
    if (refusal := _refusal(standing, act.action)) is not None:
        return refusal
    if act.action is Action.RATE and act.verdict is Verdict.DISSATISFIED and not standing.is_reopened:
        return _reopened(standing, act.on, policy)
    moved = replace(standing, state=_ENDS.get(act.action, standing.state))
    if act.action is Action.TRIAGE:
        return _sorted(moved, act.category, policy)
    return _extended(moved, policy) if act.action is Action.EXTEND else moved


def _refusal(standing: Standing, action: Action) -> Refusal | None:
    if standing.state in _STARTS[action]:
        is_again = action is Action.EXTEND and standing.is_extended
        return Refusal.EXTENDED if is_again else None
    if standing.state is State.CLOSED:
        return Refusal.CLOSED
    if standing.state is State.JOINED:
        return Refusal.JOINED
    is_late = action is Action.ANSWER and standing.state in AWAITING_VERDICT
    return Refusal.ANSWERED if is_late else Refusal.WRONG_STEP


def _reopened(standing: Standing, on: date, policy: Policy) -> Standing:
    due = policy.due(standing.category, on)
    return replace(standing, state=State.REOPENED, since=on, due=due, is_reopened=True)


def _sorted(standing: Standing, category: Category | None, policy: Policy) -> Standing:
    """Put a category in its place; a time that was extended stays extended."""
    chosen = category or standing.category
    fresh = replace(standing, category=chosen, due=policy.due(chosen, standing.since))
    return _extended(fresh, policy) if standing.is_extended else fresh


def _extended(standing: Standing, policy: Policy) -> Standing:
    """Give as many days again as the category has."""
    return replace(standing, due=policy.due(standing.category, standing.due), is_extended=True)


@dataclass(frozen=True)
class Viewer:
    """A staff member as far as looking at cases goes: an office stands above the branches."""

    path: str
    is_office: bool


@dataclass(frozen=True)
class Placement:
    """Whom a case is about and who handles it, as paths.

    `concealed` is the place whose own people must not learn of it, None where it is no secret to anybody.
    """

    organization: str
    handler: str
    state: State
    concealed: str | None = None


def may_see(viewer: Viewer, case: Placement) -> bool:
    """Tell whether a staff member may know that a case exists.

    A branch sees what was given to it to handle, after triage, and never a report. An office sees its whole
    sub-tree, but for what concerns itself or those above it. `queries.visible_to` says the same in SQL.
    """
    if not viewer.is_office:
        is_given = case.state is not State.RECEIVED and case.handler.startswith(viewer.path)
        return case.concealed is None and is_given
    is_inside = case.organization.startswith(viewer.path) or case.handler.startswith(viewer.path)
    return is_inside and (case.concealed is None or _is_above(viewer.path, case.concealed))


def _is_above(path: str, other: str) -> bool:
    return other.startswith(path) and path != other


_OFFICIALS = re.compile(r"书记|支书|主任|村长|村干部|村官|镇长|干部|村委|支委|支部|两委")
_MISDEEDS = re.compile(
    r"举报|检举|揭发|贪|受贿|行贿|索贿|挪用|截留|冒领|回扣|克扣|侵占|私分|优亲厚友|包庇|以权谋私|套取|中饱私囊|黑恶|打击报复"
)


def sounds_like_report(text: str) -> bool:
    """Tell whether a text speaks of people in office and of what is reported about them.

    It only decides that a level above looks first, so it may be wrong on the careful side.
    """
    return bool(_OFFICIALS.search(text) and _MISDEEDS.search(text))


_NAMED_LEVELS = (
    (Level.COUNTY, re.compile(r"[县区市](委|政府|长|里的?(书记|干部|领导))")),
    (
        Level.TOWN,
        re.compile(
            r"[镇乡](党委|委|政府|长|书记|干部|上的?(书记|干部|领导)|里的?(书记|干部|领导))|街道(办|书记|主任|干部)"
        ),
    ),
)


def concealed_level(text: str, category: Category | None, about: Level | None) -> Level | None:
    """Return whose own people must not learn of an opinion; None where it is no report.

    `about` is what the author says himself. What is said of the county is kept from the county's own people.
    """
    if category is not Category.REPORT and not sounds_like_report(text):
        return None
    return about or next((level for level, words in _NAMED_LEVELS if words.search(text)), Level.VILLAGE)


def is_meaningful(text: str) -> bool:
    """Tell whether a text says anything: marks, blanks and pictures of faces alone do not."""
    return any(character.isalnum() for character in text)


def derive_query_code(secret: str) -> str:
    """Return the code by which an author comes back: 65 bits from a domain of its own."""
    return symbols(plain_digest("query", secret), QUERY_CODE_LENGTH)


def digest_query_code(code: str) -> bytes:
    """Return what is stored of a query code; 65 random bits need no key."""
    return plain_digest("query code", code)[:DIGEST_BYTES]


def digest_content(secret: str, text: str) -> bytes:
    """Return what tells the same words again, to the holder of the secret only."""
    return keyed_digest(plain_digest("opinion", secret), text)


@dataclass(frozen=True)
class OpinionReceived(Event):
    """An opinion was stored; it names only the campaign or 0, since events reach queues and logs."""

    campaign_id: int


@dataclass(frozen=True)
class OpinionMoved(Event):
    """Staff or an author did something to a case."""

    opinion_id: int
