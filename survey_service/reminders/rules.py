"""When secretaries are reminded of a running campaign.

All branches are reminded alike, whatever their turnout: a reminder tells nothing about who has taken part.
"""

from datetime import date, datetime, timedelta

from survey_service.campaigns.rules import State

REST = timedelta(days=7)
"""Between two reminders of one branch."""
FIRST_AFTER = timedelta(days=2)
"""People are left alone for the first days of a campaign."""
BATCH = 200
"""Branches that one sweep reminds of one campaign; the next sweep goes on."""
SWITCHABLE = frozenset({State.DRAFT, State.SCHEDULED, State.OPEN})

_OFFICE_HOURS = range(9, 18)


def is_office_hour(local: datetime) -> bool:
    """Tell whether a secretary may be disturbed at a local time."""
    return local.hour in _OFFICE_HOURS


def newest_rested(today: date) -> date:
    """Return the newest day of a last reminder after which another one may come today."""
    return today - REST
