"""Releases are stored with the ballots behind them; closing and the end of late ballots make them exact."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from survey_service.campaigns.models import Campaign
from survey_service.campaigns.rules import LiveScores, Mode
from survey_service.campaigns.service import close_campaign
from survey_service.core.db import Database
from survey_service.core.events import take_events
from survey_service.mass_evaluation.models import MassScore
from survey_service.mass_evaluation.queries import campaigns_to_release
from survey_service.mass_evaluation.service import find_score_difference, score_campaign
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import NOW, World

LATER = NOW + timedelta(minutes=1)
OVER = NOW + timedelta(days=2)
"""After the grace time of a campaign that was closed just after NOW."""


def database_of(world: World) -> Database:
    database: Database = world.app.extensions["database"]
    return database


def settle(world: World, now: datetime, *, is_everything: bool = False) -> tuple[str, int]:
    """Count and score; returns status and number of ballots behind the figures."""
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        rebuild_dirty(session, campaign_id=world.campaign_id, now=now)
        score_campaign(session, campaign_id=world.campaign_id, now=now, is_everything=is_everything)
        score = session.scalars(select(MassScore)).one()
        return score.status, score.as_of_returned


def close(world: World, now: datetime = LATER) -> None:
    """Close so that nobody hears of it: what follows is done by the test, or by a sweep."""
    with database_of(world).unit_of_work() as session:
        close_campaign(session, campaign_id=world.campaign_id, now=now)
        take_events(session)


def late_tickets(world: World, number: int) -> list[Any]:
    return [world.open(code.code) for code in world.issue(count=number)]


def test_after_closing_one_step_is_exact_and_late_ballots_wait_for_the_last(world: World) -> None:
    tickets = late_tickets(world, 4)
    world.vote(["satisfied"] * 7)
    assert settle(world, NOW) == ("ok", 7)
    world.vote(["satisfied"] * 2)
    assert settle(world, NOW) == ("ok", 7)
    close(world)
    assert settle(world, LATER + timedelta(seconds=1), is_everything=True) == ("ok", 9)
    for ticket in tickets:
        world.cast(ticket, now=LATER)
    assert settle(world, LATER + timedelta(minutes=1), is_everything=True) == ("ok", 9)
    assert settle(world, OVER, is_everything=True) == ("ok", 13)


def score_at_once(world: World, now: datetime) -> tuple[str, int]:
    """Score everything without counting first, as a closing does that overtakes a recount."""
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        score_campaign(session, campaign_id=world.campaign_id, now=now, is_everything=True)
        score = session.scalars(select(MassScore)).one()
        return score.status, score.as_of_returned


def test_the_exact_step_waits_for_ballots_that_are_in_but_not_counted_yet(world: World) -> None:
    world.vote(["satisfied"] * 6)
    assert settle(world, NOW) == ("ok", 6)
    world.vote(["satisfied"] * 2)
    close(world)
    assert score_at_once(world, LATER + timedelta(seconds=1)) == ("ok", 6)
    assert settle(world, LATER + timedelta(seconds=2)) == ("ok", 8)


def test_the_sweep_comes_back_for_what_had_to_wait(world: World) -> None:
    world.vote(["satisfied"] * 6)
    settle(world, NOW)
    world.vote(["satisfied"] * 2)
    close(world)
    score_at_once(world, LATER + timedelta(seconds=1))
    with database_of(world).reading() as session:
        assert campaigns_to_release(session, now=LATER + timedelta(seconds=2))


def test_a_step_that_was_made_while_the_closing_waited_takes_nothing_from_the_exact_one(world: World) -> None:
    world.vote(["satisfied"] * 6)
    assert settle(world, LATER + timedelta(seconds=1)) == ("ok", 6)
    world.vote(["satisfied"] * 2)
    close(world, LATER)
    assert settle(world, LATER + timedelta(seconds=2), is_everything=True) == ("ok", 8)


def test_a_job_whose_clock_is_behind_makes_the_exact_step_once(world: World) -> None:
    (late,) = late_tickets(world, 1)
    world.vote(["satisfied"] * 6)
    close(world)
    assert settle(world, NOW) == ("ok", 6)
    world.cast(late, now=LATER)
    assert settle(world, LATER + timedelta(seconds=1), is_everything=True) == ("ok", 6)


def test_a_campaign_that_waits_shows_nothing_until_no_ballot_can_come(world: World) -> None:
    with database_of(world).unit_of_work() as session:
        session.execute(change_campaign(world).values(live_scores=LiveScores.AFTER_CLOSING))
    world.vote(["satisfied"] * 7)
    assert settle(world, NOW) == ("suppressed", 7)
    close(world)
    assert settle(world, LATER + timedelta(seconds=1), is_everything=True) == ("suppressed", 7)
    assert settle(world, OVER, is_everything=True) == ("ok", 7)


def change_campaign(world: World) -> Any:
    return update(Campaign).where(Campaign.id == world.campaign_id)


@pytest.mark.parametrize("live_scores", list(LiveScores))
def test_the_sweep_finds_each_step_once(world: World, live_scores: LiveScores) -> None:
    with database_of(world).unit_of_work() as session:
        session.execute(change_campaign(world).values(live_scores=live_scores))
    world.vote(["satisfied"] * 7)
    settle(world, NOW)
    close(world)
    found = []
    for now in (
        NOW,
        LATER + timedelta(minutes=1),
        LATER + timedelta(minutes=2),
        OVER,
        OVER + timedelta(days=9),
    ):
        with database_of(world).reading() as session:
            waiting = campaigns_to_release(session, now=now)
        found.append(bool(waiting))
        if waiting:
            settle(world, now, is_everything=True)
    is_stepwise = live_scores is LiveScores.STEPWISE
    assert found == [False, is_stepwise, False, True, False]


def test_a_release_that_lags_is_checked_too(world: World) -> None:
    world.vote(["satisfied"] * 7)
    settle(world, NOW)
    world.vote(["dissatisfied"] * 2)
    assert settle(world, NOW) == ("ok", 7)
    with database_of(world).unit_of_work() as session:
        assert find_score_difference(session, campaign_id=world.campaign_id) is None
        score = session.scalars(select(MassScore)).one()
        score.figures = score.figures.replace("100.00", "99.00")
        found = find_score_difference(session, campaign_id=world.campaign_id)
        assert found
        assert found.what.startswith("score of subject")


def test_settled_slices_are_held_against_the_tally(world: World) -> None:
    world.vote(["satisfied"] * 7)
    settle(world, NOW)
    close(world)
    settle(world, OVER, is_everything=True)
    with database_of(world).unit_of_work() as session:
        assert find_score_difference(session, campaign_id=world.campaign_id) is None
        score = session.scalars(select(MassScore)).one()
        score.released_slices = score.released_slices.replace('"returned":7', '"returned":8')
        found = find_score_difference(session, campaign_id=world.campaign_id)
        assert found
        assert found.what.startswith("slices of subject")


def test_modes_step_each_for_itself(world: World) -> None:
    world.vote(["satisfied"] * 7)
    world.vote(["dissatisfied"] * 4, mode=Mode.PANEL)
    assert settle(world, NOW) == ("ok", 7)
    world.vote(["dissatisfied"], mode=Mode.PANEL)
    assert settle(world, NOW) == ("ok", 12)
