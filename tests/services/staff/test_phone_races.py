"""Several phones and browsers at once: one of them gets what there is once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.core.errors import Conflict, Forbidden
from survey_service.staff import bindings, desktops, management
from survey_service.staff.desktops import Desktop
from survey_service.wechat.rules import Provider
from tests.factories.campaigns import identity
from tests.factories.staff.offices import NOW, Offices, open_offices

Act = Callable[[Session], object]


@pytest.fixture
def successes(committing_database: Database) -> Callable[[list[Act]], int]:
    """Do several things at once; return how many of them were allowed."""

    def attempt(act: Act) -> bool:
        try:
            with committing_database.unit_of_work() as session:
                return act(session) is not False
        except (Conflict, Forbidden):
            return False

    def run(acts: list[Act]) -> int:
        with ThreadPoolExecutor(len(acts)) as pool:
            return sum(pool.map(attempt, acts))

    return run


@pytest.fixture
def offices(committing_database: Database) -> Offices:
    with committing_database.unit_of_work() as session:
        return open_offices(session)


def test_a_desktop_is_let_in_once_and_opens_once(
    committing_database: Database, offices: Offices, successes: Callable[[list[Act]], int]
) -> None:
    staff_id = offices.people["town.staff"].id
    with committing_database.unit_of_work() as session:
        first, second = (desktops.begin_waiting(session, client="", now=NOW) for _ in range(2))

    def let_in(session: Session, desktop: Desktop) -> bool:
        return desktops.let_in(session, code=desktop.code, number=desktop.number, staff_id=staff_id, now=NOW)

    def enter(session: Session) -> object:
        return desktops.enter(session, code=second.code, secret=second.secret, client="", now=NOW)

    assert successes([partial(let_in, desktop=first)] * 4) == 1
    assert successes([partial(let_in, desktop=second)]) == 1
    assert successes([enter] * 4) == 1


def test_a_phone_that_two_people_bind_at_once_opens_one_account(
    offices: Offices, successes: Callable[[list[Act]], int]
) -> None:
    bind = partial(bindings.bind, provider=Provider.WECHAT, digest=bytes(16), now=NOW)
    people = list(offices.people.values())[:4]
    assert successes([partial(bind, staff_id=person.id) for person in people]) == 1


def test_an_account_is_handed_over_once_and_opened_again_once(
    committing_database: Database, offices: Offices, successes: Callable[[list[Act]], int]
) -> None:
    staff_id = offices.people["town.staff"].id
    by = identity(offices.people["county.admin"], offices.places["county"])

    def hand_over(session: Session, to: str) -> object:
        return management.hand_over(
            session, staff_id=staff_id, display_name="新同志", username=to, by=by, now=NOW
        )

    def enable(session: Session) -> object:
        return management.enable_account(session, staff_id=staff_id, by=by, now=NOW)

    assert successes([partial(hand_over, to=f"successor.{number}") for number in range(4)]) == 1
    assert successes([enable] * 4) == 1
