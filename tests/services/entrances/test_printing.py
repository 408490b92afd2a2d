"""Which codes stand on which sheet of paper."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Forbidden, NotFound
from survey_service.core.permissions import Identity
from survey_service.entrances.models import CodeBatch
from survey_service.entrances.posters import CodeSheet, Poster
from survey_service.entrances.printing import Place, prepare_poster, prepare_sheet
from survey_service.entrances.service import create_entrances
from survey_service.organizations.models import Organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World, start_campaign
from tests.factories.organizations.tree import create_organization
from tests.services.campaigns.steps import create, launch

PUBLIC_URL = "https://survey.example"


def place(world: World, staff: Identity | None = None, **changes: Any) -> Place:
    return replace(
        Place(staff or world.staff, PUBLIC_URL, world.campaign_id, world.village_codes[0]), **changes
    )


def poster(where: Place, **changes: Any) -> Poster:
    with reading() as session:
        return prepare_poster(session, place=where, **changes)


def sheet(world: World, where: Place | None = None, *, count: int | None = None) -> CodeSheet:
    with unit_of_work() as session:
        return prepare_sheet(
            session, place=where or place(world), keyring=world.keyring, count=count, now=NOW
        )


def post(world: World, name: str) -> str:
    """Make a posted code for a place and return it."""
    with unit_of_work() as session:
        [issued] = create_entrances(
            session,
            staff=world.staff,
            keyring=world.keyring,
            campaign_id=world.campaign_id,
            organization_codes=world.village_codes[:1],
            mode=Mode.OPEN,
            rater_class=RaterClass.VILLAGER,
            place=name,
            now=NOW,
        )
        return issued.code


def secretary(world: World) -> Identity:
    """Return the secretary of the first village."""
    with reading() as session:
        village = session.scalars(
            select(Organization).where(Organization.code == world.village_codes[0])
        ).one()
    return replace(world.staff, role=Role.BRANCH_SECRETARY, organization_id=village.id, path=village.path)


def test_a_poster_names_everything_on_it(world: World) -> None:
    code = post(world, "公告栏")
    assert poster(place(world, secretary(world))) == Poster(
        area=poster(place(world)).area,
        village="第1村",
        campaign="2026年度测评",
        subject="第1村党支部",
        url=f"{PUBLIC_URL}/s/{code}",
        code=code,
        typing_address="survey.example",
        organizer="汤溪镇",
        until="2026年11月28日 09:00",
        paper_place="村（居）委会",
        place="公告栏",
    )
    assert poster(place(world)).area.endswith("汤溪镇")


def test_each_place_has_its_own_poster(world: World) -> None:
    first, second = post(world, "公告栏"), post(world, "小卖部")
    assert poster(place(world)).code == poster(place(world), posted_at="公告栏").code == first
    assert poster(place(world), posted_at="小卖部").code == second
    with pytest.raises(Conflict, match="no_posted_entrance"):
        poster(place(world), posted_at="学校")


def test_a_poster_needs_a_posted_code(world: World) -> None:
    world.issue()
    with pytest.raises(Conflict, match="no_posted_entrance"):
        poster(place(world))


def test_a_sheet_shows_the_codes_that_exist(world: World) -> None:
    issued = world.issue(count=3)
    world.issue(Mode.PANEL)
    world.issue(village=1)
    slips = sheet(world).slips
    assert [(slip.serial, slip.code) for slip in slips] == [(one.serial, one.code) for one in issued]
    assert slips[0].url == f"{PUBLIC_URL}/s/{issued[0].code}"


def test_a_sheet_is_made_up_to_the_number_asked_for(world: World) -> None:
    world.issue(count=2)
    codes = [slip.code for slip in sheet(world, count=5).slips]
    assert len(set(codes)) == 5
    assert [slip.code for slip in sheet(world, count=5).slips] == codes
    assert [slip.code for slip in sheet(world, count=3).slips] == codes[:3]


def test_a_sheet_without_codes_says_so(world: World) -> None:
    with pytest.raises(Conflict, match="no_household_codes"):
        sheet(world)


def test_codes_that_were_handed_out_are_not_printed_again(world: World) -> None:
    world.issue()
    with unit_of_work() as session:
        session.scalars(select(CodeBatch)).one().wrapped_key = None
    with pytest.raises(Conflict, match="codes_handed_out"):
        sheet(world)


def test_the_rated_do_not_print_their_own_codes(world: World) -> None:
    world.issue()
    with pytest.raises(Forbidden):
        sheet(world, place(world, secretary(world)))
    with pytest.raises(Forbidden):
        sheet(world, place(world, replace(secretary(world), role=Role.TOWN_STAFF)))


def test_a_secretary_prints_no_codes_of_branches_below_either(world: World) -> None:
    with unit_of_work() as session:
        village = session.scalars(
            select(Organization).where(Organization.code == world.village_codes[0])
        ).one()
        branch = create_organization(session, OrganizationKind.BRANCH, parent=village).code
    campaign_id = create(world, organization_codes=[branch])
    launch(campaign_id)
    where = place(world, secretary(world), campaign_id=campaign_id, organization_code=branch)
    with pytest.raises(Forbidden):
        sheet(world, where, count=1)
    assert len(sheet(world, replace(where, staff=world.staff), count=1).slips) == 1


def test_paper_of_neighbours_and_of_nobody(world: World) -> None:
    other = start_campaign(world.app)
    with pytest.raises(Forbidden):
        poster(place(other, world.staff))
    with pytest.raises(NotFound):
        poster(place(world, organization_code=other.village_codes[0]))
    with pytest.raises(NotFound):
        poster(place(world, campaign_id=999_999))
