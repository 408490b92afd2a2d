"""Sealing while people vote, and two who seal at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from survey_service.core.errors import Conflict, Gone
from tests.factories.campaigns import World
from tests.services.sealing.conftest import ClosedWorld
from tests.services.sealing.steps import CLOSED_AT, close, column, count, rows, seal

POSTS = 80
THREADS = 8


def test_what_was_acknowledged_across_a_sealing_is_sealed(committed_world: World) -> None:
    world = committed_world
    tickets = [world.open(issued.code) for issued in world.issue(count=POSTS)]
    close(world)

    def post(number: int) -> str | None:
        if number == POSTS // 2:
            seal(world)
        try:
            return world.cast(tickets[number], now=CLOSED_AT + timedelta(minutes=number)).receipt
        except Gone:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        receipts = [receipt for receipt in pool.map(post, range(POSTS)) if receipt is not None]
    published = rows(world, "SELECT receipts FROM published_receipts WHERE campaign_id = :campaign")
    assert sorted(receipts) == published[0][0].split("\n") == column(world, "receipt", "receipt")
    assert 0 < len(receipts) == count(world, "ballot") < POSTS


def test_of_two_who_seal_at_once_one_is_told_so(closed: ClosedWorld) -> None:
    def attempt(_: int) -> str:
        try:
            seal(closed.world)
        except Conflict as error:
            return error.code
        return "sealed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, range(2))) == ["sealed", "wrong_state"]
    assert count(closed.world, "score_snapshot") == 1
