"""Which organizations a campaign rates, and how many people each of them has been given."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign, CampaignSubject
from survey_service.campaigns.rules import Formula
from survey_service.core.canonical import canonical_json
from survey_service.core.errors import Forbidden, Invalid
from survey_service.core.permissions import Identity
from survey_service.core.texts import text
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import find_by_codes, is_within
from survey_service.organizations.rules import OrganizationKind
from survey_service.organizations.service import ensure_subjects

MAX_SUBJECTS = 5_000
RATED_KINDS = (OrganizationKind.VILLAGE, OrganizationKind.COMMUNITY, OrganizationKind.BRANCH)

Eligible = Mapping[str, Mapping[str, int]]
"""Eligible number by organization code and rater class."""


def find_rated(
    session: Session,
    *,
    staff: Identity,
    codes: Sequence[str] | None,
    under: str | None,
    most: int = MAX_SUBJECTS,
) -> list[Organization]:
    """Return the organizations named by their codes, or all that are rated under one; at most so many.

    Raises Invalid for unknown codes, Forbidden for organizations that are not below the caller.
    """
    if (codes is None) == (under is None):
        raise _refuse("organization_codes", "either_codes_or_under")
    if under is None:
        organizations = _find_all(session, codes or (), field="organization_codes")
    else:
        [root] = _find_all(session, [under], field="under")
        staff.require(root.path)
        organizations = _rated_under(session, root)
    if not all(staff.is_above(organization.path) for organization in organizations):
        raise Forbidden
    if not organizations:
        raise _refuse("organization_codes", "no_subjects")
    if len(organizations) > most:
        raise _refuse("organization_codes", "too_many_subjects", most=most)
    return organizations


def _refuse(field: str, reason: str, **values: object) -> Invalid:
    return Invalid(errors={field: [text(f"campaigns.{reason}", **values)]})


def _find_all(session: Session, codes: Sequence[str], *, field: str) -> list[Organization]:
    wanted = list(dict.fromkeys(codes))
    found = find_by_codes(session, wanted)
    if unknown := [code for code in wanted if code not in found]:
        raise _refuse(field, "unknown_organizations", codes="、".join(unknown[:20]))
    return [found[code] for code in wanted]


def _rated_under(session: Session, root: Organization) -> list[Organization]:
    return list(
        session.scalars(
            select(Organization)
            .where(is_within(root.path), Organization.id != root.id)
            .where(Organization.kind.in_(RATED_KINDS))
            .order_by(Organization.code)
        )
    )


def write_subjects(
    session: Session,
    *,
    campaign: Campaign,
    formula: Formula,
    organizations: Sequence[Organization],
    eligible: Eligible,
) -> None:
    """Make these organizations the campaign's subjects, in this order, and no others.

    Raises Invalid where `eligible` names anything else, and for a subject that is left out although it has
    entrances.
    """
    _check_eligible(organizations, formula, eligible)
    subjects = ensure_subjects(session, organizations=organizations, kind=campaign.subject_kind)
    rows = _keep_rows(session, campaign.id, {subject.id for subject in subjects.values()})
    for position, organization in enumerate(organizations):
        subject_id = subjects[organization.id].id
        row = rows.get(subject_id) or CampaignSubject(
            campaign_id=campaign.id, subject_id=subject_id, organization_id=organization.id
        )
        row.position = position
        row.eligible = canonical_json(dict(eligible.get(organization.code, {})))
        session.add(row)
    session.flush()


def _check_eligible(organizations: Sequence[Organization], formula: Formula, eligible: Eligible) -> None:
    classes = {str(rater_class) for rater_class in formula.class_weights}
    named = {key for by_class in eligible.values() for key in by_class}
    strange = eligible.keys() - {organization.code for organization in organizations} | named - classes
    if strange:
        raise _refuse("eligible", "eligible_unknown", codes="、".join(sorted(strange)))


def _keep_rows(session: Session, campaign_id: int, subject_ids: set[int]) -> dict[int, CampaignSubject]:
    """Take the other subjects out of the campaign, and return the rows that stay, by subject."""
    rows = session.scalars(select(CampaignSubject).where(CampaignSubject.campaign_id == campaign_id)).all()
    for row in rows:
        if row.subject_id not in subject_ids:
            session.delete(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise _refuse("organization_codes", "has_entrances") from error
    return {row.subject_id: row for row in rows if row.subject_id in subject_ids}
