"""What the databases themselves refuse, and how openings add up: on both engines."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from survey_service.clear_letters.documents import content_of
from survey_service.clear_letters.queries import list_letters, list_readings, sum_readings
from survey_service.clear_letters.rules import LetterState
from survey_service.clear_letters.service import (
    add_readings,
    approve_letter,
    create_letter,
    submit_letter,
)
from survey_service.core.permissions import Identity
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World, identity
from tests.factories.letters import letter_content
from tests.factories.staff.offices import add_person

DAY = date(2026, 11, 21)
REFUSED = {
    "what was sent in": "UPDATE clear_letter_version SET document = '{}' WHERE letter_id = :id",
    "its number": "UPDATE clear_letter_version SET number = 7 WHERE letter_id = :id",
    "that it was sent in": "UPDATE clear_letter_version SET submitted_at = NULL WHERE letter_id = :id",
    "the row": "DELETE FROM clear_letter_version WHERE letter_id = :id",
}
REFUSED_LATER = {
    "the decision": "UPDATE clear_letter_version SET remark = 'x' WHERE letter_id = :id",
    "who decided": "UPDATE clear_letter_version SET decided_by = changed_by WHERE letter_id = :id",
}


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    with world.app.extensions["database"].unit_of_work() as session:
        yield session


@pytest.fixture
def secretary(world: World, session: Session) -> Identity:
    village = get_organization(session, code=world.village_codes[0])
    return identity(add_person(session, "secretary", Role.BRANCH_SECRETARY, village), village)


@pytest.fixture
def letter_id(world: World, session: Session, secretary: Identity) -> int:
    content = content_of(letter_content())
    code = world.village_codes[0]
    row = create_letter(session, staff=secretary, organization_code=code, content=content, now=NOW)
    return row.letter.id


def is_refused(session: Session, statement: str, letter_id: int) -> bool:
    try:
        with session.begin_nested():
            session.execute(text(statement), {"id": letter_id})
    except DBAPIError:
        return True
    return False


def test_a_draft_may_be_written_on(session: Session, letter_id: int) -> None:
    assert not is_refused(session, REFUSED["what was sent in"], letter_id)


def test_the_database_keeps_what_was_sent_in_and_decided(
    world: World, session: Session, secretary: Identity, letter_id: int
) -> None:
    submit_letter(session, staff=secretary, letter_id=letter_id, now=NOW)
    assert [what for what, one in REFUSED.items() if not is_refused(session, one, letter_id)] == []
    approve_letter(session, staff=world.staff, letter_id=letter_id, now=NOW)
    later = REFUSED | REFUSED_LATER
    assert [what for what, one in later.items() if not is_refused(session, one, letter_id)] == []


def test_the_database_lets_nobody_decide_about_his_own(
    session: Session, secretary: Identity, letter_id: int
) -> None:
    submit_letter(session, staff=secretary, letter_id=letter_id, now=NOW)
    own = (
        "UPDATE clear_letter_version SET decision = 'approved', decided_at = submitted_at, "
        "decided_by = submitted_by WHERE letter_id = :id"
    )
    assert is_refused(session, own, letter_id)
    assert not is_refused(session, own.replace("= submitted_by WHERE", "= NULL WHERE"), letter_id)


def test_openings_add_up_by_letter_and_day(session: Session, letter_id: int) -> None:
    next_day = replace_day(DAY)
    add_readings(session, counted={(letter_id, DAY): 3})
    add_readings(session, counted={(letter_id, DAY): 2, (letter_id, next_day): 1})
    assert list_readings(session, letter_id) == [(DAY, 5), (next_day, 1)]
    assert sum_readings(session, [letter_id]) == {letter_id: 6}


def replace_day(day: date) -> date:
    return day.replace(day=day.day + 1)


def test_lists_are_paged_from_the_newest(
    world: World, session: Session, secretary: Identity, letter_id: int
) -> None:
    content = replace(content_of(letter_content()), title="第二封")
    code = world.village_codes[0]
    second = create_letter(session, staff=secretary, organization_code=code, content=content, now=NOW)
    ids = [row.letter.id for row in list_letters(session, within_path=world.staff.path, limit=1)]
    assert ids == [second.letter.id]
    rest = list_letters(session, within_path=world.staff.path, after=ids[-1], state=LetterState.DRAFT)
    assert [row.letter.id for row in rest] == [letter_id]
