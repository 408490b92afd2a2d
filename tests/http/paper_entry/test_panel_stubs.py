"""Stubs of panel codes: what paper has spent a phone cannot, subject by subject, campaign by campaign."""

from dataclasses import replace
from typing import Any

import pytest

from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import launch_campaign
from survey_service.core.db import Database
from survey_service.core.errors import Invalid
from survey_service.entrances.rules import RevokedAs
from survey_service.entrances.slots import reissue_slots, revoke_slots
from survey_service.organizations.queries import find_by_codes
from survey_service.paper_entry.rules import ListKind
from survey_service.paper_entry.sheets import PaperSheets, prepare_sheets
from survey_service.reports.codes import SubjectPaper, read_subject_paper
from tests.factories.campaigns import NOW, OPENS_AT, World, add_campaign
from tests.http.ballots.phone import Phone, code_of
from tests.http.ballots.test_sittings import Sitting, answers_for, start_sitting
from tests.services.paper_entry.conftest import Desk, open_desk

pytestmark = pytest.mark.usefixtures("frozen_clock")
PILE = 5


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What stubs spend is the same on both engines: `paper_entry` and `ballots` are tested on both."""
    return sqlite_database


@pytest.fixture
def sitting(world: World) -> Sitting:
    return start_sitting(world)


@pytest.fixture
def codes(sitting: Sitting) -> list[str]:
    return [one.code for one in sitting.invite(count=PILE)]


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world.app.test_client())


def desk_of(sitting: Sitting, campaign: int) -> Desk:
    return moved(open_desk(sitting.world), sitting, campaign)


def moved(desk: Desk, sitting: Sitting, campaign: int) -> Desk:
    """Let the same people key the paper of another campaign."""
    return replace(desk, world=replace(desk.world, campaign_id=sitting.campaigns[campaign]))


def rate(phone: Phone, sitting: Sitting, code: str, campaign: int, village: int = 0) -> Any:
    turn = phone.open(code)["campaigns"][campaign]
    place = sitting.world.village_codes[village]
    return phone.post(code, ticket=turn["ticket"], organization_code=place, answers=answers_for(turn))


def test_what_a_stub_has_spent_a_phone_cannot_spend_there_but_elsewhere(
    sitting: Sitting, codes: list[str], phone: Phone
) -> None:
    desk_of(sitting, 2).count(codes, ["1"] * PILE)
    assert code_of(rate(phone, sitting, codes[0], campaign=2)) == (409, "already_submitted")
    # The other village of the campaign, and the same village in another campaign, are still free.
    assert rate(phone, sitting, codes[0], campaign=2, village=1).status_code == 201
    assert rate(phone, sitting, codes[0], campaign=0).status_code == 201
    assert sitting.rows(Participation) == sitting.rows(Ballot) == [1, 0, PILE + 1]


def test_what_a_phone_has_spent_takes_one_ballot_out_there_and_nowhere_else(
    sitting: Sitting, codes: list[str], phone: Phone
) -> None:
    assert rate(phone, sitting, codes[3], campaign=1).status_code == 201
    desk = desk_of(sitting, 1)
    counted = desk.count(codes, ["1"] * PILE)
    assert (counted.returned, counted.set_aside) == (PILE, 1)
    counted = moved(desk, sitting, 0).count(codes, ["1"] * PILE)
    assert (counted.returned, counted.set_aside) == (PILE, 0)
    assert sitting.rows(Participation) == sitting.rows(Ballot) == [PILE, PILE, 0]


def test_a_new_code_on_a_stub_spends_the_old_slot_no_second_time(
    sitting: Sitting, codes: list[str], phone: Phone
) -> None:
    desk = desk_of(sitting, 0)
    desk.count(codes, ["1"] * PILE)
    sitting.change(reissue_slots, PILE, campaign=2, keyring=sitting.world.keyring)
    issued = sheets(sitting, campaign=1).slips[-1].code
    assert issued not in codes
    assert code_of(rate(phone, sitting, issued, campaign=0)) == (409, "already_submitted")
    assert rate(phone, sitting, issued, campaign=1).status_code == 201


def test_a_stub_fits_where_its_code_does(sitting: Sitting) -> None:
    [issued] = sitting.invite(also=sitting.campaigns[1:2])
    desk = open_desk(sitting.world)
    for campaign in (0, 1):
        key_stub(moved(desk, sitting, campaign), issued.code)
    with pytest.raises(Invalid):
        key_stub(moved(desk, sitting, 2), issued.code)


def test_the_stub_of_a_revoked_code_fits_nowhere(sitting: Sitting, codes: list[str]) -> None:
    sitting.change(revoke_slots, 1, campaign=2, revoked_as=RevokedAs.LOST)
    desk = open_desk(sitting.world)
    for campaign in range(3):
        with pytest.raises(Invalid):
            key_stub(moved(desk, sitting, campaign), codes[0])


def test_a_stub_of_the_same_subject_in_another_campaign_does_not_fit(sitting: Sitting) -> None:
    world = sitting.world
    with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
        town = find_by_codes(session, [world.town_code])[world.town_code]
        again = add_campaign(session, world.app, world.staff, town, title="年底再测评")
        launch_campaign(session, campaign_id=again.id, now=OPENS_AT)
        elsewhere = replace(world, campaign_id=again.id)
    desk = open_desk(world)
    for mode in (Mode.HOUSEHOLD, Mode.PANEL):
        [issued] = world.issue(mode)
        key_stub(desk, issued.code)
        with pytest.raises(Invalid):
            key_stub(replace(desk, world=elsewhere), issued.code)


def key_stub(desk: Desk, code: str) -> None:
    desk.key(desk.open(), ListKind.STUBS, 1, [code], by=0)


def sheets(sitting: Sitting, campaign: int) -> PaperSheets:
    world = sitting.world
    with world.app.extensions["database"].unit_of_work() as session:
        return prepare_sheets(
            session,
            staff=world.staff,
            keyring=world.keyring,
            public_url="https://ping.example",
            campaign_id=sitting.campaigns[campaign],
            organization_code=world.village_codes[1],
            rater_class=RaterClass.VILLAGER,
            mode=Mode.PANEL,
            now=NOW,
        )


def beside_score(sitting: Sitting, campaign: int) -> SubjectPaper:
    world = sitting.world
    with world.app.app_context(), world.app.extensions["database"].reading() as session:
        paper = read_subject_paper(
            session,
            staff=world.staff,
            campaign_id=sitting.campaigns[campaign],
            organization_code=world.village_codes[0],
            now=NOW,
        )
    assert paper is not None
    return paper


def test_ballots_on_paper_carry_the_codes_of_panels_and_name_who_is_rated(sitting: Sitting) -> None:
    codes = [one.code for one in sitting.invite(count=PILE, are_shown=False)]
    assert beside_score(sitting, 2).total("printed") == 0
    printed = sheets(sitting, campaign=2)
    assert [slip.code for slip in printed.slips] == codes
    assert (printed.campaign, printed.subject) == ("书记测评", "第2村党组织书记")
    # A code that stands on paper has left the system: its days begin, in every campaign.
    assert [beside_score(sitting, campaign).total("printed") for campaign in range(3)] == [PILE] * 3


def test_what_became_of_paper_stands_beside_the_score(
    sitting: Sitting, codes: list[str], phone: Phone
) -> None:
    rate(phone, sitting, codes[0], campaign=0)
    desk_of(sitting, 0).count(codes, ["1"] * PILE, issued=8)
    paper = beside_score(sitting, 0)
    assert (paper.total("made"), paper.used) == (PILE, {Mode.PANEL: 1, Mode.PAPER: PILE - 1})
    [counted] = paper.sheets
    assert (counted.mode, counted.issued, counted.returned, counted.set_aside) == (Mode.PAPER, 8, PILE, 1)
    assert beside_score(sitting, 1).sheets == []


def test_a_rated_party_sees_its_own_codes_only(sitting: Sitting, codes: list[str]) -> None:
    world = sitting.world
    world.issue(Mode.PANEL, count=2)
    with world.app.app_context(), world.app.extensions["database"].reading() as session:
        place = find_by_codes(session, world.village_codes[:1])[world.village_codes[0]]
        paper = read_subject_paper(
            session,
            staff=replace(world.staff, organization_id=place.id, path=place.path),
            campaign_id=world.campaign_id,
            organization_code=place.code,
            now=NOW,
        )
    assert paper is not None
    assert (paper.total("made"), paper.used, paper.sheets) == (2, None, [])
    assert beside_score(sitting, 0).total("made") == PILE + 2
