"""What must hold when many things happen at once; commits are real here."""

import secrets
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import OperationalError

from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.service import close_campaign
from survey_service.core.db import Database, fetch_alone
from survey_service.core.errors import Conflict, Gone
from tests.factories.campaigns import NOW, World

PARALLEL = 50
THREADS = 8


def test_parallel_posts_with_one_credential_leave_one_ballot(committed_world: World) -> None:
    world = committed_world
    (issued,) = world.issue()
    ticket = world.open(issued.code)

    def post(number: int) -> str:
        try:
            return "new" if world.cast(ticket, secret=f"{number:0>24}").is_new else "old"
        except Conflict as error:
            return error.code

    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(post, range(PARALLEL)))
    assert answers == ["already_submitted"] * (PARALLEL - 1) + ["new"]
    assert stored(world) == (1, 1)


def test_parallel_posts_with_one_secret_give_one_receipt(committed_world: World) -> None:
    world = committed_world
    (issued,) = world.issue()
    ticket, secret = world.open(issued.code), secrets.token_urlsafe(24)
    with ThreadPoolExecutor(THREADS) as pool:
        casts = list(pool.map(lambda _: world.cast(ticket, secret=secret), range(PARALLEL)))
    assert len({cast.receipt for cast in casts}) == 1
    assert [cast.is_new for cast in casts].count(True) == 1
    assert stored(world) == (1, 1)


def test_every_ballot_acknowledged_across_a_closing_is_stored(committed_world: World) -> None:
    world = committed_world
    tickets = [world.open(issued.code) for issued in world.issue(count=60)]
    closing = NOW + timedelta(minutes=1)

    def post(position: int) -> bool:
        if position == len(tickets) // 2:
            with world.app.extensions["database"].unit_of_work() as session:
                # No grace: whoever comes after the closing is too late.
                campaign = close_campaign(session, campaign_id=world.campaign_id, now=closing)
                campaign.accepts_until = closing
        try:
            return world.cast(tickets[position], now=closing + timedelta(seconds=1)).is_new
        except Gone:
            return False

    with ThreadPoolExecutor(THREADS) as pool:
        acknowledged = sum(pool.map(post, range(len(tickets))))
    assert stored(world) == (acknowledged, acknowledged)
    assert 0 < acknowledged < len(tickets)


def stored(world: World) -> tuple[int, int]:
    with world.app.extensions["database"].reading() as session:
        return tuple(  # type: ignore[return-value]  # Two counts.
            session.scalar(select(func.count()).select_from(table)) for table in (Participation, Ballot)
        )


def test_after_a_restart_of_the_database_one_statement_at_most_fails(
    postgresql_committed_world: World,
) -> None:
    """Every connection of the pool is gone; only the first ballot that meets one may learn of it."""
    database: Database = postgresql_committed_world.app.extensions["database"]

    def ask() -> Sequence[tuple[Any, ...]]:
        with database.single_statements() as session:
            return fetch_alone(session, "SELECT 1", {})

    kept = [database.engine.connect() for _ in range(4)]
    for connection in kept:
        connection.close()
    end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(**maintenance(database.engine), autocommit=True) as operator:
        operator.execute(end_all, [database.engine.url.database])
    with pytest.raises(OperationalError):
        ask()
    assert [ask(), ask()] == [[(1,)], [(1,)]]


def maintenance(engine: Engine) -> dict[str, Any]:
    """Return how to reach the server beside the test's database."""
    return {"user": engine.url.username, "dbname": "postgres", **engine.url.query}
