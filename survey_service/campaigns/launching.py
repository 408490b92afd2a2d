"""What a launch freezes: eligible numbers, and the hash over everything that decides a score."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import OPEN_MODES, PARTY_CLASSES, Formula, RaterClass
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.texts import text
from survey_service.organizations.models import Organization

EligibleNumbers = dict[str, dict[str, int | None]]
"""Eligible number by organization code and rater class; None where nobody knows it."""


def find_eligible(session: Session, *, campaign: Campaign, formula: Formula) -> EligibleNumbers:
    """Return the eligible number of every subject and class, as given or else from the rosters."""
    return {code: numbers for _, code, numbers in _eligible_rows(session, campaign, formula)}


def freeze_eligible(session: Session, *, campaign: Campaign, formula: Formula) -> EligibleNumbers:
    """Write the eligible number of every subject and class down, and return them."""
    rows = _eligible_rows(session, campaign, formula)
    for subject, _, numbers in rows:
        subject.eligible = canonical_json(numbers)
    return {code: numbers for _, code, numbers in rows}


def _eligible_rows(
    session: Session, campaign: Campaign, formula: Formula
) -> list[tuple[CampaignSubject, str, dict[str, int | None]]]:
    uses_households = counts_households(campaign, formula)
    rows = session.execute(
        select(CampaignSubject, Organization)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .where(CampaignSubject.campaign_id == campaign.id)
    )
    return [
        (
            subject,
            organization.code,
            {
                str(key): _roster_size(organization, key, uses_households=uses_households)
                for key in formula.class_weights
            }
            | json.loads(subject.eligible),
        )
        for subject, organization in rows
    ]


def counts_households(campaign: Campaign, formula: Formula) -> bool:
    """Tell whether household codes are used: the owner gave them a weight, or they have been made."""
    return formula.counts_households or campaign.has_household_codes


def _roster_size(organization: Organization, key: RaterClass, *, uses_households: bool) -> int | None:
    """Return how many belong to a class by the organization's own numbers (`domain.md` section 4)."""
    if key in PARTY_CLASSES:
        return organization.members
    if key is RaterClass.VILLAGER:
        return organization.households if uses_households else organization.villagers
    return None


def formula_hash(campaign: Campaign, *, form_digest: str, eligible: EligibleNumbers) -> str:
    """Return the SHA-256 over everything that decides a score besides the ballots."""
    return canonical_digest(frozen_inputs(campaign, form_digest=form_digest, eligible=eligible))


def frozen_inputs(campaign: Campaign, *, form_digest: str, eligible: EligibleNumbers) -> dict[str, object]:
    """Return everything that decides a score besides the ballots, as it is hashed at launch."""
    return {
        "formula": json.loads(campaign.formula),
        "questionnaire": form_digest,
        "subject_type": campaign.subject_kind,
        "eligible": eligible,
    }


def launch_warnings(campaign: Campaign, formula: Formula, eligible: EligibleNumbers) -> list[str]:
    """Return what the owner should know before the first ballot, as sentences."""
    has_open = any(formula.mode_weights[mode] > 0 for mode in OPEN_MODES)
    unknown = sum(any(number is None for number in numbers.values()) for numbers in eligible.values())
    found = {
        "warning_open_beside_household": has_open and counts_households(campaign, formula),
        "warning_open_weight": has_open,
        "warning_no_eligible": unknown > 0,
    }
    return [text(f"campaigns.{name}", count=unknown) for name, is_found in found.items() if is_found]
