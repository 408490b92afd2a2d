"""Use cases around the running of a campaign: what a new one needs to know, and what one has decided."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import (
    SubjectRow,
    get_formula,
    get_visible_campaign,
    list_subjects,
    path_of_campaign,
)
from survey_service.campaigns.rules import Formula
from survey_service.campaigns.service import list_launch_warnings
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import list_at, list_children
from survey_service.organizations.rules import OrganizationKind
from survey_service.questionnaires.queries import (
    CompiledVersion,
    Listed,
    get_compiled,
    list_questionnaires,
)
from survey_service.reports.queries import count_slots, has_ballots, list_posted

_AREAS = frozenset({OrganizationKind.CITY, OrganizationKind.COUNTY, OrganizationKind.TOWN})


@dataclass(frozen=True)
class CampaignSetup:
    """What a new campaign can be made of: the forms of one's own line, and the areas to rate in."""

    questionnaires: Sequence[Listed]
    areas: Sequence[Organization]


@dataclass(frozen=True)
class CampaignMethod:
    """What a campaign has decided, and what was made for it."""

    campaign: Campaign
    formula: Formula
    version: CompiledVersion
    subjects: Sequence[SubjectRow]
    posted: int
    slots: int
    has_ballots: bool
    is_own: bool
    """Whether the reader's sub-tree owns the campaign, and he may therefore run it."""


def read_setup(session: Session, *, staff: Identity) -> CampaignSetup:
    """Return what a new campaign of this person can be made of."""
    own = list_at(session, path=staff.path)
    inside = [child for one in own for child in list_children(session, parent_id=one.id)]
    areas = [*own, *(child for child in inside if child.kind in _AREAS)]
    return CampaignSetup(list_questionnaires(session, staff=staff), areas)


def read_method(session: Session, *, staff: Identity, campaign_id: int) -> CampaignMethod:
    """Return what a campaign has decided; raises NotFound and Forbidden."""
    campaign = get_visible_campaign(session, campaign_id, staff)
    slots = count_slots(session, campaign_id).values()
    return CampaignMethod(
        campaign=campaign,
        formula=get_formula(campaign),
        version=get_compiled(session, campaign.questionnaire_version_id),
        subjects=list_subjects(session, campaign_id, within_path=staff.path),
        posted=sum(map(len, list_posted(session, campaign_id).values())),
        slots=sum(one.count for counted in slots for one in counted),
        has_ballots=has_ballots(session, campaign_id),
        is_own=staff.covers(path_of_campaign(session, campaign_id=campaign_id)),
    )


@dataclass(frozen=True)
class LaunchCheck:
    """What is to be looked at before a launch locks it."""

    method: CampaignMethod
    warnings: Sequence[str]


def check_launch(session: Session, *, staff: Identity, campaign_id: int) -> LaunchCheck:
    """Return what a launch would lock, and what it would warn of."""
    method = read_method(session, staff=staff, campaign_id=campaign_id)
    return LaunchCheck(method, list_launch_warnings(session, campaign_id=campaign_id))
