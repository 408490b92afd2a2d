"""What is there after sealing, what is gone, and when nothing is sealed at all."""

import json
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import text

from survey_service.ballots.queries import ReceiptState, find_receipt
from survey_service.ballots.service import withdraw_unused_campaign
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import State
from survey_service.checking import check_everything
from survey_service.core.errors import Conflict, Gone
from tests.factories.campaigns import CLOSES_AT, NOW, World, start_campaign
from tests.services.sealing.conftest import ClosedWorld
from tests.services.sealing.steps import (
    CLOSED_AT,
    cast_known,
    close,
    column,
    contents,
    count,
    database_of,
    document,
    rows,
    seal,
)

CONTRADICTIONS = {
    "participations": "DELETE FROM participation WHERE campaign_id = :id",
    "receipts": "DELETE FROM receipt WHERE campaign_id = :id"
    " AND receipt = (SELECT min(receipt) FROM receipt WHERE campaign_id = :id)",
    "answers": "UPDATE ballot SET answers = '{}' WHERE campaign_id = :id",
    "tallies": "UPDATE tally_slice SET returned = returned + 1 WHERE campaign_id = :id",
    "formula": "UPDATE campaign SET formula = replace(formula, '0.75', '0.85') WHERE id = :id",
}


def refusal(world: World) -> str:
    with pytest.raises(Conflict) as caught:
        seal(world)
    return caught.value.code


def state(world: World) -> State:
    with database_of(world).reading() as session:
        return session.get_one(Campaign, world.campaign_id).window.state(CLOSED_AT)


def execute(world: World, statement: str) -> None:
    with database_of(world).unit_of_work() as session:
        session.execute(text(statement), {"id": world.campaign_id})


def test_what_was_cast_is_there_under_other_ids(closed: ClosedWorld) -> None:
    world = closed.world
    before = contents(world)
    keys = [known.keys(world) for known in closed.known]
    assert column(world, "id", "ballot") == sorted(one.ballot_id for one in keys)
    seal(world)
    assert contents(world) == before
    assert not set(column(world, "id", "ballot")) & {one.ballot_id for one in keys}
    assert not set(column(world, "id", "ballot_text")) & {one.text_ids["remark"] for one in keys}


def test_what_leads_to_a_voter_is_gone(closed: ClosedWorld) -> None:
    world = closed.world
    execute(world, "UPDATE ballot SET flag = 'burst' WHERE campaign_id = :id")
    seal(world)
    assert [count(world, table) for table in ("participation", "dirty_mark")] == [0, 0]
    assert set(column(world, "flag", "ballot")) == {""}
    assert rows(world, "SELECT wrapped_key FROM campaign WHERE id = :campaign") == [(None,)]
    batches = "SELECT DISTINCT wrapped_key FROM code_batch WHERE campaign_id = :campaign"
    assert rows(world, batches) == [(None,)]
    assert world.campaign_id not in world.app.extensions["campaign_keys"]


def test_the_campaign_beside_it_goes_on(closed: ClosedWorld) -> None:
    other = closed.other
    before = contents(other), column(other, "id", "ballot")
    seal(closed.world)
    assert (contents(other), column(other, "id", "ballot")) == before
    cast_known(other, 1)
    assert count(other, "participation") == count(other, "ballot") == 3


def test_the_number_of_participations_stays_in_the_snapshot(closed: ClosedWorld) -> None:
    seal(closed.world)
    head = json.loads(document(closed.world))["head"]
    assert head["participations"] == len(closed.known) == count(closed.world, "ballot")


def test_every_receipt_is_counted(closed: ClosedWorld) -> None:
    seal(closed.world)
    with database_of(closed.world).reading() as session:
        states = {find_receipt(session, known.receipt) for known in closed.known}
    assert states == {ReceiptState.COUNTED}


def test_ballots_that_no_rebuild_has_seen_are_sealed(closed: ClosedWorld) -> None:
    assert count(closed.world, "dirty_mark") == len(closed.known)
    seal(closed.world)
    assert column(closed.world, "returned", "sealed_score") == [3, 8]


def test_the_recount_finds_nothing_in_a_sealed_campaign(closed: ClosedWorld) -> None:
    seal(closed.world)
    assert check_everything(is_thorough=True) == []


def test_sealing_ends_the_grace_time(committed_world: World) -> None:
    world = committed_world
    in_time, late = (world.open(issued.code) for issued in world.issue(count=2))
    close(world)
    within_grace = CLOSED_AT + timedelta(hours=1)
    world.cast(in_time, now=within_grace)
    seal(world)
    with pytest.raises(Gone):
        world.cast(late, now=within_grace)
    assert count(world, "ballot") == 1


def test_the_gate_is_shut_from_the_first_step_on(committed_world: World) -> None:
    """By a mark in the row, and not by a clock, since another machine may have another one."""
    world = committed_world
    cast_known(world, 1)
    late = world.open(world.issue()[0].code)
    close(world)
    execute(world, CONTRADICTIONS["participations"])
    assert refusal(world) == "counts_differ"
    assert state(world) is State.CLOSED
    with pytest.raises(Gone):
        world.cast(late)


def test_an_unused_campaign_can_be_sealed(committed_world: World) -> None:
    close(committed_world)
    seal(committed_world)
    snapshot = json.loads(document(committed_world))
    assert snapshot["head"]["bulletin"] == []
    assert [one["figures"]["status"] for one in snapshot["subjects"]] == ["suppressed"] * 2


def test_sealing_twice_is_refused(closed: ClosedWorld) -> None:
    seal(closed.world)
    before = document(closed.world)
    assert refusal(closed.world) == "wrong_state"
    assert document(closed.world) == before


@pytest.mark.parametrize("is_launched", [False, True])
def test_what_is_not_closed_is_not_sealed(committed_world: World, *, is_launched: bool) -> None:
    world = start_campaign(committed_world.app, villages=1, is_launched=is_launched)
    with time_machine.travel(NOW, tick=False):
        assert refusal(world) == "wrong_state"
    assert count(world, "sealing") == 0


def test_what_was_withdrawn_is_not_sealed(committed_world: World) -> None:
    with database_of(committed_world).unit_of_work() as session:
        withdraw_unused_campaign(session, campaign_id=committed_world.campaign_id, now=NOW)
    assert refusal(committed_world) == "wrong_state"


def test_nobody_needs_to_close_what_is_over(committed_world: World) -> None:
    cast_known(committed_world, 5)
    with time_machine.travel(CLOSES_AT + timedelta(minutes=1), tick=False):
        seal(committed_world)
    assert state(committed_world) is State.SEALED


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_rows_that_contradict_each_other_stop_the_sealing(closed: ClosedWorld, name: str) -> None:
    world = closed.world
    world.drain()
    execute(world, CONTRADICTIONS[name])
    before = contents(world)
    assert refusal(world) == "counts_differ"
    assert contents(world) == before
    assert count(world, "score_snapshot") == count(world, "published_receipts") == 0
    assert state(world) is State.CLOSED
