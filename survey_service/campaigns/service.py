"""Use cases of a campaign: create, copy, launch, correct, close, withdraw."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.formulas import (
    FormulaError,
    build_formula,
    formula_from_json,
    formula_to_json,
    missing_coefficients,
)
from survey_service.campaigns.models import Campaign, CampaignCorrection, CampaignSubject
from survey_service.campaigns.queries import get_campaign, list_subjects, lock_campaign
from survey_service.campaigns.rules import (
    OPEN_MODES,
    PARTY_CLASSES,
    CampaignClosed,
    CampaignLaunched,
    Formula,
    Mode,
    OpenRequires,
    RaterClass,
    Revote,
    State,
    key_label,
)
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.errors import Conflict, Forbidden, Invalid
from survey_service.core.events import publish
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring, new_key
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import is_within
from survey_service.organizations.rules import OrganizationKind, SubjectKind
from survey_service.organizations.service import ensure_subjects
from survey_service.questionnaires.models import QuestionnaireVersion
from survey_service.questionnaires.queries import get_compiled, latest_version, path_of_questionnaire
from survey_service.questionnaires.service import freeze_version

MAX_SUBJECTS = 5_000
DEFAULT_GRACE_HOURS = 24
RATED_KINDS = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY, OrganizationKind.BRANCH)
Eligible = Mapping[str, Mapping[str, int]]


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
    title: str,
    questionnaire_id: int,
    opens_at: datetime,
    closes_at: datetime,
    formula: Mapping[str, Any],
    now: datetime,
    organization_codes: Sequence[str] | None = None,
    under: str | None = None,
    min_cell: int = 5,
    revote: Revote = Revote.NEVER,
    eligible: Eligible | None = None,
    subject_type: SubjectKind = SubjectKind.BRANCH,
    open_requires: OpenRequires = OpenRequires.DEVICE,
    grace_hours: int = DEFAULT_GRACE_HOURS,
    notice: str = "",
    copied_from_id: int | None = None,
) -> Campaign:
    """Store a draft with its subjects; raises Invalid for what does not fit, Forbidden out of scope."""
    if opens_at >= closes_at:
        raise Invalid(errors={"closes_at": [text("campaigns.bad_window")]})
    version = _usable_version(session, staff, questionnaire_id)
    used_sets = _used_sets(session, version)
    campaign = Campaign(
        organization_id=staff.organization_id,
        title=title,
        notice=notice,
        questionnaire_version_id=version.id,
        subject_kind=subject_type,
        opens_at=opens_at,
        closes_at=closes_at,
        accepts_until=closes_at + timedelta(hours=grace_hours),
        grace_hours=grace_hours,
        open_requires=open_requires,
        revote=revote,
        min_cell=min_cell,
        formula=canonical_json(formula_to_json(_checked_formula(formula, used_sets, min_cell))),
        copied_from_id=copied_from_id,
        created_at=now,
    )
    session.add(campaign)
    session.flush()
    campaign.wrapped_key = keyring.wrap(new_key(), label=key_label(campaign.id))
    organizations = _rated_organizations(session, staff, organization_codes, under)
    _add_subjects(session, campaign, organizations, eligible or {})
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
    """Make a draft like an earlier campaign: the same form, subjects and formula, with new times."""
    source = get_campaign(session, campaign_id)
    subjects = list_subjects(session, campaign_id)
    version = session.get_one(QuestionnaireVersion, source.questionnaire_version_id)
    stored = formula_to_json(formula_from_json(json.loads(source.formula)))
    return create_campaign(
        session,
        staff=staff,
        keyring=keyring,
        title=title,
        questionnaire_id=version.questionnaire_id,
        opens_at=opens_at,
        closes_at=closes_at,
        formula=stored,
        now=now,
        organization_codes=[subject.organization_code for subject in subjects],
        min_cell=source.min_cell,
        revote=source.revote,
        subject_type=source.subject_kind,
        open_requires=source.open_requires,
        grace_hours=source.grace_hours,
        notice=source.notice,
        copied_from_id=source.id,
    )


def _usable_version(session: Session, staff: Identity, questionnaire_id: int) -> QuestionnaireVersion:
    """Return the newest version of a questionnaire of one's own line: above, at, or below one's level."""
    owner_path = path_of_questionnaire(session, questionnaire_id=questionnaire_id)
    if not (staff.path.startswith(owner_path) or owner_path.startswith(staff.path)):
        raise Forbidden
    return latest_version(session, questionnaire_id)


def _used_sets(session: Session, version: QuestionnaireVersion) -> frozenset[str]:
    plan = get_compiled(session, version.id).plan
    return frozenset(item.option_set for item in plan.scored_items)


def _checked_formula(given: Mapping[str, Any], used_sets: frozenset[str], min_cell: int) -> Formula:
    if not used_sets:
        raise Invalid(errors={"questionnaire_id": [text("campaigns.no_scoring_item")]})
    if sum(given["class_weights"].values()) <= 0:
        raise Invalid(errors={"formula.class_weights": [text("campaigns.no_class")]})
    try:
        return build_formula(given, used_sets=used_sets, min_cell=min_cell)
    except FormulaError as error:
        raise Invalid(errors=error.errors) from error


def _rated_organizations(
    session: Session, staff: Identity, codes: Sequence[str] | None, under: str | None
) -> list[Organization]:
    if (codes is None) == (under is None):
        raise Invalid(errors={"organization_codes": [text("campaigns.either_codes_or_under")]})
    wanted = list(dict.fromkeys(codes if codes is not None else [under or ""]))
    rows = session.scalars(select(Organization).where(Organization.code.in_(wanted)))
    found = {organization.code: organization for organization in rows}
    if unknown := [code for code in wanted if code not in found]:
        sentence = text("campaigns.unknown_organizations", codes="、".join(unknown[:20]))
        raise Invalid(errors={"organization_codes" if codes is not None else "under": [sentence]})
    organizations = [found[code] for code in wanted]
    for organization in organizations:
        staff.require(organization.path)
    if under is not None:
        organizations = _rated_below(session, organizations[0])
    if any(not staff.is_above(organization.path) for organization in organizations):
        raise Forbidden
    if not 0 < len(organizations) <= MAX_SUBJECTS:
        key = "no_subjects" if not organizations else "too_many_subjects"
        raise Invalid(errors={"organization_codes": [text(f"campaigns.{key}", most=MAX_SUBJECTS)]})
    return organizations


def _rated_below(session: Session, root: Organization) -> list[Organization]:
    return list(
        session.scalars(
            select(Organization)
            .where(is_within(root.path), Organization.id != root.id)
            .where(Organization.kind.in_(RATED_KINDS))
            .order_by(Organization.code)
        )
    )


def _add_subjects(
    session: Session, campaign: Campaign, organizations: Sequence[Organization], eligible: Eligible
) -> None:
    classes = json.loads(campaign.formula)["class_weights"]
    codes = {organization.code for organization in organizations}
    strange = set(eligible) - codes | {key for by_class in eligible.values() for key in by_class} - set(
        classes
    )
    if strange:
        raise Invalid(
            errors={"eligible": [text("campaigns.eligible_unknown", codes="、".join(sorted(strange)))]}
        )
    subjects = ensure_subjects(session, organizations=organizations, kind=campaign.subject_kind)
    session.add_all(
        CampaignSubject(
            campaign_id=campaign.id,
            subject_id=subjects[organization.id].id,
            organization_id=organization.id,
            position=position,
            eligible=canonical_json(dict(eligible.get(organization.code, {}))),
        )
        for position, organization in enumerate(organizations)
    )
    session.flush()


def launch_campaign(session: Session, *, campaign_id: int, now: datetime) -> Launched:
    """Freeze and hash the formula, the form and the eligible numbers, and open the campaign.

    Raises Conflict `frozen` when it was launched before, Invalid `incomplete_formula` where an option
    of a used set has no coefficient.
    """
    campaign = lock_campaign(session, campaign_id)
    if campaign.launched_at is not None or campaign.withdrawn_at is not None:
        raise Conflict("frozen")
    version = freeze_version(session, version_id=campaign.questionnaire_version_id, now=now)
    formula = formula_from_json(json.loads(campaign.formula))
    if missing := missing_coefficients(formula, _used_sets(session, version)):
        raise Invalid("incomplete_formula", errors=missing)
    uses_households = _uses_households(campaign, formula)
    eligible = _freeze_eligible(session, campaign, formula, uses_households=uses_households)
    campaign.formula_hash = formula_hash(campaign, version.digest, eligible)
    campaign.launched_at = now
    publish(session, CampaignLaunched(campaign.id))
    return Launched(campaign, _warnings(formula, eligible, uses_households=uses_households))


def formula_hash(campaign: Campaign, version_digest: str, eligible: Mapping[str, Any]) -> str:
    """Return the SHA-256 over everything that decides a score besides the ballots."""
    return canonical_digest(
        {
            "formula": json.loads(campaign.formula),
            "questionnaire": version_digest,
            "eligible": eligible,
            "subject_type": str(campaign.subject_kind),
            "opens_at": campaign.opens_at.isoformat(),
        }
    )


def _uses_households(campaign: Campaign, formula: Formula) -> bool:
    counts_households = (
        formula.mode_weights[Mode.HOUSEHOLD] > 0 and RaterClass.VILLAGER in formula.class_weights
    )
    return campaign.has_household_codes or counts_households


def list_launch_warnings(session: Session, *, campaign_id: int) -> list[str]:
    """Return what a launch would warn of now; writes nothing."""
    campaign = get_campaign(session, campaign_id)
    formula = formula_from_json(json.loads(campaign.formula))
    uses_households = _uses_households(campaign, formula)
    rows = _eligible_numbers(session, campaign, formula, uses_households=uses_households)
    eligible = {code: numbers for _, code, numbers in rows}
    return _warnings(formula, eligible, uses_households=uses_households)


def _freeze_eligible(
    session: Session, campaign: Campaign, formula: Formula, *, uses_households: bool
) -> dict[str, dict[str, int | None]]:
    """Fill in the eligible number of every subject and class, and return them by organization code."""
    rows = _eligible_numbers(session, campaign, formula, uses_households=uses_households)
    for subject, _, numbers in rows:
        subject.eligible = canonical_json(numbers)
    return {code: numbers for _, code, numbers in rows}


def _eligible_numbers(
    session: Session, campaign: Campaign, formula: Formula, *, uses_households: bool
) -> list[tuple[CampaignSubject, str, dict[str, int | None]]]:
    """Return each subject with its organization's code and the eligible number of every class."""
    rows = session.execute(
        select(CampaignSubject, Organization)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(CampaignSubject.campaign_id == campaign.id)
    ).all()
    found = []
    for subject, organization in rows:
        given = json.loads(subject.eligible)
        numbers = {
            str(key): given.get(key, _roster_size(organization, key, uses_households=uses_households))
            for key in formula.class_weights
        }
        found.append((subject, organization.code, numbers))
    return found


