"""A version is changed until its first use and never afterwards."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from survey_service.campaigns.queries import get_campaign
from survey_service.campaigns.service import create_campaign, launch_campaign
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Invalid, NotFound
from survey_service.core.permissions import Identity
from survey_service.organizations.models import Organization
from survey_service.questionnaires.models import QuestionnaireVersion
from survey_service.questionnaires.queries import get_compiled, list_questionnaires
from survey_service.questionnaires.rules import Item
from survey_service.questionnaires.service import create_questionnaire, revise_questionnaire
from tests.factories.campaigns import CLOSES_AT, FORMULA, ITEMS, NOW, OPENS_AT, World

OTHER_ITEMS = (replace(ITEMS[0], text="对班子的评价"), ITEMS[1])
INCOMPLETE = FORMULA | {"coefficients": {"satisfied": "1"}}


def create(world: World) -> int:
    """Store a form and return its id."""
    with unit_of_work() as session:
        version = create_questionnaire(session, staff=world.staff, title="测评表", items=ITEMS, now=NOW)
        return version.questionnaire_id


def revise(
    questionnaire_id: int, *, title: str = "新表", items: tuple[Item, ...] = OTHER_ITEMS
) -> tuple[int, int]:
    """Revise a form and return the version's id and number."""
    with unit_of_work() as session:
        version = revise_questionnaire(
            session, questionnaire_id=questionnaire_id, title=title, items=items, now=NOW
        )
        return version.id, version.number


def draft(world: World, questionnaire_id: int, **changes: Any) -> int:
    """Store a draft over the first village and return the campaign's id."""
    arguments: dict[str, Any] = {
        "title": "测评",
        "opens_at": OPENS_AT,
        "closes_at": CLOSES_AT,
        "formula": FORMULA,
        "organization_codes": world.village_codes[:1],
    }
    with unit_of_work() as session:
        campaign = create_campaign(
            session,
            staff=world.staff,
            keyring=world.keyring,
            now=NOW,
            questionnaire_id=questionnaire_id,
            **arguments | changes,
        )
        return campaign.id


def launch(campaign_id: int) -> None:
    with unit_of_work() as session:
        launch_campaign(session, campaign_id=campaign_id, now=NOW)


def form_of(campaign_id: int) -> tuple[str, str]:
    """Return title and first question as the voters of a campaign see them."""
    with reading() as session:
        version = get_compiled(session, get_campaign(session, campaign_id).questionnaire_version_id)
    return version.title, version.plan.items[0].text


def questionnaire_of(world: World) -> int:
    with reading() as session:
        return get_compiled(session, world.version_id).questionnaire_id


def test_an_unused_version_is_changed_in_its_place(world: World) -> None:
    form = create(world)
    first = revise(form, title="一稿")
    assert (first[1], revise(form, title="二稿")) == (1, first)


def test_a_used_version_stays_and_a_new_one_follows(world: World) -> None:
    version_id, number = revise(questionnaire_of(world))
    assert number == 2
    assert version_id != world.version_id
    assert form_of(world.campaign_id) == ("测评表", "总体评价")
    assert form_of(draft(world, questionnaire_of(world))) == ("新表", "对班子的评价")


def test_a_restarted_process_sees_what_was_frozen(world: World) -> None:
    revise(questionnaire_of(world))
    world.app.extensions["compiled_versions"].clear()
    assert form_of(world.campaign_id) == ("测评表", "总体评价")


def test_the_same_form_again_is_no_new_version(world: World) -> None:
    assert revise(questionnaire_of(world), title="测评表", items=ITEMS) == (world.version_id, 1)


def test_a_draft_follows_its_form_until_launch(world: World) -> None:
    form = create(world)
    campaign_id = draft(world, form)
    revise(form)
    assert form_of(campaign_id) == ("新表", "对班子的评价")
    launch(campaign_id)
    revise(form, title="第三稿")
    assert form_of(campaign_id) == ("新表", "对班子的评价")


def test_a_failed_launch_freezes_nothing(world: World) -> None:
    form = create(world)
    campaign_id = draft(world, form, formula=INCOMPLETE)
    with pytest.raises(Invalid, match="incomplete_formula"):
        launch(campaign_id)
    assert revise(form)[1] == 1
    assert form_of(campaign_id) == ("新表", "对班子的评价")


def test_a_form_that_scores_no_longer_cannot_be_launched(world: World) -> None:
    form = create(world)
    campaign_id = draft(world, form)
    revise(form, items=ITEMS[1:])
    with pytest.raises(Invalid):
        launch(campaign_id)


def test_a_bad_revision_changes_nothing(world: World) -> None:
    form = create(world)
    with pytest.raises(Invalid) as caught:
        revise(form, items=(replace(ITEMS[0], option_set="stars"),))
    assert caught.value.errors.keys() == {"items.0"}
    assert form_of(draft(world, form)) == ("测评表", "总体评价")


def test_what_does_not_exist_is_not_revised(world: World) -> None:
    with pytest.raises(NotFound):
        revise(999_999)


def test_revisions_at_the_same_time_follow_each_other(committed_world: World) -> None:
    world = committed_world
    form = questionnaire_of(world)

    def revise_to(number: int) -> int:
        with world.app.app_context():
            return revise(form, title=f"第{number}稿")[1]

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(revise_to, range(4)))) == 4
    with reading() as session:
        of_form = QuestionnaireVersion.questionnaire_id == form
        numbers = session.scalars(select(QuestionnaireVersion.number).where(of_form)).all()
    assert sorted(numbers) == [1, 2]


def above(world: World) -> Identity:
    """Return somebody of the county above the world's town."""
    with reading() as session:
        county_id = int(world.staff.path.split("/")[1])
        county = session.get_one(Organization, county_id)
    return Identity(world.staff.id, "县", "county_admin", county.id, county.path)


def test_a_town_sees_the_forms_of_its_county_and_not_of_its_neighbours(world: World) -> None:
    with unit_of_work() as session:
        of_county = create_questionnaire(session, staff=above(world), title="县里的表", items=ITEMS, now=NOW)
        county_form = of_county.questionnaire_id
    with reading() as session:
        found = list_questionnaires(session, staff=world.staff)
    own = questionnaire_of(world)
    assert [(one.id, one.version, one.is_frozen) for one in found] == [
        (own, 1, True),
        (county_form, 1, False),
    ]


def test_a_list_shows_the_newest_version(world: World) -> None:
    own = questionnaire_of(world)
    revise(own)
    with reading() as session:
        [found] = list_questionnaires(session, staff=world.staff)
        assert list_questionnaires(session, staff=world.staff, after=own) == []
    assert (found.version, found.title, found.is_frozen) == (2, "新表", False)
