"""Changing the master key: every stored key is wrapped anew, once, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from survey_service import cli, rotation
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import Mode, key_label
from survey_service.core.db import Database
from survey_service.core.errors import Conflict
from survey_service.core.privacy import Keyring
from survey_service.entrances.batches import batch_label
from survey_service.entrances.models import CodeBatch
from survey_service.rotation import rotate_keys
from survey_service.staff.models import SecondFactor
from survey_service.staff.second_factor import secret_label
from tests.factories.applications import make_app
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import start_campaign

EARLIER = Keyring(secret_key="secret", master_key="master")
PRESENT = Keyring(secret_key="secret", master_key="another")


@pytest.fixture
def app(campaign_app: Flask, frozen_clock: None) -> Iterator[Flask]:
    """Two campaigns, batches of codes and a second factor, whose keys the earlier master key wraps."""
    worlds = [start_campaign(campaign_app), start_campaign(campaign_app)]
    for world in worlds:
        world.issue(Mode.HOUSEHOLD, count=2)
    with campaign_app.extensions["database"].unit_of_work() as session:
        add_second_factor(session, worlds[0].staff.id)
    with campaign_app.app_context():
        yield campaign_app


def add_second_factor(session: Session, staff_id: int) -> None:
    wrapped = EARLIER.wrap(b"phone", label=secret_label(staff_id))
    session.add(SecondFactor(staff_id=staff_id, wrapped_secret=wrapped, last_step=0))


def wrapped_keys(database: Database) -> dict[str, bytes]:
    """Return every wrapped key by its label."""
    with database.reading() as session:
        campaigns = {key_label(one.id): one.wrapped_key for one in session.scalars(select(Campaign))}
        batches = {batch_label(one.id): one.wrapped_key for one in session.scalars(select(CodeBatch))}
        factors = {
            secret_label(one.staff_id): one.wrapped_secret for one in session.scalars(select(SecondFactor))
        }
    found = campaigns | batches | factors
    return {label: key for label, key in found.items() if key is not None}


def opened(database: Database, keyring: Keyring) -> dict[str, bytes]:
    return {label: keyring.unwrap(key, label=label) for label, key in wrapped_keys(database).items()}


def test_every_key_stays_the_same_under_the_new_master_key(app: Flask) -> None:
    database = app.extensions["database"]
    before = opened(database, EARLIER)
    done = rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=True)
    assert opened(database, PRESENT) == before
    assert sum(one.changed for one in done) == len(before) >= 5
    assert not any(EARLIER.can_unwrap(key, label=label) for label, key in wrapped_keys(database).items())


def test_an_interrupted_rotation_goes_on_where_it_stopped(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = app.extensions["database"]
    before = opened(database, EARLIER)
    monkeypatch.setattr(rotation, "_AT_ONCE", 1)
    wrapped = 0
    wrap = Keyring.wrap

    def fail_at_the_third(keyring: Keyring, key: bytes, *, label: str) -> bytes:
        nonlocal wrapped
        wrapped += 1
        if wrapped == 3:
            raise KeyboardInterrupt
        return wrap(keyring, key, label=label)

    monkeypatch.setattr(Keyring, "wrap", fail_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=True)
    states = [PRESENT.can_unwrap(key, label=label) for label, key in wrapped_keys(database).items()]
    assert states.count(True) == 2
    done = rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=True)
    assert sum(one.kept for one in done) == 2
    assert opened(database, PRESENT) == before


def test_said_twice_it_changes_nothing(app: Flask) -> None:
    database = app.extensions["database"]
    rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=True)
    before = wrapped_keys(database)
    assert {one.changed for one in rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=True)} == {0}
    assert wrapped_keys(database) == before


def test_a_key_that_nothing_opens_stops_it(app: Flask) -> None:
    nonsense = Keyring(secret_key="secret", master_key="nonsense")
    with pytest.raises(ValueError, match="does not open"):
        rotate_keys(earlier=nonsense, present=PRESENT, is_forced=True)


def test_it_waits_for_campaigns_to_be_sealed(app: Flask) -> None:
    with pytest.raises(Conflict, match="campaigns_running"):
        rotate_keys(earlier=EARLIER, present=PRESENT, is_forced=False)


def command(*words: str) -> Result:
    return CliRunner().invoke(cli.main, ["keys", "rotate", *words])


def test_the_command_is_recorded_and_needs_the_earlier_key(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = app.extensions["database"]
    changes = {"master_key": "another", "master_key_previous": "master"}
    monkeypatch.setattr(cli, "_app", lambda: make_app(tmp_path, database))
    assert "MASTER_KEY_PREVIOUS" in command("--force").stderr
    monkeypatch.setattr(cli, "_app", lambda: make_app(tmp_path, database, **changes))
    assert (command().exit_code, "还没有封存" in command().stderr) == (1, True)
    assert "second_factor: 1 wrapped anew, 0 were already" in command("--force").stdout
    assert {entry.action for entry in read_chain(database)[-3:]} == {"keys.rotate"}
