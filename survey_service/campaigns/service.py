"""Use cases of a campaign: draft, copy, launch, correct, close."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict, Unpack

from sqlalchemy.orm import Session

from survey_service.campaigns.formulas import (
    FormulaError,
    build_formula,
    formula_to_json,
    missing_coefficients,
)
from survey_service.campaigns.launching import find_eligible, formula_hash, freeze_eligible, launch_warnings
from survey_service.campaigns.models import Campaign, CampaignCorrection
from survey_service.campaigns.queries import get_campaign, get_formula, list_subjects, lock_campaign
from survey_service.campaigns.rules import (
    DEFAULT_DISPUTE_PERMILLE,
    DEFAULT_MIN_CELL,
    CampaignClosed,
    CampaignLaunched,
    Formula,
    LiveScores,
    OpenRequires,
    Revote,
    State,
    campaign_target,
    key_label,
)
from survey_service.campaigns.subjects import Eligible, find_rated, write_subjects
from survey_service.core.audit import Facts, record
from survey_service.core.canonical import canonical_json
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring, new_key
from survey_service.core.texts import text
from survey_service.organizations.rules import SubjectKind
from survey_service.questionnaires.models import QuestionnaireVersion
from survey_service.questionnaires.queries import (
    get_compiled,
    is_in_line,
    latest_version,
    lock_version,
    path_of_questionnaire,
)
from survey_service.questionnaires.service import freeze_version

DEFAULT_GRACE_HOURS = 24
_DECIDED = (
    "title",
    "questionnaire_version_id",
    "subject_kind",
    "opens_at",
    "closes_at",
    "grace_hours",
    "open_requires",
    "revote",
    "min_cell",
    "live_scores",
    "dispute_permille",
    "copied_from_id",
)
CORRECTABLE_STATES = frozenset({State.SCHEDULED, State.OPEN})


class Draft(TypedDict):
    """What the owner decides until launch; subjects are given by `organization_codes` or by `under`."""

    title: str
    questionnaire_id: int
    opens_at: datetime
    closes_at: datetime
    formula: Mapping[str, Any]
    organization_codes: NotRequired[Sequence[str]]
    under: NotRequired[str]
    eligible: NotRequired[Eligible]
    subject_type: NotRequired[SubjectKind]
    notice: NotRequired[str]
    min_cell: NotRequired[int]
    live_scores: NotRequired[LiveScores]
    dispute_permille: NotRequired[int]
    revote: NotRequired[Revote]
    open_requires: NotRequired[OpenRequires]
    grace_hours: NotRequired[int]


@dataclass(frozen=True)
class Launched:
    """The answer to a launch; `warnings` are sentences for the owner."""

    campaign: Campaign
    warnings: list[str]


def create_campaign(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    now: datetime,
    copied_from_id: int | None = None,
    **draft: Unpack[Draft],
) -> Campaign:
    """Store a draft with its subjects; raises Invalid for what does not fit, Forbidden out of scope."""
    campaign = Campaign(organization_id=staff.organization_id, created_at=now, copied_from_id=copied_from_id)
    _write_draft(session, staff, campaign, draft)
    campaign.wrapped_key = keyring.wrap(new_key(), label=key_label(campaign.id))
    record(session, "campaigns.create", campaign_target(campaign.id), after=_facts(campaign))
    return campaign


def _facts(campaign: Campaign) -> Facts:
    """Return what the owner has decided, for the audit trail."""
    decided = {name: getattr(campaign, name) for name in _DECIDED}
    return decided | {"formula": json.loads(campaign.formula)}


def replace_draft(session: Session, *, staff: Identity, campaign_id: int, **draft: Unpack[Draft]) -> Campaign:
    """Put a whole new draft in the place of one; its entrances stay.

    Raises Conflict `frozen` after launch and `wrong_state` after withdrawal, Invalid and Forbidden like
    `create_campaign`.
    """
    campaign = _lock_draft(session, campaign_id)
    before = _facts(campaign)
    _write_draft(session, staff, campaign, draft)
    record(session, "campaigns.replace", campaign_target(campaign.id), before=before, after=_facts(campaign))
    return campaign


def copy_campaign(
    session: Session,
    *,
    staff: Identity,
    keyring: Keyring,
    campaign_id: int,
    title: str,
    opens_at: datetime,
    closes_at: datetime,
    now: datetime,
) -> Campaign:
    """Make a draft like an earlier campaign: the same form, subjects and formula, with new times.

    Eligible numbers are not copied, since they are of their year.
    """
    source = get_campaign(session, campaign_id)
    subjects = list_subjects(session, campaign_id)
    version = session.get_one(QuestionnaireVersion, source.questionnaire_version_id)
    return create_campaign(
        session,
        staff=staff,
        keyring=keyring,
        now=now,
        copied_from_id=source.id,
        title=title,
        questionnaire_id=version.questionnaire_id,
        opens_at=opens_at,
        closes_at=closes_at,
        formula=formula_to_json(get_formula(source)),
        organization_codes=[subject.organization_code for subject in subjects],
        subject_type=source.subject_kind,
        notice=source.notice,
        min_cell=source.min_cell,
        live_scores=source.live_scores,
        dispute_permille=source.dispute_permille,
        revote=source.revote,
        open_requires=source.open_requires,
        grace_hours=source.grace_hours,
    )


def _lock_draft(session: Session, campaign_id: int) -> Campaign:
    campaign = lock_campaign(session, campaign_id)
    if campaign.launched_at is not None:
        raise Conflict("frozen")
    if campaign.withdrawn_at is not None:
        raise Conflict("wrong_state")
    return campaign


def _write_draft(session: Session, staff: Identity, campaign: Campaign, draft: Draft) -> None:
    """Fill a campaign and its subjects from a draft; what the draft leaves out gets its default."""
    if draft["opens_at"] >= draft["closes_at"]:
        raise Invalid(errors={"closes_at": [text("campaigns.bad_window")]})
    version = _usable_version(session, staff, draft["questionnaire_id"])
    min_cell = draft.get("min_cell", DEFAULT_MIN_CELL)
    formula = _checked_formula(draft["formula"], _used_sets(session, version), min_cell)
    organizations = find_rated(
        session, staff=staff, codes=draft.get("organization_codes"), under=draft.get("under")
    )
    campaign.title, campaign.notice = draft["title"], draft.get("notice", "")
    campaign.questionnaire_version_id = version.id
    campaign.subject_kind = draft.get("subject_type", SubjectKind.BRANCH)
    campaign.opens_at, campaign.closes_at = draft["opens_at"], draft["closes_at"]
    campaign.grace_hours = draft.get("grace_hours", DEFAULT_GRACE_HOURS)
    campaign.accepts_until = campaign.window.accepts_until
    campaign.open_requires = draft.get("open_requires", OpenRequires.DEVICE)
    campaign.revote = draft.get("revote", Revote.NEVER)
    campaign.min_cell = min_cell
    campaign.live_scores = draft.get("live_scores", LiveScores.STEPWISE)
    campaign.dispute_permille = draft.get("dispute_permille", DEFAULT_DISPUTE_PERMILLE)
    campaign.formula = canonical_json(formula_to_json(formula))
    session.add(campaign)
    session.flush()
    write_subjects(
        session,
        campaign=campaign,
        formula=formula,
        organizations=organizations,
        eligible=draft.get("eligible", {}),
    )


def _usable_version(session: Session, staff: Identity, questionnaire_id: int) -> QuestionnaireVersion:
    """Return the newest version of a questionnaire of the caller's own line; raises Invalid or Forbidden."""
    try:
        owner_path = path_of_questionnaire(session, questionnaire_id=questionnaire_id)
    except NotFound as error:
        sentence = text("campaigns.unknown_questionnaire")
        raise Invalid(errors={"questionnaire_id": [sentence]}) from error
    if not is_in_line(owner_path, staff):
        raise Forbidden
    return latest_version(session, questionnaire_id)


