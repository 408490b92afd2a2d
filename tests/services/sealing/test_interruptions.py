"""Killed at any moment and begun again, sealing ends the same."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count as count_up
from pathlib import Path
from typing import Any

import pytest
import time_machine
from sqlalchemy import event

from survey_service.checking import check_everything
from survey_service.core import clock
from survey_service.core.db import Database
from survey_service.core.errors import Unavailable
from survey_service.core.privacy import current_keyring
from survey_service.sealing import running, service
from survey_service.sealing.jobs import PATIENCE, sweep_sealings
from survey_service.sealing.queries import get_digest
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.services.sealing.conftest import ClosedWorld, close_a_world
from tests.services.sealing.killed import MOMENTS
from tests.services.sealing.steps import CLOSED_AT, contents, count, database_of, rows, seal

REPOSITORY = Path(__file__).parents[3]
EVERY = 4
"""So many statements lie between two that fail; all of them would take a minute."""


class Undone(Exception):
    """Ends a unit of work without its commit."""


def expected_digest(world: World) -> str:
    """Return the digest that an uninterrupted sealing gives, and undo it."""
    found = ""
    try:
        with world.app.app_context(), database_of(world).unit_of_work() as session:
            place: dict[str, Any] = {"campaign_id": world.campaign_id, "now": CLOSED_AT}
            service.begin_sealing(session, staff=None, **place)
            session.flush()
            service.record_snapshot(session, keyring=current_keyring(), **place)
            session.flush()
            found = get_digest(session, world.campaign_id)
            raise Undone
    except Undone:
        return found


def digest(world: World) -> str:
    (found,) = rows(world, "SELECT digest FROM score_snapshot WHERE campaign_id = :campaign")
    return str(found[0])


def assert_sealed(world: World, *, kept: object, expected: str) -> None:
    assert rows(world, "SELECT step FROM sealing WHERE campaign_id = :campaign") == [("sealed",)]
    assert digest(world) == expected
    assert contents(world) == kept
    assert count(world, "participation") == 0
    hidden = "SELECT wrapped_key IS NULL AND sealed_at IS NOT NULL FROM campaign WHERE id = :campaign"
    assert rows(world, hidden) == [(True,)]
    with world.app.app_context():
        assert check_everything(is_thorough=True) == []


def seal_and_be_killed(world: World, folder: Path, moment: str) -> None:
    arguments = [str(folder), database_of(world).url, str(world.campaign_id), moment]
    command = [sys.executable, "-m", "tests.services.sealing.killed", *arguments]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_killed_at_each_moment_in_turn_it_ends_the_same(closed: ClosedWorld, tmp_path: Path) -> None:
    world = closed.world
    kept, expected = contents(world), expected_digest(world)
    for moment in MOMENTS:
        seal_and_be_killed(world, tmp_path, moment)
    seal(world)
    assert_sealed(world, kept=kept, expected=expected)


@contextmanager
def failing_at(database: Database, number: int) -> Iterator[None]:
    """Let one statement of the block fail, counted from 1."""
    numbers = count_up(1)

    def fail(*_: Any) -> None:
        if next(numbers) == number:
            raise Undone

    event.listen(database.engine, "before_cursor_execute", fail)
    yield
    event.remove(database.engine, "before_cursor_execute", fail)


def test_after_a_failure_of_any_statement_it_ends_the_same(tmp_path: Path, sqlite_database: Database) -> None:
    world = start_campaign(make_app(tmp_path, sqlite_database))
    close_a_world(world)
    kept, expected = contents(world), expected_digest(world)
    sqlite_database.engine.dispose()
    for number in count_up(1, EVERY):
        database = Database(
            f"sqlite:///{shutil.copy(tmp_path / 'survey.sqlite3', tmp_path / 'copy.sqlite3')}"
        )
        copy = replace(world, app=make_app(tmp_path, database))
        with failing_at(database, number), suppress(Undone):
            seal(copy)
            break
        assert "sealed" not in [step for (step,) in rows(copy, "SELECT step FROM sealing")]
        seal(copy)
        assert (digest(copy), contents(copy), count(copy, "participation")) == (expected, kept, 0)
        database.engine.dispose()
    database.engine.dispose()
    assert number > len(MOMENTS)


def refuse(_engine: object, *, now: object) -> None:
    raise Unavailable


def test_what_was_interrupted_is_finished_by_the_sweep(
    closed: ClosedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = closed.world
    with monkeypatch.context() as patch:
        patch.setattr(running, "clean_files", refuse)
        with pytest.raises(Unavailable):
            seal(world)
    with world.app.app_context():
        sweep_sealings()
        assert rows(world, "SELECT step FROM sealing") == [("unlinked",)]
        with time_machine.travel(clock.now() + PATIENCE + timedelta(minutes=1)):
            sweep_sealings()
    assert rows(world, "SELECT step FROM sealing") == [("sealed",)]


def test_the_sweep_leaves_what_is_finished_alone(closed: ClosedWorld) -> None:
    seal(closed.world)
    moved = rows(closed.world, "SELECT moved_at FROM sealing")
    with closed.world.app.app_context(), time_machine.travel(clock.now() + 2 * PATIENCE):
        sweep_sealings()
    assert rows(closed.world, "SELECT moved_at FROM sealing") == moved
