"""Two persons exclude a group of flagged ballots: what counts then, and who may do what."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from survey_service.anomalies.service import read_review
from survey_service.ballots.rules import BallotFlag
from survey_service.campaigns.rules import Mode, RaterClass
from survey_service.campaigns.service import close_campaign
from survey_service.checking import check_everything
from survey_service.core.errors import Conflict, Forbidden, Invalid, NotFound
from survey_service.mass_evaluation.models import MassScore
from survey_service.tallies.models import TallyHead, TallyRow
from survey_service.tallies.rules import ExclusionState
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import NOW
from tests.services.anomalies.conftest import REASON, Office

pytestmark = pytest.mark.usefixtures("frozen_clock")

FAST = BallotFlag.TOO_FAST
CALM, SPAM = ["satisfied"] * 8, ["dissatisfied"] * 6


def slices(office: Office) -> dict[bool, int]:
    """Return the counted ballots of the campaign, the excluded ones apart."""
    with office.database.reading() as session:
        found = session.execute(
            select(TallyRow.is_excluded, TallyRow.returned).where(
                TallyRow.campaign_id == office.world.campaign_id
            )
        )
        return dict(found.all())


def figures(office: Office) -> dict[str, Any]:
    office.world.drain()
    with office.database.reading() as session:
        stored = session.scalars(
            select(MassScore.figures).where(MassScore.campaign_id == office.world.campaign_id)
        ).one()
        read: dict[str, Any] = json.loads(stored)
        return read


def close(office: Office) -> None:
    """End the campaign, and let the figures that follow be made a moment later."""
    end = NOW + timedelta(hours=1)
    with office.database.unit_of_work() as session:
        close_campaign(session, campaign_id=office.world.campaign_id, now=end)
    with time_machine.travel(end + timedelta(minutes=1), tick=False):
        office.world.drain()


@pytest.fixture
def flagged(office: Office) -> Office:
    """Eight ballots as usual, six that came too fast."""
    office.world.vote(CALM)
    office.world.vote(SPAM, flag=FAST)
    office.world.drain()
    return office


def test_a_proposal_alone_changes_nothing(flagged: Office) -> None:
    flagged.propose()
    flagged.world.drain()
    assert slices(flagged) == {False: 14}


def test_a_confirmed_group_is_counted_apart_and_stays_returned(flagged: Office) -> None:
    flagged.exclude()
    assert slices(flagged) == {False: 8, True: 6}
    with flagged.database.reading() as session:
        heads = session.scalars(select(TallyHead).where(TallyHead.campaign_id == flagged.world.campaign_id))
        assert heads.one().returned == 14


def test_a_declined_group_is_counted_like_all_others(flagged: Office) -> None:
    flagged.decide(flagged.propose(), confirm=False)
    assert slices(flagged) == {False: 14}


def test_while_the_campaign_is_open_the_score_shows_no_effect(flagged: Office) -> None:
    before = figures(flagged)
    flagged.exclude()
    assert figures(flagged) == before
    flagged.world.vote(["satisfied"] * 5)
    # (13 · 100 + 6 · 55) / 19: the next step counts new ballots, and leaves nothing out.
    assert (figures(flagged)["score"], figures(flagged)["valid"]) == ("85.79", 19)


def test_from_the_closing_on_both_scores_stand_side_by_side(flagged: Office) -> None:
    flagged.exclude()
    close(flagged)
    found = figures(flagged)
    # 8 satisfied · 100, and with the six: (8 · 100 + 6 · 55) / 14 = 80.71
    assert (found["score"], found["with_excluded"]["score"]) == ("100.00", "80.71")
    assert (found["returned"], found["valid"], found["excluded"]) == (14, 8, 6)
    assert found["by_class"]["villager"]["returned"] == 14
    assert found["by_class"]["villager"]["n"] == found["by_mode"]["household"]["n"] == 8


def test_a_group_excluded_after_the_closing_leaves_the_score_when_no_late_ballot_can_come(
    committed_office: Office,
) -> None:
    office = committed_office
    office.world.vote(CALM)
    office.world.vote(SPAM, flag=FAST)
    close(office)
    office.exclude()
    assert figures(office)["score"] == "80.71"
    with time_machine.travel(NOW + timedelta(hours=26), tick=False):
        assert check_everything(is_thorough=True) == []
        assert figures(office)["score"] == "100.00"


def test_late_ballots_wait_where_some_are_excluded(flagged: Office) -> None:
    """One late ballot more on either side would part the two scores by one ballot."""
    issued = flagged.world.issue(count=9)
    late = [flagged.world.open(one.code, now=NOW - timedelta(hours=1)) for one in issued]
    flagged.exclude()
    close(flagged)
    before = figures(flagged)
    for position, ticket in enumerate(late):
        flagged.world.cast(ticket, flag=FAST if position < 3 else None)
        assert figures(flagged) == before


def test_the_turnout_and_its_gates_count_excluded_ballots(flagged: Office) -> None:
    flagged.exclude()
    close(flagged)
    assert figures(flagged)["response_rate"] == "14.00"


def test_what_comes_later_with_the_same_flag_belongs_to_the_group(flagged: Office) -> None:
    flagged.exclude()
    flagged.world.vote(["dissatisfied"] * 2, flag=FAST)
    flagged.world.vote(["satisfied"] * 1)
    flagged.world.drain()
    assert slices(flagged) == {False: 9, True: 8}


@pytest.mark.parametrize(
    "other",
    [
        {"flag": BallotFlag.ODD_HOURS},
        {"village": 1, "flag": FAST},
        {"flag": FAST, "mode": Mode.PANEL},
    ],
    ids=["flag", "subject", "mode"],
)
def test_other_groups_stay(flagged: Office, other: dict[str, Any]) -> None:
    flagged.world.vote(["dissatisfied"] * 5, **other)
    flagged.exclude()
    flagged.world.drain()
    with flagged.database.reading() as session:
        excluded = session.scalars(select(TallyRow.returned).where(TallyRow.is_excluded)).all()
    assert excluded == [6]


def test_in_open_modes_the_place_belongs_to_the_group(office: Office) -> None:
    world = office.world
    walls = [world.issue(Mode.OPEN)[0], world.issue(Mode.OPEN)[0]]
    for wall in walls:
        for number in range(5):
            world.cast(world.open(wall.code), device=f"{wall.code}{number}", flag=BallotFlag.BURST)
    place = world.open(walls[0].code).place_id
    office.exclude(mode=Mode.OPEN_DEVICE, flag=BallotFlag.BURST, place_id=place)
    world.drain()
    assert slices(office) == {False: 5, True: 5}


def test_nobody_decides_what_he_has_proposed(flagged: Office) -> None:
    exclusion = flagged.propose()
    with pytest.raises(Forbidden):
        flagged.decide(exclusion, by=flagged.first)


def test_the_database_itself_wants_a_second_person(flagged: Office) -> None:
    flagged.propose()
    with pytest.raises(IntegrityError), flagged.database.unit_of_work() as session:
        session.execute(
            text(
                "UPDATE exclusion SET state = 'confirmed', decided_by = proposed_by, decided_at = proposed_at"
            )
        )


def test_the_database_wants_somebody_who_has_decided(flagged: Office) -> None:
    flagged.propose()
    with pytest.raises(IntegrityError), flagged.database.unit_of_work() as session:
        session.execute(text("UPDATE exclusion SET state = 'confirmed'"))


def test_a_lower_level_does_not_decide_what_the_county_has_proposed(flagged: Office) -> None:
    exclusion = flagged.propose(by=flagged.county)
    with pytest.raises(Forbidden):
        flagged.decide(exclusion)


def test_the_county_decides_what_a_town_has_proposed(flagged: Office) -> None:
    flagged.decide(flagged.propose(), by=flagged.county)
    assert slices(flagged) == {False: 8, True: 6}


def test_the_rated_party_proposes_nothing_about_itself(flagged: Office) -> None:
    with pytest.raises(Forbidden):
        flagged.propose(by=flagged.secretary)


def test_what_was_decided_is_decided_once(flagged: Office) -> None:
    exclusion = flagged.propose()
    flagged.decide(exclusion)
    with pytest.raises(Conflict, match="wrong_state"):
        flagged.decide(exclusion, confirm=False)


@pytest.mark.parametrize("change", ["UPDATE exclusion SET state = 'declined'", "DELETE FROM exclusion"])
def test_the_database_refuses_to_change_what_was_decided(flagged: Office, change: str) -> None:
    flagged.exclude()
    with pytest.raises(DBAPIError, match="stays decided"), flagged.database.unit_of_work() as session:
        session.execute(text(change))


def test_a_group_is_proposed_once_until_it_is_declined(flagged: Office) -> None:
    exclusion = flagged.propose()
    with pytest.raises(Conflict, match="already_proposed"):
        flagged.propose(by=flagged.second)
    flagged.decide(exclusion, confirm=False)
    flagged.exclude()
    assert [one.state for one in flagged.exclusions()] == [ExclusionState.DECLINED, ExclusionState.CONFIRMED]


def test_a_group_smaller_than_a_cell_is_not_excluded(office: Office) -> None:
    """Neither where it weighs, nor where it does not."""
    (wall,) = office.world.issue(Mode.OPEN)
    place = office.world.open(wall.code).place_id
    for number in range(4):
        office.world.cast(office.world.open(wall.code), device=f"{number}", flag=FAST)
    office.world.vote(["satisfied"] * 4, flag=FAST)
    for group in ({}, {"mode": Mode.OPEN_DEVICE, "place_id": place}):
        with pytest.raises(Invalid) as refused:
            office.propose(**group)
        assert refused.value.errors["flag"] == ["这一组不足 5 张票，不能单独排除。"]


def test_a_group_of_which_few_ballots_score_is_not_excluded(office: Office) -> None:
    """Six ballots, one of them with an opinion: the two scores would tell it."""
    office.world.vote(["not_informed"] * 5 + ["dissatisfied"], flag=FAST)
    with pytest.raises(Invalid) as refused:
        office.propose()
    assert "能计分" in refused.value.errors["flag"][0]


def test_classes_are_groups_of_their_own(office: Office) -> None:
    """Figures are shown by class: six ballots of two classes are no group of six."""
    with pytest.raises(Invalid):
        office.propose(mode=Mode.PANEL, rater_class=RaterClass.VETERAN_CADRE)


def test_a_group_in_a_mode_without_weight_may_say_nothing(office: Office) -> None:
    (wall,) = office.world.issue(Mode.OPEN)
    for number in range(5):
        ticket = office.world.open(wall.code)
        office.world.cast(ticket, {"overall": "not_informed"}, device=f"{number}", flag=FAST)
    office.exclude(mode=Mode.OPEN_DEVICE, place_id=ticket.place_id)
    office.world.drain()
    assert slices(office) == {True: 5}


def test_unknown_subjects_and_exclusions_are_not_found(flagged: Office) -> None:
    with pytest.raises(NotFound):
        flagged.propose(organization_code="nowhere")
    with pytest.raises(NotFound):
        flagged.decide(4711)


def test_everything_stands_in_the_audit_trail(flagged: Office) -> None:
    flagged.exclude()
    entries = [entry for entry in read_chain(flagged.database) if entry.action.startswith("exclusions.")]
    assert [entry.action for entry in entries] == ["exclusions.propose", "exclusions.confirm"]
    after = entries[1].after or {}
    assert (after["reason"], after["flag"], after["ballots"]) == (REASON, "too_fast", 6)


def test_the_review_counts_and_shows_no_answer(flagged: Office) -> None:
    flagged.world.vote(["dissatisfied"] * 2, flag=BallotFlag.ODD_HOURS)
    flagged.world.drain()
    with flagged.database.reading() as session:
        review = read_review(session, staff=flagged.first, campaign_id=flagged.world.campaign_id)
    assert [(one.group.flag, one.ballots, one.of) for one in review.groups] == [
        ("odd_hours", None, None),
        ("too_fast", 6, 16),
    ]
    assert "satisfied" not in repr(review.groups)


def test_the_check_recounts_exclusions(committed_office: Office) -> None:
    office = committed_office
    office.world.vote(CALM)
    office.world.vote(SPAM, flag=FAST)
    office.world.drain()
    office.exclude()
    assert check_everything(is_thorough=True) == []
    with office.database.unit_of_work() as session:
        session.execute(text("DELETE FROM tally_slice WHERE returned = 6"))
        session.execute(text("UPDATE tally_slice SET is_excluded = true WHERE returned = 8"))
    (line,) = check_everything(is_thorough=True)
    assert "tally" in line


def test_a_window_that_ends_by_the_clock_lets_exclusions_count(committed_office: Office) -> None:
    office = committed_office
    office.world.vote(CALM)
    office.world.vote(SPAM, flag=FAST)
    office.world.drain()
    office.exclude()
    assert figures(office)["score"] == "80.71"
    with time_machine.travel(NOW + timedelta(days=8), tick=False):
        assert check_everything(is_thorough=True) == []
        assert figures(office)["score"] == "100.00"
