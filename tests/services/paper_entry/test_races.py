"""Paper and phone at the same moment: the unique key decides, and the campaign's row is the fence."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text

from survey_service.ballots.models import Ballot, Participation
from survey_service.campaigns.service import close_campaign
from survey_service.core.errors import Conflict
from survey_service.paper_entry.closing import close_batch
from survey_service.paper_entry.rules import ListKind
from survey_service.sealing.service import begin_sealing
from tests.factories.campaigns import NOW, World
from tests.services.paper_entry.conftest import Desk, open_desk
from tests.support.databases import wait_until_somebody_waits

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk(postgresql_committed_world: World) -> Desk:
    return open_desk(postgresql_committed_world)


def keyed(desk: Desk, codes: list[str]) -> int:
    batch = desk.open()
    desk.key_twice(batch, ListKind.STUBS, codes)
    desk.key_twice(batch, ListKind.BALLOTS, ["1"] * len(codes))
    return batch


def numbers(desk: Desk) -> tuple[int, int]:
    with desk.database.reading() as session:
        participations, ballots = (
            session.scalar(select(func.count()).select_from(table)) or 0 for table in (Participation, Ballot)
        )
        return participations, ballots


def test_a_phone_that_comes_while_paper_is_counted_waits_and_is_refused(desk: Desk) -> None:
    codes = desk.pile(5)
    batch, ticket = keyed(desk, codes), desk.world.open(codes[0])
    with ThreadPoolExecutor(1) as phone, desk.world.app.app_context():
        with desk.database.unit_of_work() as session:
            close_batch(
                session,
                staff=desk.people[0],
                keyring=desk.world.keyring,
                campaign_id=desk.world.campaign_id,
                batch_id=batch,
                now=NOW,
            )
            cast = phone.submit(desk.world.cast, ticket)
            wait_until_somebody_waits(desk.database)
        with pytest.raises(Conflict, match="already_submitted"):
            cast.result()
    assert numbers(desk) == (5, 5)


def test_sealing_waits_for_paper_that_is_being_counted(desk: Desk) -> None:
    batch = keyed(desk, desk.pile(5))
    desk.do(close_campaign, now=NOW)

    def seal() -> None:
        desk.do(begin_sealing, staff=None, now=LATER)

    with ThreadPoolExecutor(1) as office, desk.world.app.app_context():
        with desk.database.unit_of_work() as session:
            close_batch(
                session,
                staff=desk.people[0],
                keyring=desk.world.keyring,
                campaign_id=desk.world.campaign_id,
                batch_id=batch,
                now=LATER,
            )
            sealing = office.submit(seal)
            wait_until_somebody_waits(desk.database)
        sealing.result()
    assert numbers(desk) == (5, 5)


def test_nothing_leads_from_the_slots_to_the_ballots(desk: Desk) -> None:
    """A rebuild has written the ballots anew: they no longer bear the transaction of the participations."""
    batch = keyed(desk, desk.pile(6))
    desk.close(batch)
    with desk.database.reading() as session:
        shared = session.scalar(
            text("SELECT count(*) FROM ballot WHERE xmin IN (SELECT xmin FROM participation)")
        )
    assert shared == 0
