"""Use cases of reminders: switch them on for a campaign, make those that are due."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import groupby

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import hold_unsealed, lock_campaign
from survey_service.campaigns.rules import campaign_target
from survey_service.core import clock
from survey_service.core.audit import record
from survey_service.core.db import is_sqlite
from survey_service.core.errors import Conflict
from survey_service.organizations.models import Organization
from survey_service.reminders.models import Reminder
from survey_service.reminders.queries import branches_to_remind
from survey_service.reminders.rules import SWITCHABLE, newest_rested
from survey_service.webhooks.rules import Topic
from survey_service.webhooks.service import announce


def switch_reminders(session: Session, *, campaign_id: int, is_on: bool, now: datetime) -> Campaign:
    """Switch the reminders of a campaign on or off; raises NotFound, Conflict `wrong_state` after its end."""
    campaign = lock_campaign(session, campaign_id)
    if campaign.window.state(now) not in SWITCHABLE:
        raise Conflict("wrong_state")
    before, campaign.has_reminders = campaign.has_reminders, is_on
    record(
        session,
        "reminders.switch",
        campaign_target(campaign_id),
        before={"is_on": before},
        after={"is_on": is_on},
    )
    return campaign


def remind_branches(session: Session, *, campaign_id: int, now: datetime) -> int:
    """Remind the next branches of an open campaign, and return how many; it cannot be closed meanwhile.

    Other systems are told town by town: which branches, of what, until when.
    """
    campaign = hold_unsealed(session, campaign_id)
    due = branches_to_remind(session, campaign_id=campaign_id, now=now)
    made = _make(session, campaign_id, due, now)
    if not made:
        return 0
    for _, branches in groupby(made, key=_town_path):
        _tell(session, campaign, list(branches), now)
    record(session, "reminders.make", campaign_target(campaign_id), after={"branches": len(made)})
    return len(made)


def _make(
    session: Session, campaign_id: int, due: Sequence[Organization], now: datetime
) -> Sequence[Organization]:
    """Store the reminders, and return the branches whose last one is a week old indeed.

    The statement looks again at the row that it locks, so that of two sweeps at once one reminds.
    """
    if not due:
        return []
    today = clock.local_day(now)
    insert = sqlite.insert if is_sqlite(session) else postgresql.insert
    statement = insert(Reminder).values(
        [{"campaign_id": campaign_id, "organization_id": one.id, "made_on": today} for one in due]
    )
    upsert = statement.on_conflict_do_update(
        index_elements=["campaign_id", "organization_id"],
        set_={"made_on": today},
        where=Reminder.made_on <= newest_rested(today),
    )
    made = set(session.scalars(upsert.returning(Reminder.organization_id)))
    return [one for one in due if one.id in made]


def _town_path(branch: Organization) -> str:
    return branch.path.rstrip("/").rpartition("/")[0] + "/"


def _tell(session: Session, campaign: Campaign, branches: Sequence[Organization], now: datetime) -> None:
    data: Mapping[str, object] = {
        "campaign_id": campaign.id,
        "title": campaign.title,
        "closes_at": campaign.closes_at.isoformat(),
        "organization_codes": [one.code for one in branches],
    }
    announce(session, topic=Topic.REMINDER_MADE, path=_town_path(branches[0]), data=data, now=now)
