"""Two workers keep the index of pairs at once, on PostgreSQL."""

from threading import Thread

from sqlalchemy import func, select

from survey_service.core.db import reading, unit_of_work
from survey_service.insights.indexing import index_opinions
from survey_service.insights.jobs import index_new
from survey_service.insights.models import OpinionIndex
from survey_service.opinions.policy import current_policy
from survey_service.opinions.receiving import Draft, store_anonymous
from tests.factories.campaigns import NOW, World
from tests.services.opinions.test_races import origin
from tests.support.databases import wait_until_somebody_waits


def test_what_one_worker_indexes_another_leaves_alone(postgresql_committed_world: World) -> None:
    world = postgresql_committed_world
    faults: list[Exception] = []

    def index() -> None:
        try:
            with world.app.app_context():
                index_new()
        except Exception as error:
            faults.append(error)

    other = Thread(target=index)
    with world.app.app_context():
        with unit_of_work() as session:
            store_anonymous(
                session,
                keyring=world.keyring,
                policy=current_policy(),
                draft=Draft(text="路灯坏了"),
                origin=origin(session, world),
                today=NOW.date(),
            )
        with unit_of_work() as session:
            assert index_opinions(session) == 1
            other.start()
            wait_until_somebody_waits(world.app.extensions["database"])
        other.join()
        with reading() as session:
            assert session.scalar(select(func.count()).select_from(OpinionIndex)) == 1
    assert faults == []
