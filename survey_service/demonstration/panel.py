"""An invited panel in the demonstration: a code each, with which one person rates all the villages."""

from datetime import datetime

from sqlalchemy.orm import Session

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.entrances.inviting import create_slots
from survey_service.organizations.models import Organization

PEOPLE = 4


def invite_panel(
    session: Session, *, staff: Identity, campaign_id: int, rater_class: RaterClass, now: datetime
) -> None:
    """Make the codes of people who are invited by the town; nobody has used one yet."""
    create_slots(
        session,
        staff=staff,
        keyring=current_keyring(),
        campaign_id=campaign_id,
        organization_codes=[session.get_one(Organization, staff.organization_id).code],
        mode=Mode.PANEL,
        rater_class=rater_class,
        count=PEOPLE,
        now=now,
    )
