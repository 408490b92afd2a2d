"""The way of a ballot never meets the audit trail."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text

from survey_service.auditing.queries import lock_head
from survey_service.core.db import Database
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import World


@contextmanager
def statements_of(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine, "before_cursor_execute", note)


def test_a_ballot_writes_no_entry_and_asks_for_none(world: World) -> None:
    database = world.app.extensions["database"]
    (issued,) = world.issue()
    ticket, before = world.open(issued.code), read_chain(database)
    with statements_of(database) as seen:
        world.cast(ticket, {"overall": "satisfied", "remark": "路灯坏了"})
    assert [statement for statement in seen if "audit" in statement] == []
    assert seen
    world.drain()
    assert read_chain(database) == before


def test_a_ballot_does_not_wait_for_whoever_holds_the_head(postgresql_committed_world: World) -> None:
    world = postgresql_committed_world
    database = world.app.extensions["database"]
    (issued,) = world.issue()
    ticket = world.open(issued.code)
    with world.app.app_context(), database.unit_of_work() as holding:
        lock_head(holding)
        with database.unit_of_work() as voting:
            voting.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert world.cast_in(voting, ticket).is_new
