"""Reads of campaigns."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from survey_service.campaigns.formulas import formula_from_json
from survey_service.campaigns.models import Campaign, CampaignCorrection, CampaignSubject
from survey_service.campaigns.rules import Formula, RaterClass, key_label
from survey_service.core.errors import Conflict, Forbidden, Gone, NotFound
from survey_service.core.permissions import Identity
from survey_service.core.privacy import Keyring
from survey_service.organizations.models import Organization, Subject
from survey_service.organizations.queries import is_within

PAGE_SIZE = 50


@dataclass(frozen=True)
class SubjectRow:
    """A subject of a campaign with the organization that it belongs to."""

    subject_id: int
    organization_id: int
    organization_code: str
    name: str
    path: str
    subject_name: str
    eligible: dict[RaterClass, int | None]


def get_campaign(session: Session, campaign_id: int) -> Campaign:
    """Return a campaign; raises NotFound."""
    campaign = session.get(Campaign, campaign_id)
    if campaign is None:
        raise NotFound
    return campaign


def lock_campaign(session: Session, campaign_id: int) -> Campaign:
    """Return a campaign and hold its row, so that no ballot comes in meanwhile; raises NotFound."""
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        raise NotFound
    return campaign


def hold_unsealed(session: Session, campaign_id: int) -> Campaign:
    """Return a campaign, and let its sealing wait; ballots do not wait.

    Raises NotFound, and Conflict `wrong_state` for a draft and from the first step of sealing on.
    """
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.id == campaign_id)
        .with_for_update(read=True)
        .execution_options(populate_existing=True)
    )
    if campaign is None:
        raise NotFound
    if campaign.frozen_at or campaign.withdrawn_at or not campaign.launched_at:
        raise Conflict("wrong_state")
    return campaign


def get_formula(campaign: Campaign) -> Formula:
    """Return the campaign's formula as it is stored."""
    return formula_from_json(json.loads(campaign.formula))


def get_campaign_key(session: Session, *, keyring: Keyring, campaign_id: int) -> bytes:
    """Return the key that turns credentials into participation digests.

    Raises NotFound for an unknown campaign, Gone `closed` when sealing has destroyed the key.
    """
    wrapped = get_campaign(session, campaign_id).wrapped_key
    if wrapped is None:
        raise Gone
    return keyring.unwrap(wrapped, label=key_label(campaign_id))


def path_of_campaign(session: Session, *, campaign_id: int, **_: object) -> str:
    """Return the path of the organization that owns a campaign; raises NotFound."""
    path = session.scalar(
        select(Organization.path)
        .join(Campaign, Campaign.organization_id == Organization.id)
        .where(Campaign.id == campaign_id)
    )
    if path is None:
        raise NotFound
    return path


def get_visible_campaign(session: Session, campaign_id: int, staff: Identity) -> Campaign:
    """Return a campaign that concerns the caller's sub-tree; raises NotFound or Forbidden."""
    campaign = get_campaign(session, campaign_id)
    if staff.covers(path_of_campaign(session, campaign_id=campaign_id)):
        return campaign
    if not list_subjects(session, campaign_id, within_path=staff.path, limit=1):
        raise Forbidden
    return campaign


def list_visible_campaigns(
    session: Session, *, staff: Identity, after: int = 0, limit: int = PAGE_SIZE
) -> list[Campaign]:
    """Return the campaigns that are owned in, or rate someone in, the caller's sub-tree; oldest first."""
    owned = select(Organization.id).where(is_within(staff.path))
    concerned = select(CampaignSubject.campaign_id).where(CampaignSubject.organization_id.in_(owned))
    return list(
        session.scalars(
            select(Campaign)
            .where(Campaign.id > after)
            .where(or_(Campaign.organization_id.in_(owned), Campaign.id.in_(concerned)))
            .order_by(Campaign.id)
            .limit(limit)
        )
    )


def list_subjects(
    session: Session,
    campaign_id: int,
    *,
    within_path: str = "/",
    organization_codes: Sequence[str] | None = None,
    limit: int | None = None,
) -> list[SubjectRow]:
    """Return a campaign's subjects inside a sub-tree, in the order of the campaign."""
    query = (
        select(CampaignSubject, Organization, Subject.name)
        .join(Organization, Organization.id == CampaignSubject.organization_id)
        .join(Subject, Subject.id == CampaignSubject.subject_id)
        .where(CampaignSubject.campaign_id == campaign_id, is_within(within_path))
        .order_by(CampaignSubject.position)
        .limit(limit)
    )
    if organization_codes is not None:
        query = query.where(Organization.code.in_(organization_codes))
    return [_subject_row(*row) for row in session.execute(query)]


def _subject_row(subject: CampaignSubject, organization: Organization, subject_name: str) -> SubjectRow:
    eligible = {RaterClass(key): number for key, number in json.loads(subject.eligible).items()}
    return SubjectRow(
        subject_id=subject.subject_id,
        organization_id=organization.id,
        organization_code=organization.code,
        name=organization.name,
        path=organization.path,
        subject_name=subject_name,
        eligible=eligible,
    )


def list_corrections(session: Session, campaign_id: int) -> list[CampaignCorrection]:
    """Return what was corrected after launch, oldest first."""
    return list(
        session.scalars(
            select(CampaignCorrection)
            .where(CampaignCorrection.campaign_id == campaign_id)
            .order_by(CampaignCorrection.id)
        )
    )


def lock_subjects(session: Session, campaign_id: int, subject_ids: Sequence[int]) -> None:
    """Hold the rows of some subjects, so that others who count or number something of theirs wait.

    Neither ballots wait for them nor rows that only refer to them: whoever scores a subject would else wait
    for whoever counts it, and he for its tally. In the order of the ids, as every other holder takes them.
    """
    session.execute(
        select(CampaignSubject.subject_id)
        .where(CampaignSubject.campaign_id == campaign_id, CampaignSubject.subject_id.in_(subject_ids))
        .order_by(CampaignSubject.subject_id)
        .with_for_update(key_share=True)
    ).all()


def hold_rated(session: Session, campaign_id: int, subject_ids: Sequence[int]) -> None:
    """Hold the rows of subjects whose entrances are made or changed, and let changes of their campaign wait.

    The campaign comes first, as for everybody who holds both: what is made refers to it. Ballots go on.
    """
    held = select(Campaign.id).where(Campaign.id == campaign_id)
    session.execute(held.with_for_update(read=True, key_share=True)).all()
    lock_subjects(session, campaign_id, subject_ids)


def find_subject_below(
    session: Session, staff: Identity, campaign_id: int, organization_code: str
) -> SubjectRow:
    """Return a subject that lies below the caller; raises NotFound and Forbidden."""
    found = list_subjects(session, campaign_id, organization_codes=[organization_code])
    if not found:
        raise NotFound
    if not staff.is_above(found[0].path):
        raise Forbidden
    return found[0]
