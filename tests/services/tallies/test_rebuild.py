"""The tally is what the ballots say, whatever happened in between."""

import json
import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from survey_service.ballots.models import Ballot, DirtyMark, Participation
from survey_service.campaigns.models import Campaign
from survey_service.checking import check_everything
from survey_service.core.db import Database
from survey_service.mass_evaluation.models import MassScore
from survey_service.tallies import service
from survey_service.tallies.jobs import sweep_dirty
from survey_service.tallies.models import TallyHead, TallyRow, TurnoutDay
from survey_service.tallies.queries import dirty_campaigns
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import NOW, World, start_campaign
from tests.oracle.recount import recount

OPTIONS = ("satisfied", "basically_satisfied", "dissatisfied", "not_informed")


def rows_of(session: Session, world: World) -> dict[str, dict[str, int]]:
    rows = session.scalars(select(TallyRow).where(TallyRow.campaign_id == world.campaign_id))
    return {f"{row.subject_id}/{row.mode}": json.loads(row.counts)["overall"] for row in rows}


def database_of(world: World) -> Database:
    database: Database = world.app.extensions["database"]
    return database


def test_a_rebuild_counts_what_was_cast(world: World) -> None:
    world.vote(["satisfied", "satisfied", "dissatisfied"])
    world.drain()
    with database_of(world).reading() as session:
        assert list(rows_of(session, world).values()) == [{"dissatisfied": 1, "satisfied": 2}]
        assert session.scalar(select(func.count()).select_from(DirtyMark)) == 0


def test_a_rebuild_of_the_same_state_changes_nothing(world: World) -> None:
    world.vote(["satisfied"] * 3)
    world.drain()
    with database_of(world).unit_of_work() as session:
        before = rows_of(session, world)
        assert rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW) == 0
        assert rows_of(session, world) == before


def test_the_tally_equals_the_recount_of_the_oracle(world: World) -> None:
    rng = random.Random(7)
    for village in (0, 1):
        world.vote([rng.choice(OPTIONS) for _ in range(20)], village=village)
    world.drain()
    with database_of(world).reading() as session:
        expected = recount(session.connection(), world.campaign_id)
        assert rows_of(session, world) == expected


def test_a_job_ends_though_people_go_on_voting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rounds = []

    def count_while_somebody_votes(session: Session, **given: Any) -> int:
        rounds.append(rebuild_dirty(session, **given))
        assert len(rounds) < 5, "it never ends"
        session.commit()
        world.vote(["satisfied"])
        return rounds[-1]

    world.vote(["satisfied"])
    with monkeypatch.context() as busy:
        busy.setattr(service, "rebuild_dirty", count_while_somebody_votes)
        sweep_dirty()
    assert rounds == [1]
    world.drain()
    with database_of(world).reading() as session:
        assert list(rows_of(session, world).values()) == [{"satisfied": 2}]


def test_a_campaign_that_cannot_be_counted_keeps_no_other_waiting(world: World) -> None:
    broken, world = world, start_campaign(world.app)
    for one in (broken, world):
        one.vote(["satisfied"] * 3)
    unreadable = update(Campaign).where(Campaign.id == broken.campaign_id).values(formula="{")
    with database_of(world).unit_of_work() as session:
        session.execute(unreadable)
    sweep_dirty()
    with database_of(world).reading() as session:
        assert list(rows_of(session, world).values()) == [{"satisfied": 3}]
        assert dirty_campaigns(session) == [broken.campaign_id]


def test_the_daily_curve_gives_growth_to_the_day_of_its_rebuild(world: World) -> None:
    world.vote(["satisfied"] * 2)
    with database_of(world).unit_of_work() as session:
        rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW)
    world.vote(["satisfied"] * 3)
    with database_of(world).unit_of_work() as session:
        rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW + timedelta(days=1))
        assert list(session.scalars(select(TurnoutDay.returned).order_by(TurnoutDay.day))) == [2, 3]
        assert session.scalars(select(TallyHead.returned)).one() == 5


def test_a_ballot_held_uncommitted_across_a_rebuild_is_counted_afterwards(
    postgresql_committed_world: World,
) -> None:
    world = postgresql_committed_world
    held, committed = world.issue(count=2)
    tickets = world.open(held.code), world.open(committed.code)
    with world.app.app_context(), database_of(world).unit_of_work() as holding:
        world.cast_in(holding, tickets[0])
        world.cast(tickets[1])
        world.drain()
        with database_of(world).reading() as session:
            assert session.scalars(select(TallyHead.returned)).one() == 1
    world.drain()
    with database_of(world).reading() as session:
        assert session.scalars(select(TallyHead.returned)).one() == 2


def test_the_check_finds_nothing_in_an_honest_database(committed_world: World) -> None:
    committed_world.vote(["satisfied"] * 6)
    assert check_everything(is_thorough=True) == []


@pytest.mark.parametrize(
    ("tamper", "named"),
    [
        (update(TallyRow).values(counts='{"overall":{"satisfied":7}}'), "tally"),
        (update(TallyRow).values(standing=7), "tally"),
        (delete(TallyRow), "tally"),
        (update(Ballot).values(answers='{"overall":"dissatisfied"}'), "tally"),
        (update(MassScore).values(figures='{"score":"100.00"}'), "score"),
        (delete(Participation), "participations"),
    ],
    ids=["counts", "standing", "slice", "ballot", "score", "participation"],
)
def test_the_check_names_what_was_altered(committed_world: World, tamper: object, named: str) -> None:
    world = committed_world
    world.vote(["satisfied"] * 6)
    world.drain()
    with database_of(world).unit_of_work() as session:
        session.execute(tamper)  # type: ignore[call-overload]  # One of the statements above.
    (line,) = check_everything(is_thorough=True)
    assert named in line
