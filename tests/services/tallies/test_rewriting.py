"""A rebuild takes from ballots and texts on PostgreSQL what leads to a participation: number and place."""

import json
import re
import threading
from collections import Counter
from typing import Any

import pytest

from survey_service.ballots.models import Ballot, BallotText
from survey_service.ballots.rewriting import _REWRITE
from survey_service.campaigns.rules import Mode
from survey_service.core.db import Base
from survey_service.questionnaires.rules import Item
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import ITEMS, NOW, World, start_campaign
from tests.services.sealing.steps import contents, database_of, rows
from tests.support.chance import is_order_of_arrival
from tests.support.databases import wait_until_somebody_waits

MIN_CELL = 5
NUMBERED = (*ITEMS, Item(key="arrival", kind="number", text="第几位"))
TABLES = ("ballot", "ballot_text")


def numbered(world: World, **changes: Any) -> World:
    return start_campaign(world.app, items=NUMBERED, villages=1, **changes)


def cast(world: World, numbers: range) -> None:
    """Cast ballots that name the order in which they come, each with a text."""
    for number, issued in zip(numbers, world.issue(count=len(numbers)), strict=True):
        answers = {"overall": "satisfied", "arrival": str(number), "remark": str(number)}
        world.cast(world.open(issued.code), answers)


def transactions(world: World, table: str) -> Counter[str]:
    """Return how many rows of a table each transaction wrote."""
    found = rows(world, f"SELECT xmin::text FROM {table} WHERE campaign_id = :campaign")
    return Counter(number for (number,) in found)


def shared_with_participations(world: World) -> list[int]:
    """Return how many rows of ballots and of texts lead to a participation by their transaction."""
    known = transactions(world, "participation")
    return [sum(n for number, n in transactions(world, table).items() if number in known) for table in TABLES]


def order(world: World) -> list[int]:
    found = rows(world, "SELECT answers FROM ballot WHERE campaign_id = :campaign ORDER BY ctid")
    return [int(json.loads(answers)["arrival"]) for (answers,) in found]


def test_no_transaction_leads_from_a_participation_to_a_ballot(postgresql_committed_world: World) -> None:
    world = numbered(postgresql_committed_world)
    cast(world, range(80))
    assert shared_with_participations(world) == [80, 80], "the test would not see a link"
    assert is_order_of_arrival(order(world)), "the test would not see an order"
    before = contents(world), sorted(rows(world, "SELECT id FROM ballot WHERE campaign_id = :campaign"))
    world.drain()
    assert shared_with_participations(world) == [0, 0]
    assert not is_order_of_arrival(order(world))
    after = contents(world), sorted(rows(world, "SELECT id FROM ballot WHERE campaign_id = :campaign"))
    assert after == before


def test_texts_stand_in_another_order_than_ballots(postgresql_committed_world: World) -> None:
    world = numbered(postgresql_committed_world)
    cast(world, range(80))
    world.drain()
    texts = rows(world, "SELECT text FROM ballot_text WHERE campaign_id = :campaign ORDER BY ctid")
    places = {int(words): place for place, (words,) in enumerate(texts)}
    assert not is_order_of_arrival([places[number] for number in order(world)])


def test_fewer_than_the_smallest_cell_are_left_until_they_are_enough(
    postgresql_committed_world: World,
) -> None:
    """To write two anew would only say which two came together."""
    world = numbered(postgresql_committed_world, min_cell=MIN_CELL)
    cast(world, range(4))
    world.drain()
    assert shared_with_participations(world) == [4, 4]
    cast(world, range(4, 7))
    world.drain()
    assert shared_with_participations(world) == [0, 0]
    assert set(transactions(world, "ballot").values()) == {7}


def test_a_ballot_that_comes_alone_is_one_among_others(postgresql_committed_world: World) -> None:
    world = numbered(postgresql_committed_world, min_cell=MIN_CELL)
    cast(world, range(20))
    world.drain()
    for number in range(20, 26):
        cast(world, range(number, number + 1))
        world.drain()
        for table in TABLES:
            newest = max(transactions(world, table).items(), key=lambda one: int(one[0]))
            assert newest[1] >= MIN_CELL
    assert shared_with_participations(world) == [0, 0]


def test_among_its_like(postgresql_committed_world: World) -> None:
    """A ballot tells its mode, so that ballots of another mode would not hide it."""
    world = numbered(postgresql_committed_world, min_cell=MIN_CELL)
    for mode in (Mode.HOUSEHOLD, Mode.PANEL):
        world.vote(["satisfied"] * 20, mode=mode)
    world.drain()
    world.vote(["satisfied"], mode=Mode.PANEL)
    world.drain()
    written = rows(world, "SELECT xmin::text::bigint, mode FROM ballot WHERE campaign_id = :campaign")
    newest = max(number for number, _ in written)
    assert [mode for number, mode in written if number == newest] == [Mode.PANEL] * MIN_CELL


def test_other_campaigns_and_subjects_are_left_alone(postgresql_committed_world: World) -> None:
    world = postgresql_committed_world
    other = numbered(world)
    cast(other, range(6))
    world.vote(["satisfied"] * 6, village=0)
    world.vote(["satisfied"] * 6, village=1)
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW)
    assert shared_with_participations(other) == [6, 6]
    assert shared_with_participations(world) == [0, 0]


def test_other_answers_that_meet_a_rebuild_are_neither_lost_nor_late(
    postgresql_committed_world: World,
) -> None:
    world = numbered(postgresql_committed_world, revote="until_close")
    cast(world, range(6))
    (issued,) = world.issue()
    ticket, secret = world.open(issued.code), "s" * 32
    world.cast(ticket, {"overall": "satisfied"}, secret=secret)
    replacing = threading.Thread(
        target=world.cast, args=(ticket, {"overall": "dissatisfied"}), kwargs={"secret": secret}
    )
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW)
        replacing.start()
        wait_until_somebody_waits(database_of(world))
    replacing.join()
    world.drain()
    (counts,) = rows(world, "SELECT counts FROM tally_slice WHERE campaign_id = :campaign")[0]
    assert json.loads(counts)["overall"] == {"satisfied": 6, "dissatisfied": 1}
    assert shared_with_participations(world) == [0, 0]


@pytest.mark.parametrize("model", [Ballot, BallotText])
def test_every_column_is_written_anew(model: type[Base]) -> None:
    """A column that the statement does not know would lose what it holds."""
    written = re.search(rf"INSERT INTO {model.__tablename__} \(([^)]*)\)", str(_REWRITE))
    assert written is not None
    assert {name.strip() for name in written.group(1).split(",")} == set(model.__table__.columns.keys())
