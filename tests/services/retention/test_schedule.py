"""What the schedule deletes and, above all, what it leaves."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import func, select

from survey_service import cli
from survey_service.auditing.models import AuditEntry
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.recordings import store_recording
from survey_service.campaigns.rules import Mode
from survey_service.checking import check_everything
from survey_service.core.audit import OPERATOR
from survey_service.retention.jobs import sweep_retention
from survey_service.retention.rules import Kind, Rule, schedule
from survey_service.retention.service import is_due, preview_schedule, run_schedule
from survey_service.staff.models import StaffToken
from survey_service.staff.rules import TokenKind
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import NOW, World, start_campaign
from tests.services.sealing.steps import CLOSED_AT, cast_known, close, contents, count, database_of, seal
from tests.support.databases import wait_until_somebody_waits

DAYS = 180
LATER = CLOSED_AT + timedelta(days=DAYS + 30)
SCHEDULE = schedule(credential_days=DAYS, text_years=None)
FOREVER = ("ballot", "receipt", "sealed_score", "score_snapshot", "published_receipts")


@pytest.fixture
def old(committed_world: World) -> World:
    """A campaign that was sealed long ago, with codes of both kinds, texts and a recording."""
    world = committed_world
    with database_of(world).unit_of_work() as session:
        store_recording(session, campaign_id=world.campaign_id, content=b"ID3 speech")
    cast_known(world, 6)
    cast_known(world, 2, mode=Mode.OPEN)
    close(world)
    seal(world)
    with database_of(world).unit_of_work() as session:
        session.get_one(Campaign, world.campaign_id).sealed_at = CLOSED_AT
    return world


def run(world: World, rules: Any = SCHEDULE, *, now: Any = LATER) -> dict[str, int]:
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        return {str(one.rule.kind): one.number for one in run_schedule(session, schedule=rules, now=now)}


def preview(world: World, rules: Any = SCHEDULE, *, now: Any = LATER) -> dict[str, int]:
    with database_of(world).reading() as session:
        return {str(one.rule.kind): one.number for one in preview_schedule(session, schedule=rules, now=now)}


def test_what_a_run_deletes_is_what_the_preview_counted(old: World) -> None:
    expected = preview(old)
    assert expected[Kind.CREDENTIALS] == 6
    assert expected[Kind.RECORDINGS] == 1
    assert expected[Kind.CODE_BATCHES] >= 1
    assert run(old) == expected
    assert set(preview(old).values()) == {0}


def test_sealed_ballots_and_posted_codes_stay(old: World) -> None:
    before = contents(old), [count(old, table) for table in FOREVER]
    run(old)
    assert (contents(old), [count(old, table) for table in FOREVER]) == before
    assert count(old, "entrance") == 2
    with old.app.app_context():
        assert check_everything(is_thorough=True) == []


def test_nothing_goes_before_its_time(old: World) -> None:
    assert run(old, now=CLOSED_AT + timedelta(days=DAYS - 1))[Kind.CREDENTIALS] == 0
    assert count(old, "entrance") == 8


def test_a_campaign_that_is_not_sealed_is_left_alone(old: World) -> None:
    other = start_campaign(old.app)
    cast_known(other, 3)
    before = contents(other), count(other, "entrance"), count(other, "participation")
    run(old)
    assert (contents(other), count(other, "entrance"), count(other, "participation")) == before


def test_texts_go_only_where_a_number_of_years_was_set(old: World) -> None:
    years = schedule(credential_days=DAYS, text_years=2)
    much_later = CLOSED_AT + timedelta(days=2 * 365 + 1)
    assert run(old, now=much_later)[Kind.TEXTS] == 0
    assert run(old, years, now=CLOSED_AT + timedelta(days=2 * 365 - 1))[Kind.TEXTS] == 0
    assert run(old, years, now=much_later)[Kind.TEXTS] == 8
    assert count(old, "ballot") == 8


def test_ended_tokens_go_and_living_ones_stay(committed_world: World) -> None:
    world = committed_world
    ends = {
        b"old": NOW - timedelta(days=2),
        b"just": NOW - timedelta(hours=2),
        b"now": NOW + timedelta(days=1),
    }
    with database_of(world).unit_of_work() as session:
        session.add_all(
            StaffToken(
                digest=digest.ljust(32),
                staff_id=world.staff.id,
                kind=next(iter(TokenKind)),
                created_at=NOW,
                last_used_at=NOW,
                expires_at=end,
            )
            for digest, end in ends.items()
        )
    assert run(world, now=NOW)[Kind.STAFF_TOKENS] == 1
    with database_of(world).reading() as session:
        assert session.scalar(select(func.count()).select_from(StaffToken)) == 2


def test_a_run_leaves_its_numbers_in_the_audit_trail(old: World) -> None:
    numbers = run(old)
    entry = read_chain(database_of(old))[-1]
    assert (entry.actor, entry.action, entry.target) == (OPERATOR, "retention.run", "retention")
    assert entry.after == numbers


def test_no_rule_speaks_of_ballots_or_of_the_audit_trail(old: World) -> None:
    """Entries are kept for 180 days at least: by never deleting one."""
    with database_of(old).reading() as session:
        before = session.scalar(select(func.count()).select_from(AuditEntry)) or 0
    run(old, schedule(credential_days=1, text_years=1), now=LATER + timedelta(days=5000))
    with database_of(old).reading() as session:
        assert session.scalar(select(func.count()).select_from(AuditEntry)) == before + 1


@pytest.mark.usefixtures("frozen_clock")
def test_the_sweep_runs_it_once_a_day(committed_world: World) -> None:
    world = committed_world
    with world.app.app_context():
        before = len(read_chain(database_of(world)))
        sweep_retention()
        sweep_retention()
    assert len(read_chain(database_of(world))) == before + 1
    with database_of(world).reading() as session:
        assert not is_due(session, now=NOW)
        assert is_due(session, now=NOW + timedelta(days=1))


@pytest.mark.usefixtures("frozen_clock")
def test_of_two_workers_one_runs_it(postgresql_committed_world: World) -> None:
    world = postgresql_committed_world

    def sweep() -> None:
        with world.app.app_context():
            sweep_retention()

    before, other = len(read_chain(database_of(world))), Thread(target=sweep)
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        run_schedule(session, schedule=SCHEDULE, now=NOW)
        session.flush()
        other.start()
        wait_until_somebody_waits(database_of(world))
    other.join()
    assert len(read_chain(database_of(world))) == before + 1


def test_every_kind_has_one_rule_with_a_reason() -> None:
    rules: list[Rule] = list(SCHEDULE)
    assert sorted(rule.kind for rule in rules) == sorted(Kind)
    assert all(rule.reason and rule.since for rule in rules)


def test_the_command_shows_first_and_deletes_then(old: World, monkeypatch: pytest.MonkeyPatch) -> None:
    app: Flask = old.app
    monkeypatch.setattr(cli, "create_app", lambda: app)
    with time_machine.travel(LATER, tick=False):
        shown = CliRunner().invoke(cli.main, ["retention", "--dry-run"])
        assert count(old, "entrance") == 8
        done = CliRunner().invoke(cli.main, ["retention"])
    assert shown.output == done.output
    assert "credentials              6  180 days after the sealing" in done.output
    assert count(old, "entrance") == 2
