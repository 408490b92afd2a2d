"""What must hold when people write and answer at once; commits are real here."""

from concurrent.futures import ThreadPoolExecutor
from threading import Thread
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from survey_service.core.db import reading, unit_of_work
from survey_service.core.errors import Conflict, Invalid
from survey_service.opinions.models import Opinion, OpinionAllowance, OpinionAnswer
from survey_service.opinions.policy import current_policy
from survey_service.opinions.queries import lock_opinion
from survey_service.opinions.receiving import Allowance, Draft, Origin, receive_opinion, store_anonymous
from survey_service.opinions.rules import Category, Level, Source
from survey_service.opinions.service import Call, answer_opinion, triage_opinion
from survey_service.organizations.queries import get_organization
from tests.factories.campaigns import NOW, World
from tests.support.databases import wait_until_somebody_waits

THREADS = 6
TODAY = NOW.date()


def origin(session: Any, world: World) -> Origin:
    return Origin(get_organization(session, code=world.village_codes[0]), Source.ENTRANCE)


def write(world: World, secret: str) -> str:
    with world.app.app_context():
        try:
            with unit_of_work() as session:
                received = receive_opinion(
                    session,
                    keyring=world.keyring,
                    policy=current_policy(),
                    draft=Draft(text="路灯坏了"),
                    origin=origin(session, world),
                    secret=secret,
                    allowance=Allowance(world.campaign_id, b"d" * 16),
                    today=TODAY,
                )
        except Conflict as error:
            return error.code
        return "new" if received.is_new else "old"


def store(session: Session, world: World) -> int:
    return store_anonymous(
        session,
        keyring=world.keyring,
        policy=current_policy(),
        draft=Draft(text="路灯坏了"),
        origin=origin(session, world),
        today=TODAY,
    )


def count(model: type) -> int:
    with reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_three_opinions_fit_into_a_credential_however_many_come_at_once(committed_world: World) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(lambda n: write(committed_world, f"{n:0>24}"), range(8)))
    assert answers == ["new"] * 3 + ["opinions_used_up"] * 5
    assert (count(Opinion), count(OpinionAllowance)) == (3, 3)


def test_one_secret_makes_one_opinion_however_often_it_comes_at_once(committed_world: World) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        answers = sorted(pool.map(lambda _: write(committed_world, "s" * 24), range(8)))
    assert answers == ["new"] + ["old"] * 7
    assert (count(Opinion), count(OpinionAllowance)) == (1, 1)


def test_of_two_answers_at_once_one_stands_and_the_other_sees_it(committed_world: World) -> None:
    world, policy = committed_world, current_policy()
    with unit_of_work() as session:
        opinion = store(session, world)
        call = Call(staff=world.staff, opinion_id=opinion, now=NOW)
        triage_opinion(session, call=call, policy=policy, category=Category.HELP, level=Level.TOWN)

    def answer(words: str) -> Any:
        with world.app.app_context():
            try:
                with unit_of_work() as session:
                    answer_opinion(session, call=call, policy=policy, public_text=words)
            except Conflict as error:
                return error.extra["answer"]
            return words

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(answer, ("甲的答复", "乙的答复"))
    winner = first if isinstance(first, str) else second
    loser = second if isinstance(first, str) else first
    assert loser == {"private_text": "", "public_text": winner}
    assert count(OpinionAnswer) == 1


def test_who_waits_for_an_opinion_finds_it_where_it_has_gone(postgresql_committed_world: World) -> None:
    """A join that waited for a row would still look for the places of before."""
    world = postgresql_committed_world

    def triage(session: Session, opinion_id: int) -> None:
        call = Call(staff=world.staff, opinion_id=opinion_id, now=NOW)
        given = {"category": Category.COMPLAINT, "level": Level.VILLAGE}
        triage_opinion(session, call=call, policy=current_policy(), **given)

    def find_handler(opinion_id: int) -> str:
        with world.app.app_context(), unit_of_work() as session:
            return lock_opinion(session, staff=world.staff, opinion_id=opinion_id).handler.code

    with world.app.app_context(), ThreadPoolExecutor(1) as other:
        with unit_of_work() as session:
            opinion_id = store(session, world)
        with unit_of_work() as session:
            triage(session, opinion_id)
            session.flush()
            found = other.submit(find_handler, opinion_id)
            wait_until_somebody_waits(world.app.extensions["database"])
        assert found.result() == world.village_codes[0]


def test_two_who_call_two_opinions_one_do_not_wait_for_each_other_in_a_ring(
    postgresql_committed_world: World,
) -> None:
    world = postgresql_committed_world
    refusals: list[str] = []

    def triage(session: Session, opinion_id: int, duplicate_of: int) -> None:
        call = Call(staff=world.staff, opinion_id=opinion_id, now=NOW)
        triage_opinion(
            session,
            call=call,
            policy=current_policy(),
            category=Category.HELP,
            level=Level.TOWN,
            duplicate_of=duplicate_of,
        )

    def triage_at_once(opinion_id: int, duplicate_of: int) -> None:
        with world.app.app_context():
            try:
                with unit_of_work() as session:
                    triage(session, opinion_id, duplicate_of)
            except (Invalid, OperationalError) as error:
                refusals.append(type(error).__name__)

    with world.app.app_context():
        with unit_of_work() as session:
            first, second = sorted(store(session, world) for _ in range(2))
        other = Thread(target=triage_at_once, args=(second, first))
        with unit_of_work() as session:
            lock_opinion(session, staff=world.staff, opinion_id=first)
            other.start()
            wait_until_somebody_waits(world.app.extensions["database"])
            triage(session, first, second)
        other.join()
    assert refusals == ["Invalid"]
