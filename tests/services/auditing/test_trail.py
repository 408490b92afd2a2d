"""Acts become entries with the commit that they belong to, one after another, and stay."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from survey_service.auditing.queries import get_head, list_entries, list_latest
from survey_service.auditing.rules import GENESIS, Head
from survey_service.auditing.service import append_acts, check_chain
from survey_service.core.audit import OPERATOR, STRANGER, Act, record
from survey_service.core.db import Database, see_one_snapshot
from survey_service.organizations.queries import get_organization
from survey_service.organizations.rules import RosterSize
from survey_service.organizations.service import update_roster
from survey_service.staff.rules import account_target
from tests.factories.auditing.chain import NOW, append, read_chain, tamper
from tests.factories.campaigns import World
from tests.factories.staff.offices import open_offices

THREADS = 8


def test_a_new_database_has_an_empty_chain(database: Database) -> None:
    with database.reading() as session:
        assert get_head(session) == GENESIS
        assert check_chain(session) == GENESIS


def test_entries_follow_each_other(database: Database) -> None:
    append(database, "first", "second", "third")
    chain = read_chain(database)
    assert [entry.seq for entry in chain] == [1, 2, 3]
    assert [entry.previous for entry in chain] == [GENESIS.digest, chain[0].digest, chain[1].digest]
    with database.reading() as session:
        assert check_chain(session) == get_head(session) == chain[2].head


def test_one_commit_may_hold_several_acts(database: Database) -> None:
    with database.unit_of_work() as session:
        append_acts(session, acts=[Act("a", "b", "c"), Act("a", "b", "d")], now=NOW)
    assert [entry.target for entry in read_chain(database)] == ["c", "d"]


def test_facts_come_back_as_they_are_hashed(database: Database) -> None:
    facts = {
        "at": datetime(2026, 11, 21, 9, tzinfo=timezone(timedelta(hours=8))),
        "weight": Decimal("0.60"),
        "名": "汤溪镇 “’\u2028",
        "none": None,
        "list": [1, True],
    }
    with database.unit_of_work() as session:
        append_acts(session, acts=[Act("a", "b", "c", {}, facts)], now=NOW)
    (entry,) = read_chain(database)
    assert entry.before == {}
    assert entry.after == facts | {"at": "2026-11-21T01:00:00+00:00", "weight": "0.6"}
    assert entry.digest == entry.expected_digest()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'other' WHERE seq = 1",
        "UPDATE audit_entry SET digest = digest",
        "DELETE FROM audit_entry WHERE seq = 2",
        "DELETE FROM audit_entry",
    ],
)
def test_the_database_refuses_changes(database: Database, statement: str) -> None:
    append(database, "first", "second")
    before = read_chain(database)
    with pytest.raises(DatabaseError, match="only grows"), database.unit_of_work() as session:
        session.execute(text(statement))
    assert read_chain(database) == before


@pytest.mark.parametrize("number", [1, 2])
def test_sqlite_refuses_to_replace(sqlite_database: Database, number: int) -> None:
    append(sqlite_database, "first", "second")
    forging = f"INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE seq = {number}"
    with pytest.raises(DatabaseError, match="only grows"), sqlite_database.unit_of_work() as session:
        session.execute(text(forging))


def test_postgresql_refuses_to_truncate(postgresql_database: Database) -> None:
    append(postgresql_database, "first")
    with pytest.raises(DatabaseError, match="only grows"), postgresql_database.unit_of_work() as session:
        session.execute(text("TRUNCATE audit_entry"))


def test_only_the_guards_stand_in_the_way(database: Database) -> None:
    append(database, "first")
    tamper(database, "UPDATE audit_entry SET actor = 'other'")
    assert read_chain(database)[0].actor == "other"


def test_an_act_that_is_undone_leaves_nothing(world: World) -> None:
    database = world.app.extensions["database"]
    before = read_chain(database)
    with suppress(ZeroDivisionError), database.unit_of_work() as session:
        update_roster(session, code=world.village_codes[0], sizes={RosterSize.MEMBERS: 7})
        raise ZeroDivisionError
    assert read_chain(database) == before


def test_an_entry_that_cannot_be_written_undoes_the_act(world: World) -> None:
    database, code = world.app.extensions["database"], world.village_codes[0]
    with suppress(TypeError), database.unit_of_work() as session:
        update_roster(session, code=code, sizes={RosterSize.MEMBERS: 7})
        record(session, "a.b", "c", after={"of no plain kind": object()})
    with database.reading() as session:
        assert get_organization(session, code=code).members == 20


def test_the_operator_acts_where_there_is_no_request(world: World) -> None:
    with world.app.extensions["database"].unit_of_work() as session:
        update_roster(session, code=world.village_codes[0], sizes={RosterSize.MEMBERS: 7})
    entry = read_chain(world.app.extensions["database"])[-1]
    assert (entry.actor, entry.action) == (OPERATOR, "organizations.update")
    assert (entry.before, entry.after) == ({"members": 20}, {"members": 7})


def test_acts_at_once_make_one_chain(committed_world: World) -> None:
    database = committed_world.app.extensions["database"]
    before = len(read_chain(database))

    def act(number: int) -> None:
        code = committed_world.village_codes[number % 2]
        with database.unit_of_work() as session:
            update_roster(session, code=code, sizes={RosterSize.VILLAGERS: number})

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(act, range(40)))
    with database.reading() as session:
        see_one_snapshot(session)
        head = check_chain(session)
    assert isinstance(head, Head)
    assert head.seq == before + 40


def test_pages_go_both_ways(database: Database) -> None:
    append(database, *"abcde")
    with database.reading() as session:
        oldest = list_entries(session, within_path="/1/", after=1, limit=2)
        newest = list_latest(session, within_path="/1/", before=5, limit=2)
    assert [entry.target for entry in oldest] == ["b", "c"]
    assert [entry.target for entry in newest] == ["d", "c"]


def test_people_of_other_sub_trees_are_left_out(database: Database) -> None:
    acts = [
        Act("county.admin", "campaigns.close", "campaign:1"),
        Act("town.staff", "campaigns.close", "campaign:2"),
        Act("other.staff", "campaigns.close", "campaign:3"),
        Act(STRANGER, "password.check", account_target("town.staff")),
        Act(STRANGER, "password.check", account_target("other.staff")),
        Act(OPERATOR, "organizations.import", "organizations"),
    ]
    with database.unit_of_work() as session:
        offices = open_offices(session)
        append_acts(session, acts=acts, now=NOW)
    paths = {code: place.path for code, place in offices.places.items()}
    with database.reading() as session:
        seen = {
            code: [entry.seq for entry in list_entries(session, within_path=paths[code])]
            for code in ("county", "tangxi", "other")
        }
    assert seen == {"county": [1, 2, 3, 4, 5, 6], "tangxi": [2, 4, 6], "other": [3, 5, 6]}