def _used_sets(session: Session, version: QuestionnaireVersion) -> frozenset[str]:
    """Return the option sets that score; raises Invalid for a form in which nothing does."""
    used = frozenset(item.option_set for item in get_compiled(session, version.id).plan.scored_items)
    if not used:
        raise Invalid(errors={"questionnaire_id": [text("campaigns.no_scoring_item")]})
    return used


def _checked_formula(given: Mapping[str, Any], used_sets: frozenset[str], min_cell: int) -> Formula:
    if sum(given["class_weights"].values()) <= 0:
        raise Invalid(errors={"formula.class_weights": [text("campaigns.no_class")]})
    try:
        return build_formula(given, used_sets=used_sets, min_cell=min_cell)
    except FormulaError as error:
        raise Invalid(errors=error.errors) from error


def launch_campaign(session: Session, *, campaign_id: int, now: datetime) -> Launched:
    """Freeze and hash the formula, the form and the eligible numbers, and open the campaign.

    Raises Conflict `frozen` when it was launched before, Invalid `incomplete_formula` where an option
    of a used set has no coefficient.
    """
    campaign = _lock_draft(session, campaign_id)
    version = lock_version(session, campaign.questionnaire_version_id)
    formula = get_formula(campaign)
    if missing := missing_coefficients(formula, _used_sets(session, version)):
        raise Invalid("incomplete_formula", errors=missing)
    eligible = freeze_eligible(session, campaign=campaign, formula=formula)
    campaign.formula_hash = formula_hash(campaign, form_digest=version.digest, eligible=eligible)
    campaign.launched_at = now
    freeze_version(session, version_id=version.id, now=now)
    facts = {"formula_hash": campaign.formula_hash, "subjects": len(eligible)}
    record(session, "campaigns.launch", campaign_target(campaign.id), after=facts)
    publish(session, CampaignLaunched(campaign.id))
    return Launched(campaign, launch_warnings(campaign, formula, eligible))


