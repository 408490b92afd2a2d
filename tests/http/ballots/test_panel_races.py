"""One panel code on many phones at once: exactly one ballot for each subject, on both engines."""

from concurrent.futures import ThreadPoolExecutor

from flask import Flask
from sqlalchemy import func, select

from survey_service.ballots.models import Ballot, Participation, Receipt
from tests.factories.campaigns import World, start_campaign
from tests.http.ballots.phone import Phone
from tests.http.ballots.test_panels import invite

SUBJECTS, PARALLEL, THREADS = 5, 50, 8


def stored(world: World, table: type[Ballot | Participation | Receipt]) -> int:
    with world.app.extensions["database"].reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_parallel_posts_leave_one_ballot_for_each_subject(committing_app: Flask, frozen_clock: None) -> None:
    world = start_campaign(committing_app, villages=SUBJECTS)
    (issued,) = invite(world)
    ticket = Phone(committing_app.test_client()).open(issued.code)["ticket"]

    def post(number: int) -> tuple[str, int]:
        village = world.village_codes[number % SUBJECTS]
        phone = Phone(committing_app.test_client())
        return village, phone.post(issued.code, ticket=ticket, organization_code=village).status_code

    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(post, range(PARALLEL)))
    each = [201, *[409] * (PARALLEL // SUBJECTS - 1)]
    assert answers == [(village, status) for village in sorted(world.village_codes) for status in each]
    assert [stored(world, table) for table in (Participation, Ballot, Receipt)] == [SUBJECTS] * 3
    with world.app.extensions["database"].reading() as session:
        by_subject = (
            session.execute(select(func.count(Ballot.id)).group_by(Ballot.subject_id)).scalars().all()
        )
    assert by_subject == [1] * SUBJECTS
