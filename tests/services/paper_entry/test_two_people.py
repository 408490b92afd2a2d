"""Two people key a list, a third look settles it: who may do what, and what the database itself refuses."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from survey_service.core.db import Database
from survey_service.core.errors import Conflict
from survey_service.paper_entry.keying import restart_keying
from survey_service.paper_entry.rules import Difference, Keying, ListKind
from tests.services.paper_entry.conftest import Desk

FIRST, SECOND, THIRD = 0, 1, 2


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """Who may do what is the same on both engines."""
    return sqlite_database


@pytest.fixture
def batch(desk: Desk) -> int:
    return desk.open()


def test_the_same_person_does_not_key_twice(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=FIRST)
    for kind, look in ((ListKind.BALLOTS, 2),):
        with pytest.raises(Conflict, match="same_keyer"):
            desk.key(batch, kind, look, ["1"], by=FIRST)
    with pytest.raises(Conflict, match="same_keyer"):
        desk.finish(batch, ListKind.BALLOTS, 2, by=FIRST)


def test_the_database_refuses_it_by_itself(desk: Desk, batch: int) -> None:
    staff = desk.people[FIRST].id
    with pytest.raises(IntegrityError), desk.database.unit_of_work() as session:
        session.execute(text("UPDATE paper_list SET first_by = :id, second_by = :id"), {"id": staff})


def test_nobody_goes_on_with_the_keying_of_another(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=FIRST)
    with pytest.raises(Conflict, match="keyed_by_other"):
        desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=SECOND)


def test_what_is_finished_stays(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=FIRST)
    desk.finish(batch, ListKind.BALLOTS, 1, by=FIRST)
    for act in (
        lambda: desk.key(batch, ListKind.BALLOTS, 1, ["2"], by=FIRST),
        lambda: desk.do(
            restart_keying,
            staff=desk.people[FIRST],
            batch_id=batch,
            kind=ListKind.BALLOTS,
            keying=Keying.FIRST,
        ),
    ):
        with pytest.raises(Conflict, match="wrong_state"):
            act()


def test_one_page_is_keyed_again_without_the_others(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1"] * 50, by=FIRST)
    desk.key(batch, ListKind.BALLOTS, 1, ["2"] * 3, by=FIRST, first=51)
    desk.key(batch, ListKind.BALLOTS, 1, ["3", "3", "", ""], by=FIRST, first=51)
    assert desk.read(batch).lists[1].lines[Keying.FIRST] == 52


def test_differences_show_when_both_have_finished(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1", "2"], by=FIRST)
    desk.finish(batch, ListKind.BALLOTS, 1, by=FIRST)
    desk.key(batch, ListKind.BALLOTS, 2, ["1", "3"], by=SECOND)
    assert desk.read(batch).lists[1].differences is None
    desk.finish(batch, ListKind.BALLOTS, 2, by=SECOND)
    assert desk.read(batch).lists[1].differences == [Difference(2, "2", "3")]


def test_a_third_person_settles_alone(desk: Desk, batch: int) -> None:
    desk.key_twice(batch, ListKind.BALLOTS, ["1", "2"], second=["1", "3"])
    with pytest.raises(Conflict, match="paper_differs"):
        desk.settle(batch, ListKind.BALLOTS, by=THIRD, lines={})
    desk.settle(batch, ListKind.BALLOTS, by=THIRD, lines={2: "3"})
    assert desk.read(batch).lists[1].is_ready


def test_one_of_the_two_settles_with_somebody_else(desk: Desk, batch: int) -> None:
    desk.key_twice(batch, ListKind.BALLOTS, ["1", "2"], second=["1", "3"])
    desk.settle(batch, ListKind.BALLOTS, by=FIRST, lines={2: "2"})
    assert desk.read(batch).lists[1].waits_for_confirmation
    with pytest.raises(Conflict, match="same_keyer"):
        desk.confirm(batch, ListKind.BALLOTS, by=FIRST)
    desk.confirm(batch, ListKind.BALLOTS, by=SECOND)
    assert desk.read(batch).lists[1].is_ready
    desk.settle(batch, ListKind.BALLOTS, by=FIRST, lines={2: "3"})
    assert not desk.read(batch).lists[1].is_ready, "another look is to be confirmed anew"


def test_nothing_is_settled_before_both_have_finished(desk: Desk, batch: int) -> None:
    desk.key(batch, ListKind.BALLOTS, 1, ["1"], by=FIRST)
    with pytest.raises(Conflict, match="wrong_state"):
        desk.settle(batch, ListKind.BALLOTS, by=THIRD, lines={1: "1"})


def test_stubs_are_compared_without_an_order(desk: Desk, batch: int) -> None:
    codes = desk.pile(4)
    desk.key_twice(batch, ListKind.STUBS, codes[:3], second=[codes[3], codes[1], codes[0]])
    stubs = desk.read(batch).lists[0]
    assert stubs.stub_differences is not None
    assert [(one.serial, one.by_first, one.by_second) for one in stubs.stub_differences] == [
        (3, True, False),
        (4, False, True),
    ]
    slots = [one.slot for one in stubs.stub_differences]
    desk.settle(batch, ListKind.STUBS, by=THIRD, slots=slots[:1], codes=desk.pile(1))
    assert desk.read(batch).lists[0].is_ready
    assert desk.read(batch).lists[0].lines[Keying.SETTLED] == 2
    shown = desk.read(batch).lists[0].stub_differences or []
    assert [one.by_third for one in shown] == [True, False, True], "who confirms sees what was settled"
