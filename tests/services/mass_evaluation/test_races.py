"""Two workers score a campaign at once, on PostgreSQL: neither sees what the other has not committed."""

from threading import Thread

from sqlalchemy import select

from survey_service.mass_evaluation.models import MassScore
from survey_service.mass_evaluation.queries import hold_heads
from survey_service.mass_evaluation.service import find_score_difference, score_campaign
from survey_service.tallies.service import rebuild_dirty
from tests.factories.campaigns import NOW, World
from tests.services.mass_evaluation.test_releases import database_of
from tests.support.databases import wait_until_somebody_waits


def vote_and_count(world: World, option: str, village: int) -> None:
    with world.app.app_context():
        world.vote([option] * 6, village=village)
        with database_of(world).unit_of_work() as session:
            rebuild_dirty(session, campaign_id=world.campaign_id, now=NOW)


def score(world: World) -> None:
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        score_campaign(session, campaign_id=world.campaign_id, now=NOW)


def test_what_two_workers_score_at_once_stands_in_one_total(postgresql_committed_world: World) -> None:
    world = postgresql_committed_world
    for village in (0, 1):
        vote_and_count(world, "satisfied", village)
    score(world)
    vote_and_count(world, "dissatisfied", 0)
    other = Thread(target=score, args=(world,))
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        score_campaign(session, campaign_id=world.campaign_id, now=NOW)
        session.flush()
        vote_and_count(world, "dissatisfied", 1)
        other.start()
        wait_until_somebody_waits(database_of(world))
    other.join()
    with world.app.app_context(), database_of(world).reading() as session:
        assert find_score_difference(session, campaign_id=world.campaign_id) is None


def test_a_first_score_and_a_rebuild_do_not_wait_for_each_other_in_a_ring(
    postgresql_committed_world: World,
) -> None:
    world = postgresql_committed_world
    vote_and_count(world, "satisfied", 1)
    rebuilding = Thread(target=vote_and_count, args=(world, "satisfied", 1))
    with world.app.app_context(), database_of(world).unit_of_work() as session:
        hold_heads(session, world.campaign_id, is_everything=True)
        rebuilding.start()
        wait_until_somebody_waits(database_of(world))
        score_campaign(session, campaign_id=world.campaign_id, now=NOW)
    rebuilding.join()
    score(world)
    with database_of(world).reading() as session:
        assert session.scalars(select(MassScore.as_of_returned)).all() == [12]
