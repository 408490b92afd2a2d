"""What an owner does with a campaign, each step in a unit of work of its own."""

import json
from datetime import datetime
from typing import Any

from survey_service.ballots.service import withdraw_unused_campaign
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.queries import get_campaign, list_subjects
from survey_service.campaigns.rules import State
from survey_service.campaigns.service import (
    Launched,
    close_campaign,
    copy_campaign,
    correct_campaign,
    create_campaign,
    launch_campaign,
    replace_draft,
)
from survey_service.core.db import reading, unit_of_work
from survey_service.questionnaires.queries import get_compiled
from survey_service.questionnaires.service import create_questionnaire
from tests.factories.campaigns import CLOSES_AT, FORMULA, ITEMS, NOW, OPENS_AT, World


def draft_of(world: World, **changes: Any) -> dict[str, Any]:
    """Return a draft over the villages of the world's town, with the world's form."""
    with reading() as session:
        questionnaire_id = get_compiled(session, world.version_id).questionnaire_id
    draft: dict[str, Any] = {
        "title": "2026年度测评",
        "questionnaire_id": questionnaire_id,
        "opens_at": OPENS_AT,
        "closes_at": CLOSES_AT,
        "formula": FORMULA,
        "under": world.town_code,
    }
    if "organization_codes" in changes:
        del draft["under"]
    return draft | changes


def create(world: World, **changes: Any) -> int:
    with unit_of_work() as session:
        campaign = create_campaign(
            session, staff=world.staff, keyring=world.keyring, now=NOW, **draft_of(world, **changes)
        )
        return campaign.id


def replace(world: World, campaign_id: int, **changes: Any) -> None:
    with unit_of_work() as session:
        replace_draft(session, staff=world.staff, campaign_id=campaign_id, **draft_of(world, **changes))


def copy(world: World, campaign_id: int, **changes: Any) -> int:
    given: dict[str, Any] = {"title": "今年", "opens_at": OPENS_AT, "closes_at": CLOSES_AT} | changes
    with unit_of_work() as session:
        campaign = copy_campaign(
            session, staff=world.staff, keyring=world.keyring, campaign_id=campaign_id, now=NOW, **given
        )
        return campaign.id


def launch(campaign_id: int, *, now: datetime = NOW) -> Launched:
    with unit_of_work() as session:
        return launch_campaign(session, campaign_id=campaign_id, now=now)


def correct(world: World, campaign_id: int, *, now: datetime = NOW, **changes: Any) -> None:
    with unit_of_work() as session:
        given = {"reason": "写错了"} | changes
        correct_campaign(session, staff=world.staff, campaign_id=campaign_id, now=now, **given)


def close(campaign_id: int, *, now: datetime = NOW) -> None:
    with unit_of_work() as session:
        close_campaign(session, campaign_id=campaign_id, now=now)


def withdraw(campaign_id: int, *, now: datetime = NOW) -> None:
    with unit_of_work() as session:
        withdraw_unused_campaign(session, campaign_id=campaign_id, now=now)


def read(campaign_id: int) -> Campaign:
    with reading() as session:
        return get_campaign(session, campaign_id)


def state_of(campaign_id: int, *, now: datetime = NOW) -> State:
    return read(campaign_id).window.state(now)


def formula_of(campaign_id: int) -> dict[str, Any]:
    formula: dict[str, Any] = json.loads(read(campaign_id).formula)
    return formula


def subjects_of(campaign_id: int) -> list[str]:
    """Return the codes of a campaign's subjects in their order."""
    with reading() as session:
        return [subject.organization_code for subject in list_subjects(session, campaign_id)]


def eligible_of(campaign_id: int) -> dict[str, dict[str, int | None]]:
    """Return the eligible numbers by organization code and class."""
    with reading() as session:
        return {
            subject.organization_code: {str(key): number for key, number in subject.eligible.items()}
            for subject in list_subjects(session, campaign_id)
        }


def other_form(world: World, **changes: Any) -> int:
    """Store another form of the world's town and return its id."""
    with unit_of_work() as session:
        given: dict[str, Any] = {"title": "测评表", "items": ITEMS} | changes
        version = create_questionnaire(session, staff=world.staff, now=NOW, **given)
        return version.questionnaire_id
