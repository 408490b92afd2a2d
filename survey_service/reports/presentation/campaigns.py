"""The forms of a campaign, and what it has decided, as pages show them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import (
    DEFAULT_DISPUTE_PERMILLE,
    DEFAULT_MODE_WEIGHTS,
    EmptyClass,
    LiveScores,
    Mode,
    OpenRequires,
    RaterClass,
    State,
)
from survey_service.campaigns.schemas import CampaignIn, CopyIn, CorrectionIn
from survey_service.core import clock
from survey_service.core.texts import text
from survey_service.organizations.rules import SubjectKind
from survey_service.questionnaires.rules import Item
from survey_service.reminders.rules import SWITCHABLE
from survey_service.reports.campaigns import CampaignMethod, CampaignSetup, LaunchCheck
from survey_service.reports.presentation.forms import Body, Choice, FormView, body_of, choices, load
from survey_service.reports.presentation.formula import Clause, describe_formula, number
from survey_service.reports.presentation.turnout import CampaignHead, campaign_head, window_words
from survey_service.staff.rules import Role, is_allowed

LASTING = timedelta(days=7)
"""How long a new campaign is open unless its owner says otherwise."""

_WEIGHED_MODES = (Mode.HOUSEHOLD, Mode.PANEL, Mode.ASSISTED, Mode.PAPER, Mode.PAPER_TOTAL, Mode.OPEN)
"""Devices weigh what posted codes do: to the owner of a campaign these are one channel."""
_PLAIN_FIELDS = ("title", "questionnaire_id", "opens_at", "closes_at", "notice", "subject_type")
_ADVANCED_FIELDS = ("min_cell", "live_scores", "dispute_permille", "grace_hours", "open_requires")
_FORMULA_FIELDS = ("min_class", "empty_class", "min_response_rate", "min_ballots")
_PRESETS = {"100/70/30": ("1", "0.7", "0.3"), "100/60/0": ("1", "0.6", "0")}
"""Published coefficients of the set 满意 / 基本满意 / 不满意 besides its own 100/75/55 (`domain.md` §3)."""
_RATED_OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied")
_SEPARATORS = re.compile(r"[\s,;，；、]+")


@dataclass(frozen=True)
class WeightField:
    name: str
    label: str


@dataclass(frozen=True)
class CampaignFormPage:
    form: FormView
    title: str
    action: str
    questionnaires: Sequence[Choice]
    areas: Sequence[Choice]
    presets: Sequence[Choice]
    open_requires: Sequence[Choice]
    classes: Sequence[WeightField] = field(
        default_factory=lambda: [
            WeightField(f"formula.class_weights.{key}", text(f"campaigns.class_{key}")) for key in RaterClass
        ]
    )
    modes: Sequence[WeightField] = field(
        default_factory=lambda: [
            WeightField(f"formula.mode_weights.{key}", text(f"staff_pages.weight_{key}"))
            for key in _WEIGHED_MODES
        ]
    )
    subject_types: Sequence[Choice] = field(
        default_factory=lambda: choices(SubjectKind, "staff_pages.subject_")
    )
    live_scores: Sequence[Choice] = field(
        default_factory=lambda: choices(LiveScores, "staff_pages.live_scores_")
    )
    empty_classes: Sequence[Choice] = field(default_factory=lambda: choices(EmptyClass, "staff_pages.empty_"))


def local_input(moment: datetime) -> str:
    """Write a moment as the field of a form takes it."""
    return moment.astimezone(clock.SHANGHAI).strftime("%Y-%m-%dT%H:%M")


def new_campaign_values(now: datetime) -> dict[str, str]:
    """Return what the form of a new campaign begins with."""
    return {
        "opens_at": local_input(now),
        "closes_at": local_input(now + LASTING),
        f"formula.class_weights.{RaterClass.VILLAGER}": "1",
        **{f"formula.mode_weights.{mode}": number(DEFAULT_MODE_WEIGHTS[mode]) for mode in _WEIGHED_MODES},
        "formula.min_class": "5",
        "formula.empty_class": EmptyClass.RENORMALIZE,
        "min_cell": "5",
        "live_scores": LiveScores.AFTER_CLOSING,
        "dispute_permille": str(DEFAULT_DISPUTE_PERMILLE),
        "grace_hours": "24",
    }


def draft_values(method: CampaignMethod) -> dict[str, str]:
    """Return what the form of an existing draft begins with."""
    campaign, formula = method.campaign, method.formula
    names = ("title", "notice", *_ADVANCED_FIELDS, "subject_kind")
    plain = {name: str(getattr(campaign, name)) for name in names}
    rated = {key: formula.coefficients.get("satisfaction4", {}).get(key) for key in _RATED_OPTIONS}
    presets = [name for name, worth in _PRESETS.items() if [*rated.values()] == [*map(Decimal, worth)]]
    return {
        **plain,
        "subject_type": plain["subject_kind"],
        "questionnaire_id": str(method.version.questionnaire_id),
        "opens_at": local_input(campaign.opens_at),
        "closes_at": local_input(campaign.closes_at),
        "organization_codes": "\n".join(subject.organization_code for subject in method.subjects),
        "preset": presets[0] if presets else "",
        **{f"formula.class_weights.{key}": number(value) for key, value in formula.class_weights.items()},
        **{f"formula.mode_weights.{key}": number(formula.mode_weights[key]) for key in _WEIGHED_MODES},
        "formula.min_class": str(formula.min_class),
        "formula.min_ballots": str(formula.min_ballots or ""),
        "formula.empty_class": str(formula.empty_class),
        "formula.min_response_rate": _gate(formula.min_response_rate.get(None)),
    }


def _gate(share: Fraction | None) -> str:
    return number(share * 100) if share else ""


def campaign_form_page(
    setup: CampaignSetup, form: FormView, *, campaign_id: int | None, has_wechat: bool
) -> CampaignFormPage:
    """Return the form of a new campaign, or of the draft with this id."""
    is_new = campaign_id is None
    return CampaignFormPage(
        form=form,
        title=text("staff_pages.new_campaign" if is_new else "staff_pages.act_edit"),
        action="/staff/campaigns/new" if is_new else f"/staff/campaigns/{campaign_id}/edit",
        questionnaires=[Choice(str(one.id), one.title) for one in setup.questionnaires],
        areas=[Choice(one.code, text("staff_pages.all_under", name=one.name)) for one in setup.areas],
        presets=[
            Choice("", text("staff_pages.preset_default")),
            *(Choice(key, text("staff_pages.preset", points=key)) for key in _PRESETS),
        ],
        open_requires=choices(OpenRequires, "staff_pages.requires_") if has_wechat else (),
    )


def campaign_asked_for(values: Mapping[str, str]) -> Body:
    """Return what the form of a new campaign asks of the service; raises Invalid."""
    names = [f"formula.class_weights.{key}" for key in RaterClass]
    names += [f"formula.mode_weights.{key}" for key in _WEIGHED_MODES]
    names += [f"formula.{name}" for name in _FORMULA_FIELDS]
    body = body_of(values, [*_PLAIN_FIELDS, *_ADVANCED_FIELDS, *names])
    formula = body.setdefault("formula", {})
    formula.setdefault("class_weights", {})
    _weigh_devices_like_wechat(formula)
    if (preset := values.get("preset", "")) in _PRESETS:
        formula["coefficients"] = dict(zip(_RATED_OPTIONS, _PRESETS[preset], strict=True))
    return load(CampaignIn(), body | _rated(values))


def _weigh_devices_like_wechat(formula: Body) -> None:
    """Take the weight of posted codes for whatever the phone shows as its proof."""
    weights = formula.get("mode_weights", {})
    if Mode.OPEN in weights:
        weights[str(Mode.OPEN_DEVICE)] = weights[Mode.OPEN]


def _rated(values: Mapping[str, str]) -> Body:
    codes = [code for code in _SEPARATORS.split(values.get("organization_codes", "")) if code]
    return {"organization_codes": codes} if codes else {"under": values.get("under", "")}


def copy_asked_for(values: Mapping[str, str]) -> Body:
    return load(CopyIn(), body_of(values, CopyIn().fields))


def correction_asked_for(values: Mapping[str, str], campaign: Campaign) -> Body:
    """Return the corrections that differ from what stands there; raises Invalid."""
    given = load(CorrectionIn(), body_of(values, CorrectionIn().fields))
    return {name: value for name, value in given.items() if value != getattr(campaign, name, None)}


@dataclass(frozen=True)
class MethodPage:
    """What a campaign has decided, with what may be done about it now."""

    head: CampaignHead
    questionnaire: str
    questions: Sequence[str]
    clauses: Sequence[Clause]
    notice: str
    subjects: int
    posted: int
    slots: int
    formula_hash: str
    acts: Sequence[str]
    is_sealed: bool
    may_export: bool
    has_reminders: bool
    may_switch_reminders: bool
    preview_of: str
    """The organization whose form a preview shows; empty where there is none below the reader."""


_RUNNING = frozenset({State.SCHEDULED, State.OPEN})
_ACTS: Mapping[str, tuple[str, frozenset[State]]] = {
    "launch": ("campaigns.launch", frozenset({State.DRAFT})),
    "edit": ("campaigns.write", frozenset({State.DRAFT})),
    "preview": ("entrances.create", _RUNNING | {State.DRAFT}),
    "correct": ("campaigns.correct", _RUNNING),
    "close": ("campaigns.close", _RUNNING),
    "seal": ("campaigns.seal", frozenset({State.CLOSED})),
    "copy": ("campaigns.write", frozenset(State)),
    "withdraw": ("campaigns.withdraw", _RUNNING | {State.DRAFT}),
}
"""What can be done with a campaign: the permission that it needs, and the states in which it can."""


def method_page(method: CampaignMethod, *, role: Role, now: datetime) -> MethodPage:
    head = campaign_head(method.campaign, role=role, current="method", now=now)
    offered = _offered_acts(method, role, method.campaign.window.state(now))
    return MethodPage(
        head=head,
        questionnaire=method.version.title,
        questions=[_question(item) for item in method.version.plan.items],
        clauses=describe_formula(method.formula, method.version.plan.scored_items),
        notice=method.campaign.notice,
        subjects=len(method.subjects),
        posted=method.posted,
        slots=method.slots,
        formula_hash=method.campaign.formula_hash or "",
        acts=offered,
        is_sealed=method.campaign.sealed_at is not None,
        may_export=method.is_own and is_allowed(role, "scores.export"),
        has_reminders=method.campaign.has_reminders,
        may_switch_reminders=_may_switch_reminders(method, role, method.campaign.window.state(now)),
        preview_of=method.subjects[0].organization_code if method.subjects else "",
    )


def _offered_acts(method: CampaignMethod, role: Role, state: State) -> list[str]:
    impossible = {"withdraw"} if method.has_ballots else set()
    return [
        act
        for act, (permission, states) in _ACTS.items()
        if method.is_own and is_allowed(role, permission) and state in states and act not in impossible
    ]


def _may_switch_reminders(method: CampaignMethod, role: Role, state: State) -> bool:
    return method.is_own and is_allowed(role, "campaigns.correct") and state in SWITCHABLE


def _question(item: Item) -> str:
    return "：".join([item.text, "、".join(row.text for row in item.rows)]) if item.rows else item.text


@dataclass(frozen=True)
class LaunchPage:
    method: MethodPage
    warnings: Sequence[str]

    @property
    def head(self) -> CampaignHead:
        return self.method.head


def launch_page(check: LaunchCheck, *, role: Role, now: datetime) -> LaunchPage:
    return LaunchPage(method_page(check.method, role=role, now=now), check.warnings)


@dataclass(frozen=True)
class ConfirmPage:
    """A question before something that cannot be taken back."""

    title: str
    campaign: str
    window: str
    sentences: Sequence[str]
    label: str
    action: str
    back_url: str


def confirm_page(campaign: Campaign, act: str) -> ConfirmPage:
    address = f"/staff/campaigns/{campaign.id}"
    return ConfirmPage(
        title=text(f"staff_pages.act_{act}"),
        campaign=campaign.title,
        window=window_words(campaign),
        sentences=text(f"staff_pages.{act}_explained", hours=campaign.grace_hours).splitlines(),
        label=text(f"staff_pages.{act}_now"),
        action=f"{address}/{act}",
        back_url=f"{address}/method",
    )
