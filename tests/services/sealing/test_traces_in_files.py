"""What is left in the files of the database: neither ids nor order lead back to a voter."""

import json
import time
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from survey_service.core.db import Database, see_one_snapshot
from survey_service.core.errors import Unavailable
from survey_service.questionnaires.rules import Item
from survey_service.sealing import cleaning
from tests.factories.applications import make_app
from tests.factories.campaigns import ITEMS, World, start_campaign
from tests.journeys.attacker.loot import command, database_files
from tests.services.sealing.conftest import close_a_world
from tests.services.sealing.steps import cast_known, close, column, database_of, rows, seal
from tests.support.chance import is_order_of_arrival
from tests.support.patience import PATIENCE_SECONDS
from tests.support.postgresql import PostgresCluster

BALLOTS = 300
EMPTY_INDEX = 8192
"""Bytes: one page that says so."""
GONE = {"participation": "digest", "dirty_mark": "id", "ballot": "id", "ballot_text": "id"}
"""Tables with what leads from a voter to them, and is nowhere any more after sealing."""
NUMBERED = (*ITEMS, Item(key="arrival", kind="number", text="第几位"))


@pytest.fixture
def numbered(tmp_path: Path, postgresql_url: str) -> World:
    """A campaign on PostgreSQL whose ballots name the order in which they came."""
    world = start_campaign(make_app(tmp_path, Database(postgresql_url)), items=NUMBERED, villages=1)
    for number, issued in enumerate(world.issue(count=BALLOTS)):
        answers = {"overall": "satisfied", "arrival": str(number), "remark": str(number)}
        world.cast(world.open(issued.code), answers)
    close(world)
    return world


def arrivals(world: World) -> dict[str, list[int]]:
    """Return when the rows of ballots and texts came, in the order in which the file holds them."""
    ballots = rows(world, "SELECT answers FROM ballot WHERE campaign_id = :campaign ORDER BY ctid")
    texts = rows(world, "SELECT text FROM ballot_text WHERE campaign_id = :campaign ORDER BY ctid")
    return {
        "ballot": [int(json.loads(answers)["arrival"]) for (answers,) in ballots],
        "text": [int(words) for (words,) in texts],
    }


def test_postgresql_holds_the_rows_in_no_order_that_says_anything(numbered: World) -> None:
    before = arrivals(numbered)
    assert all(map(is_order_of_arrival, before.values())), "the test would not see an order"
    seal(numbered)
    after = arrivals(numbered)
    assert {name: is_order_of_arrival(order) for name, order in after.items()} == {
        "ballot": False,
        "text": False,
    }
    assert [sorted(order) for order in after.values()] == [list(range(BALLOTS))] * 2
    database_of(numbered).engine.dispose()


def test_postgresql_holds_texts_and_ballots_in_different_orders(numbered: World) -> None:
    seal(numbered)
    after = arrivals(numbered)
    places = {number: place for place, number in enumerate(after["text"])}
    assert not is_order_of_arrival([places[number] for number in after["ballot"]])
    receipts = rows(numbered, "SELECT receipt FROM receipt WHERE campaign_id = :campaign ORDER BY ctid")
    assert receipts == sorted(receipts)
    for table in ("ballot", "ballot_text", "receipt"):
        transactions = rows(numbered, f"SELECT DISTINCT xmin::text FROM {table}")
        assert len(transactions) == 1, "all rows come from one transaction"
    database_of(numbered).engine.dispose()


def test_postgresql_keeps_no_file_of_participations(numbered: World) -> None:
    seal(numbered)
    assert_files_are_new(numbered)
    database_of(numbered).engine.dispose()


