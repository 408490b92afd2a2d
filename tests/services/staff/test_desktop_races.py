"""Several phones and browsers at once before one waiting desktop."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from survey_service.core.db import Database
from survey_service.core.errors import Forbidden
from survey_service.staff import desktops
from survey_service.staff.desktops import Desktop
from tests.factories.staff.offices import NOW, open_offices

AT_ONCE = 4


@pytest.fixture
def at_once(committing_database: Database) -> Callable[[Callable[[Session], object]], list[bool]]:
    """Do the same several times at once; return where it succeeded."""

    def attempt(act: Callable[[Session], object]) -> bool:
        try:
            with committing_database.unit_of_work() as session:
                return bool(act(session))
        except Forbidden:
            return False

    def run(act: Callable[[Session], object]) -> list[bool]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return sorted(pool.map(attempt, [act] * AT_ONCE))

    return run


def test_a_desktop_is_let_in_once_or_not_at_all_and_opens_once(
    committing_database: Database, at_once: Callable[[Callable[[Session], object]], list[bool]]
) -> None:
    with committing_database.unit_of_work() as session:
        staff_id = open_offices(session).people["town.staff"].id
        first, second = (desktops.begin_waiting(session, client="", now=NOW) for _ in range(2))

    def let_in(session: Session, desktop: Desktop) -> bool:
        return desktops.let_in(session, code=desktop.code, number=desktop.number, staff_id=staff_id, now=NOW)

    assert at_once(lambda session: let_in(session, first)) == [False] * (AT_ONCE - 1) + [True]
    with committing_database.unit_of_work() as session:
        assert let_in(session, second)

    def enter(session: Session) -> object:
        return desktops.enter(session, code=second.code, secret=second.secret, client="", now=NOW)

    assert at_once(enter) == [False] * (AT_ONCE - 1) + [True]
