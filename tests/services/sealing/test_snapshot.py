"""The snapshot holds its inputs, hashes them, and never changes; small cells stay inside."""

import json
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from survey_service.campaigns.rules import Mode
from survey_service.core.canonical import canonical_digest, canonical_json
from survey_service.core.errors import Conflict
from survey_service.mass_evaluation.jobs import score_everything
from survey_service.mass_evaluation.service import score_campaign
from survey_service.sealing.verification import find_sealed_difference
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import NOW, World
from tests.services.sealing.conftest import ClosedWorld
from tests.services.sealing.steps import cast_known, close, column, count, database_of, document, rows, seal

SEALED_TABLES = ("score_snapshot", "sealed_score", "published_receipts")


@pytest.fixture
def sealed(closed: ClosedWorld) -> World:
    seal(closed.world)
    return closed.world


def content(world: World) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(document(world))
    return read


def test_the_digest_is_that_of_the_very_bytes(sealed: World) -> None:
    written = document(sealed)
    assert column(sealed, "digest", "score_snapshot") == [sha256(written.encode()).hexdigest()]
    assert canonical_json(json.loads(written)) == written


def test_the_formula_hash_follows_from_what_the_snapshot_holds(sealed: World) -> None:
    head = content(sealed)["head"]
    (stored,) = rows(sealed, "SELECT formula_hash FROM campaign WHERE id = :campaign")
    assert canonical_digest(head["frozen"]) == head["formula_hash"] == stored[0]
    assert canonical_digest(head["questionnaire"]) == head["frozen"]["questionnaire"]


def test_a_subject_stands_there_with_its_inputs(sealed: World) -> None:
    subject = content(sealed)["subjects"][0]
    assert subject["ballots"] == {"count": 8, "excluded": 0, "invalid": 0, "weightless": 2}
    assert subject["issued"] == {"household": 6}
    assert subject["eligible"] == {"villager": 100}
    assert (subject["figures"]["status"], subject["figures"]["returned"]) == ("ok", 8)
    assert sum(one["returned"] for one in subject["trace"]["slices"]) == 8


def test_of_a_small_subject_only_the_turnout_is_handed_out(sealed: World) -> None:
    small = content(sealed)["subjects"][1]
    assert small["figures"]["returned"] == 3
    assert [small["figures"]["score"], small["items"], small["trace"]] == [None, None, None]
    assert "counts" not in json.dumps(small)


def test_the_tallies_stay_inside_under_their_digest(sealed: World) -> None:
    digests = {one["tally_digest"] for one in content(sealed)["subjects"]}
    tallies = column(sealed, "tallies", "sealed_score")
    assert digests == {sha256(one.encode()).hexdigest() for one in tallies}
    salts = {json.loads(one)["salt"] for one in tallies}
    assert len(salts) == len(tallies), "few ballots could be guessed from a digest without salt"


def test_receipts_of_a_small_subject_stand_under_its_town(sealed: World) -> None:
    listed = rows(sealed, "SELECT organization_code, count FROM published_receipts")
    assert sorted(listed) == sorted([(sealed.village_codes[0], 8), (sealed.town_code, 3)])


@pytest.mark.parametrize("table", SEALED_TABLES)
@pytest.mark.parametrize("change", ["UPDATE {0} SET campaign_id = campaign_id", "DELETE FROM {0}"])
def test_the_database_refuses_every_change(sealed: World, table: str, change: str) -> None:
    with database_of(sealed).unit_of_work() as session, pytest.raises(DBAPIError, match="never changes"):
        session.execute(text(change.format(table)))


@pytest.mark.parametrize("table", SEALED_TABLES)
def test_no_row_can_be_put_in_the_place_of_another(sealed: World, table: str) -> None:
    is_sqlite = database_of(sealed).engine.dialect.name == "sqlite"
    change = (
        f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}" if is_sqlite else f"TRUNCATE {table} CASCADE"
    )
    with database_of(sealed).unit_of_work() as session, pytest.raises(DBAPIError, match="never changes"):
        session.execute(text(change))


def test_a_sealed_campaign_is_not_scored_again(sealed: World) -> None:
    with database_of(sealed).unit_of_work() as session, pytest.raises(Conflict, match="wrong_state"):
        score_campaign(session, campaign_id=sealed.campaign_id, now=NOW, is_everything=True)
    with sealed.app.app_context():
        score_everything(sealed.campaign_id)


def test_a_sealed_campaign_is_not_counted_again(sealed: World) -> None:
    with database_of(sealed).unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO dirty_mark (campaign_id, id, subject_id, ballot_id) "
                "SELECT campaign_id, id, subject_id, id FROM ballot WHERE campaign_id = :id"
            ),
            {"id": sealed.campaign_id},
        )
    with database_of(sealed).unit_of_work() as session, pytest.raises(Conflict, match="wrong_state"):
        rebuild_dirty(session, campaign_id=sealed.campaign_id, now=NOW)
    sealed.drain()


def difference(world: World) -> str | None:
    with database_of(world).unit_of_work() as session:
        found = find_sealed_difference(session, campaign_id=world.campaign_id)
        return found and found.what


def overpower(world: World, table: str, change: str) -> None:
    """Change a sealed table as an administrator of the database can."""
    with database_of(world).unit_of_work() as session:
        if database_of(world).engine.dialect.name == "sqlite":
            session.execute(text(f"DROP TRIGGER {table}_update"))
        else:
            session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
        session.connection().exec_driver_sql(f"UPDATE {table} SET {change}")


@pytest.mark.parametrize(
    ("table", "change", "named"),
    [
        ("score_snapshot", "head = replace(head, '2026', '2027')", "digest of snapshot 1"),
        ("score_snapshot", f"digest = '{'0' * 64}'", "digest of snapshot 1"),
        (
            "sealed_score",
            "figures = replace(figures, '\"returned\":8', '\"returned\":9')",
            "digest of snapshot 1",
        ),
        ("sealed_score", "tallies = replace(tallies, 'household', 'panel')", "digest of snapshot 1"),
        ("published_receipts", "receipts = lower(receipts)", "receipts of"),
        ("published_receipts", "count = count + 1", "receipts of"),
        ("tally_slice", "returned = returned + 1", "sealed tally of subject"),
    ],
)
def test_whoever_overpowers_the_database_is_found_out(
    sealed: World, table: str, change: str, named: str
) -> None:
    assert difference(sealed) is None
    if table == "tally_slice":
        with database_of(sealed).unit_of_work() as session:
            session.execute(text(f"UPDATE {table} SET {change}"))
    else:
        overpower(sealed, table, change)
    found = difference(sealed)
    assert found is not None
    assert named in found


def test_what_weighs_nothing_is_counted_apart(committed_world: World) -> None:
    world = committed_world
    cast_known(world, 6, mode=Mode.OPEN)
    close(world)
    seal(world)
    numbers = rows(world, "SELECT count, weightless, excluded, invalid FROM published_receipts")
    assert numbers == [(6, 6, 0, 0)]
    assert count(world, "sealed_score") == 2