@pytest.fixture
def impatient(postgresql_committed_world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A closed campaign with a few ballots whose sealing waits for nobody."""
    cast_known(postgresql_committed_world, 5)
    close(postgresql_committed_world)
    monkeypatch.setattr(cleaning, "SNAPSHOT_SECONDS", 0)
    return postgresql_committed_world


def assert_files_are_new(world: World) -> None:
    sizes = "SELECT pg_relation_size('participation'), pg_relation_size('pk_participation')"
    assert rows(world, sizes) == [(0, EMPTY_INDEX)]


def test_postgresql_is_cleaned_when_nobody_sees_what_was_there(impatient: World) -> None:
    """What a snapshot could still show is copied into the new files, even for whoever reads other tables."""
    with database_of(impatient).reading() as looking:
        see_one_snapshot(looking)
        looking.execute(text("SELECT FROM staff_account"))
        with pytest.raises(Unavailable):
            seal(impatient)
    seal(impatient)
    assert_files_are_new(impatient)


def test_a_long_vacuum_of_another_table_is_not_waited_for(impatient: World) -> None:
    database = database_of(impatient)
    with database.engine.connect() as connection:
        filler = "SELECT repeat('x', 1500) FROM generate_series(1, 5000)"
        connection.exec_driver_sql(f"CREATE TABLE large AS {filler}")
    vacuuming = Thread(target=vacuum_for_ever, args=(database,))
    vacuuming.start()
    try:
        wait_for_rows(impatient, "SELECT pid FROM pg_stat_progress_vacuum")
        seal(impatient)
    finally:
        rows(impatient, "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_vacuum")
        vacuuming.join()
    assert_files_are_new(impatient)


def vacuum_for_ever(database: Database) -> None:
    with database.engine.connect() as connection:
        connection.exec_driver_sql("SET vacuum_cost_delay = '100ms'")
        connection.exec_driver_sql("SET vacuum_cost_limit = 1")
        with pytest.raises(OperationalError, match="canceling"):
            connection.exec_driver_sql("VACUUM large")


def wait_for_rows(world: World, statement: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not rows(world, statement):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize("is_other_open", [False, True])
def test_postgresql_keeps_no_byte_of_what_was_there_in_what_it_knows_for_its_plans(
    tmp_path: Path, postgres: PostgresCluster, postgresql_url: str, is_other_open: bool
) -> None:
    """Autovacuum samples values of columns while people vote; those of an emptied table would stay."""
    app = make_app(tmp_path, Database(postgresql_url))
    world = start_campaign(app, villages=1)
    if is_other_open:
        start_campaign(app, villages=1)
    for issued in world.issue(count=20):
        world.cast(world.open(issued.code), {"overall": "satisfied", "remark": "路灯坏了"})
    close(world)
    gone = column(world, "digest", "participation")
    if not is_other_open:
        gone += [value for table, name in GONE.items() for value in column(world, name, table)]
        gone += column(world, "ballot_id", "dirty_mark")

    def found() -> int:
        files = database_files(postgresql_url, postgres)
        return sum(value in files for value in gone)

    command(postgresql_url, "ANALYZE")
    assert found_in_samples(world, "路灯坏了") == 0
    seal(world)
    assert found() == 0
    database_of(world).engine.dispose()


def found_in_samples(world: World, words: str) -> int:
    """Return in how many columns' samples some words stand."""
    with database_of(world).reading() as session:
        samples = "coalesce(most_common_vals::text, '') || coalesce(histogram_bounds::text, '')"
        statement = text(f"SELECT count(*) FROM pg_stats WHERE ({samples}) LIKE :words")
        return session.scalar(statement, {"words": f"%{words}%"}) or 0


@pytest.fixture
def small_office(tmp_path: Path, sqlite_database: Database) -> Flask:
    return make_app(tmp_path, sqlite_database)


def test_sqlite_keeps_no_byte_of_what_was_there(small_office: Flask, tmp_path: Path) -> None:
    world = start_campaign(small_office)
    closed = close_a_world(world)
    gone = [value for table, name in GONE.items() for value in column(world, name, table)]
    (key,) = rows(world, "SELECT wrapped_key FROM campaign WHERE id = :campaign")
    gone += [key[0], *(known.keys(world).ballot_id for known in closed.known)]
    kept = column(world, "receipt", "receipt")

    def found(values: list[bytes]) -> int:
        files = b"".join(path.read_bytes() for path in tmp_path.glob("survey.sqlite3*"))
        return sum(value in files for value in values)

    assert found(gone) == len(gone)
    seal(world)
    assert found(gone) == 0
    assert found([receipt.encode() for receipt in kept]) == len(kept)


def test_sqlite_holds_cells_in_the_order_of_their_keys(small_office: Flask, tmp_path: Path) -> None:
    """Inside a page, cells stand where there was room when they came, until the file is written anew."""
    world = start_campaign(small_office, villages=1)
    for issued in world.issue(count=30):
        world.cast(world.open(issued.code))
    close(world)
    assert not is_written_in_key_order(world, tmp_path)
    seal(world)
    assert is_written_in_key_order(world, tmp_path)


def is_written_in_key_order(world: World, folder: Path) -> bool:
    """Tell whether the ballots' ids stand in the file in the order of their keys, up or down."""
    with database_of(world).engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    content = (folder / "survey.sqlite3").read_bytes()
    places = [content.index(one) for one in column(world, "id", "ballot")]
    return places in (sorted(places), sorted(places, reverse=True))