def _roster_size(organization: Organization, key: RaterClass, *, uses_households: bool) -> int | None:
    """Return how many belong to a class by the organization's own numbers (`domain.md` section 4)."""
    if key in PARTY_CLASSES:
        return organization.members
    if key is RaterClass.VILLAGER:
        return organization.households if uses_households else organization.villagers
    return None


def _warnings(
    formula: Formula, eligible: Mapping[str, Mapping[str, int | None]], *, uses_households: bool
) -> list[str]:
    has_open = any(formula.mode_weights[mode] > 0 for mode in OPEN_MODES)
    unknown = sum(any(number is None for number in numbers.values()) for numbers in eligible.values())
    found = []
    if has_open and uses_households:
        found.append(text("campaigns.warning_open_beside_household"))
    if has_open:
        found.append(text("campaigns.warning_open_weight"))
    if unknown:
        found.append(text("campaigns.warning_no_eligible", count=unknown))
    return found


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
) -> Campaign:
    """Correct the title, the notice or the closing time; every correction is kept with its reason.

    Raises Conflict `frozen` once the campaign has been closed.
    """
    campaign = lock_campaign(session, campaign_id)
    if campaign.window.state(now) in {State.CLOSED, State.SEALED, State.WITHDRAWN}:
        raise Conflict("frozen")
    wanted = {"title": title, "notice": notice, "closes_at": closes_at}
    changes = {name: value for name, value in wanted.items() if value is not None}
    if not changes:
        raise Invalid(errors={"_": [text("campaigns.nothing_to_correct")]})
    if closes_at is not None and closes_at <= max(now, campaign.opens_at):
        raise Invalid(errors={"closes_at": [text("campaigns.closing_in_past")]})
    for name, value in changes.items():
        session.add(
            CampaignCorrection(
                campaign_id=campaign.id,
                staff_id=staff.id,
                at=now,
                field=name,
                before=str(getattr(campaign, name)),
                after=str(value),
                reason=reason,
            )
        )
        setattr(campaign, name, value)
    campaign.accepts_until = campaign.window.accepts_until
    return campaign


def close_campaign(session: Session, *, campaign_id: int, now: datetime) -> Campaign:
    """End the window; ballots of pages that were opened before still count within the grace time."""
    campaign = lock_campaign(session, campaign_id)
    if campaign.window.state(now) not in {State.OPEN, State.SCHEDULED, State.CLOSED}:
        raise Conflict("wrong_state")
    if campaign.closed_at is not None:
        raise Conflict("wrong_state")
    campaign.closed_at = now
    campaign.accepts_until = campaign.window.accepts_until
    publish(session, CampaignClosed(campaign.id))
    return campaign
