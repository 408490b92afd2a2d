"""The pure rules of a campaign: rater classes, modes, the derived state and the formula."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from survey_service.core.events import Event
from survey_service.questionnaires.option_sets import NOT_INFORMED

MIN_CELL_FLOOR = 3
"""No campaign may release figures about fewer people than this (`domain.md` section 7)."""
DEFAULT_MIN_CELL = 5
DEFAULT_DISPUTE_PERMILLE = 20
"""Two in a hundred one-time ballots (`domain.md` section 3)."""


class RaterClass(StrEnum):
    """Who rates; the class of a slot is known, that of an open entrance is claimed."""

    VILLAGER = "villager"
    PARTY_MEMBER = "party_member"
    MEMBER_REPRESENTATIVE = "member_representative"
    VILLAGER_REPRESENTATIVE = "villager_representative"
    VETERAN_CADRE = "veteran_cadre"
    PARTY_GROUP_LEADER = "party_group_leader"
    VILLAGER_GROUP_LEADER = "villager_group_leader"


PARTY_CLASSES = frozenset(
    {RaterClass.PARTY_MEMBER, RaterClass.MEMBER_REPRESENTATIVE, RaterClass.PARTY_GROUP_LEADER}
)


class Mode(StrEnum):
    """The channel a ballot came through (`domain.md` section 3)."""

    PANEL = "panel"
    HOUSEHOLD = "household"
    OPEN = "open"
    OPEN_DEVICE = "open_device"
    ASSISTED = "assisted"
    PAPER = "paper"
    PAPER_TOTAL = "paper_total"


OPEN_MODES = frozenset({Mode.OPEN, Mode.OPEN_DEVICE})
ONE_TIME_MODES = frozenset({Mode.PANEL, Mode.HOUSEHOLD, Mode.ASSISTED, Mode.PAPER})
DEFAULT_MODE_WEIGHTS: Mapping[Mode, Decimal] = MappingProxyType(
    {mode: Decimal(0 if mode in OPEN_MODES else 1) for mode in Mode}
)


class EmptyClass(StrEnum):
    """What happens to a rater class with too few ballots: decided before launch, never silently 0."""

    BLOCK = "block"
    RENORMALIZE = "renormalize"


class Revote(StrEnum):
    """Whether the holder of the ballot secret may replace the answers."""

    NEVER = "never"
    UNTIL_CLOSE = "until_close"


class OpenRequires(StrEnum):
    """The credential that a posted code asks for."""

    WECHAT = "wechat"
    DEVICE = "device"


class LiveScores(StrEnum):
    """Whether scores are shown while ballots come in."""

    STEPWISE = "stepwise"
    """Renewed in steps of `min_cell` ballots; at closing the last step may be a smaller one."""
    AFTER_CLOSING = "after_closing"
    """Not before the last ballot can have come: no step is ever smaller than `min_cell`."""


class State(StrEnum):
    """Derived from times and marks, never stored."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    OPEN = "open"
    CLOSED = "closed"
    SEALED = "sealed"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class CampaignLaunched(Event):
    campaign_id: int


@dataclass(frozen=True)
class CampaignClosed(Event):
    campaign_id: int


@dataclass(frozen=True)
class Window:
    """The times that decide the state; all aware UTC."""

    opens_at: datetime
    closes_at: datetime
    grace: timedelta
    launched_at: datetime | None = None
    closed_at: datetime | None = None
    sealed_at: datetime | None = None
    withdrawn_at: datetime | None = None

    @property
    def ends_at(self) -> datetime:
        """Pages opened after this moment can no longer vote."""
        return min(self.closed_at, self.closes_at) if self.closed_at else self.closes_at

    @property
    def accepts_until(self) -> datetime:
        """Ballots of pages opened in time are taken until this moment, or until sealing."""
        return self.ends_at + self.grace

    def state(self, now: datetime) -> State:
        if self.withdrawn_at:
            return State.WITHDRAWN
        if self.sealed_at:
            return State.SEALED
        if not self.launched_at:
            return State.DRAFT
        if self.closed_at or now > self.closes_at:
            return State.CLOSED
        return State.SCHEDULED if now < self.opens_at else State.OPEN


def key_label(campaign_id: int) -> str:
    """Return the label that binds a wrapped campaign key to its campaign."""
    return f"campaign:{campaign_id}"


def campaign_target(campaign_id: int) -> str:
    """Return how the audit trail names a campaign."""
    return f"campaign:{campaign_id}"


@dataclass(frozen=True)
class Formula:
    """How ballots become a score; frozen and hashed at launch (`domain.md` section 4).

    `coefficients` and `positive` are keyed by option set; coefficients lie in [0, 1].
    `min_response_rate` holds fractions in [0, 1], by class; the key None is the gate on the whole subject.
    `min_ballots` is the gate on the number of standing ballots; 0 means no gate. `counts_households` says
    that the eligible of the class villager are the households, since the owner has given that mode a weight.
    """

    coefficients: Mapping[str, Mapping[str, Decimal]]
    positive: Mapping[str, frozenset[str]]
    class_weights: Mapping[RaterClass, Decimal]
    mode_weights: Mapping[Mode, Decimal]
    count_not_informed: bool = False
    count_abstained: bool = False
    min_class: int = 5
    empty_class: EmptyClass = EmptyClass.RENORMALIZE
    min_response_rate: Mapping[RaterClass | None, Fraction] = field(default_factory=dict)
    min_ballots: int = 0
    min_cell: int = DEFAULT_MIN_CELL
    counts_households: bool = False

    def in_denominator(self, option_set: str, option: str) -> bool:
        """Tell whether an answer with this option stands in the denominator of its item."""
        if option in self.coefficients[option_set]:
            return True
        return option == NOT_INFORMED and self.count_not_informed
