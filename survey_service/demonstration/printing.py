"""Household codes in the demonstration: made by villagers' group, printed by the town, and handed out."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy.orm import Session

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import unit_of_work
from survey_service.core.permissions import Identity
from survey_service.core.privacy import current_keyring
from survey_service.entrances.issuing import Households, issue_household_codes
from survey_service.entrances.slots import ChosenSlots, reissue_slots
from survey_service.print_runs.rules import PrintLayout
from survey_service.print_runs.service import PrintOrder, hand_out_codes, start_print_run

STILL_AT_THE_TOWN = 2
"""The first villages, in which hardly anybody has voted: their paper can be looked at."""
LOST = (17, 42)
"""Serials of letters that did not arrive in the last village; they get new codes, to be printed."""


def issue_by_group(
    session: Session,
    *,
    staff: Identity,
    campaign_id: int,
    villages: Sequence[str],
    groups: Mapping[str, int],
    now: datetime,
) -> None:
    """Make the household codes of all villages; `groups` says how many households each group has."""
    issue_household_codes(
        session,
        staff=staff,
        keyring=current_keyring(),
        campaign_id=campaign_id,
        households=[Households(code, count, name) for code in villages for name, count in groups.items()],
        now=now,
    )


def print_and_hand_out(*, staff: Identity, campaign_id: int, villages: Sequence[str], now: datetime) -> None:
    """Print everything, hand most of it out, and give the lost letters of the last village new codes."""
    with unit_of_work() as session:
        order = PrintOrder(Mode.HOUSEHOLD, PrintLayout.LABELS_24, organization_codes=villages)
        start_print_run(session, staff=staff, order=order, campaign_id=campaign_id, now=now)
    current_app.extensions["dispatcher"].drain()
    with unit_of_work() as session:
        hand_out_codes(
            session,
            staff=staff,
            campaign_id=campaign_id,
            organization_codes=villages[STILL_AT_THE_TOWN:],
            mode=Mode.HOUSEHOLD,
            now=now,
        )
        reissue_slots(
            session,
            staff=staff,
            keyring=current_keyring(),
            campaign_id=campaign_id,
            chosen=ChosenSlots(villages[-1], Mode.HOUSEHOLD, RaterClass.VILLAGER, LOST),
            now=now,
        )
