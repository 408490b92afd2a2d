"""A run of printing by Redis and a real worker, which is killed at work; another one goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from rq import Queue
from sqlalchemy import select, text, update

from survey_service.campaigns.rules import Mode
from survey_service.core import clock
from survey_service.core.db import Database, reading, unit_of_work
from survey_service.core.jobs import QUEUE_NAME
from survey_service.entrances.issuing import Households
from survey_service.entrances.models import CodeBatch, Entrance
from survey_service.entrances.queries import digest_code
from survey_service.print_runs.models import PrintPart
from survey_service.print_runs.printing import read_part
from survey_service.print_runs.rules import LEASE, PartState, PrintLayout, PrintSplit
from survey_service.print_runs.service import PrintOrder, start_print_run
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW, World, start_campaign
from tests.journeys.county import eventually
from tests.services.entrances.test_batches import issue
from tests.support.installation import Installation, installation, kill_tree
from tests.support.pdf import codes_on

LATER = datetime(2099, 1, 1, tzinfo=UTC)
"""The workers live in the present, and destroy the keys of campaigns that have ended."""
GROUPS = ("一组", "二组")
ORDER = PrintOrder(Mode.HOUSEHOLD, PrintLayout.LABELS_24, PrintSplit.GROUP)
NUMBERS = [1, 2, 3, 4]
"""One part for each group of each village; a village has one batch of codes."""
OURS = "office"


@pytest.fixture
def large(tmp_path: Path, postgresql_url: str, redis_url: str) -> Iterator[Installation]:
    """A database, a queue and keys that this process shares with the workers."""
    with installation(
        tmp_path, database_url=postgresql_url, redis_url=redis_url, MASTER_KEY="master"
    ) as made:
        yield made


@pytest.fixture
def office(large: Installation) -> Iterator[World]:
    """A town with the household codes of four villagers' groups, whose jobs go to the queue."""
    database = Database(f"{large.environment['DATABASE_URL']}&application_name={OURS}")
    app = make_app(large.folder, database, redis_url=large.environment["REDIS_URL"])
    world = start_campaign(app, closes_at=LATER)
    with app.app_context():
        issue(world, *(Households(code, 2, name) for code in world.village_codes for name in GROUPS))
        world.drain()
        yield world
    database.engine.dispose()


def parts() -> list[PrintPart]:
    with reading() as session:
        return list(session.scalars(select(PrintPart).order_by(PrintPart.number)))


def printed() -> list[int]:
    return [one.number for one in parts() if one.state is PartState.PRINTED]


def in_hand() -> list[int]:
    """Return which parts a worker has in hand."""
    return [one.number for one in parts() if one.claimed_at is not None]


@contextmanager
def hold_batch_of(number: int) -> Iterator[None]:
    """Let nobody keep what was printed of a part's codes."""
    with unit_of_work() as session:
        of_part = select(PrintPart.batch_id).where(PrintPart.number == number)
        session.get_one(CodeBatch, session.scalars(of_part).one(), with_for_update=True)
        yield


def strangers() -> int:
    """Return how many connections the database has beside those of this process."""
    statement = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND application_name <> :ours"
    )
    with reading() as session:
        found: int = session.scalars(statement, {"ours": OURS}).one()
        return found


def let_leases_end() -> None:
    """Let so much time pass that what a killed worker had in hand belongs to nobody."""
    held = update(PrintPart).where(PrintPart.claimed_at.is_not(None))
    with unit_of_work() as session:
        session.execute(held.values(claimed_at=clock.now() - LEASE - timedelta(seconds=1)))


def codes_on_paper(world: World, run_id: int) -> list[str]:
    """Return what a phone reads on all pages."""
    with reading() as session:
        files = [
            read_part(session, run_id=run_id, number=one.number, keyring=world.keyring) for one in parts()
        ]
    return [url.rpartition("/")[2] for file in files for page in codes_on(file.content, 150) for url in page]


def test_what_a_killed_worker_began_is_finished_by_another_with_every_slip_once(
    large: Installation, office: World
) -> None:
    with unit_of_work() as session:
        run = start_print_run(
            session, staff=office.staff, campaign_id=office.campaign_id, order=ORDER, now=NOW
        )
    office.drain()
    with Redis.from_url(large.environment["REDIS_URL"]) as connection:
        assert len(Queue(QUEUE_NAME, connection=connection)) == 1
    with hold_batch_of(3):
        worker = large.start_worker()
        eventually(lambda: (printed(), 3 in in_hand()), ([1, 2], True))
        kill_tree(worker)
    # What the dead worker has asked for the database still does.
    eventually(strangers, 0)
    killed = in_hand()
    let_leases_end()
    large.start_worker()
    eventually(printed, NUMBERS)
    assert [one.attempts for one in parts()] == [1 + (number in killed) for number in NUMBERS]
    with reading() as session:
        slots = list(session.scalars(select(Entrance.code_digest)))
    found = [digest_code(office.keyring, code) for code in codes_on_paper(office, run.id)]
    assert sorted(found) == sorted(slots)