def list_launch_warnings(session: Session, *, campaign_id: int) -> list[str]:
    """Return what a launch would warn of now; writes nothing."""
    campaign = get_campaign(session, campaign_id)
    formula = get_formula(campaign)
    eligible = find_eligible(session, campaign=campaign, formula=formula)
    return launch_warnings(campaign, formula, eligible)


def correct_campaign(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    reason: str,
    now: datetime,
    title: str | None = None,
    notice: str | None = None,
    closes_at: datetime | None = None,
    others: Collection[str] = (),
) -> Campaign:
    """Correct the title, the notice or the closing time after launch, and keep what stood there before.

    `others` names the other fields that the caller wants to change: they are frozen. Raises Conflict
    `wrong_state` for a draft, `frozen` for other fields and for a campaign that has ended.
    """
    campaign = lock_campaign(session, campaign_id)
    state = campaign.window.state(now)
    if state is State.DRAFT:
        raise Conflict("wrong_state")
    if others or state not in CORRECTABLE_STATES:
        raise Conflict("frozen", errors={name: [text("campaigns.only_draft")] for name in others})
    wanted = {"title": title, "notice": notice, "closes_at": closes_at}
    given = {name: value for name, value in wanted.items() if value is not None}
    if not given:
        raise Invalid(errors={"_": [text("campaigns.nothing_to_correct")]})
    if closes_at is not None and closes_at <= max(now, campaign.opens_at):
        raise Invalid(errors={"closes_at": [text("campaigns.closing_in_past")]})
    before = {name: getattr(campaign, name) for name in given}
    for name, value in given.items():
        _correct(session, campaign, name, value, staff=staff, reason=reason, now=now)
    after = given | {"reason": reason}
    record(session, "campaigns.correct", campaign_target(campaign.id), before=before, after=after)
    campaign.accepts_until = campaign.window.accepts_until
    return campaign


def _correct(
    session: Session,
    campaign: Campaign,
    name: str,
    value: str | datetime,
    *,
    staff: Identity,
    reason: str,
    now: datetime,
) -> None:
    before = getattr(campaign, name)
    if value == before:
        return
    setattr(campaign, name, value)
    session.add(
        CampaignCorrection(
            campaign_id=campaign.id,
            staff_id=staff.id,
            at=now,
            field=name,
            before=_written(before),
            after=_written(value),
            reason=reason,
        )
    )


def _written(value: str | datetime) -> str:
    return value if isinstance(value, str) else value.astimezone(UTC).isoformat()


def close_campaign(session: Session, *, campaign_id: int, now: datetime) -> Campaign:
    """End the window; ballots of pages that were opened before still count within the grace time.

    Raises Conflict `wrong_state` for a draft, and for what was closed or withdrawn before.
    """
    campaign = lock_campaign(session, campaign_id)
    is_ended = campaign.closed_at is not None or campaign.withdrawn_at is not None
    if campaign.launched_at is None or is_ended:
        raise Conflict("wrong_state")
    campaign.closed_at = now
    campaign.accepts_until = campaign.window.accepts_until
    record(session, "campaigns.close", campaign_target(campaign.id), after={"closed_at": now})
    publish(session, CampaignClosed(campaign.id))
    return campaign
