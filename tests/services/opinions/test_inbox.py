"""Lists and counts of cases: whichever way is taken to them, they hold what the gate lets through."""

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy.orm import Session

from bench.crowd import COUNTY_CODE, QUIET_TOWN_CODE, TODAY, TOWN_CODE, VILLAGE_CODE, store_opinions
from survey_service.core.db import Database
from survey_service.core.permissions import Identity
from survey_service.opinions.models import Opinion
from survey_service.opinions.queries import (
    MOST_COUNTED,
    OpinionFilter,
    count_cases,
    list_opinions,
    select_visible,
)
from survey_service.opinions.rules import OPEN, State
from survey_service.organizations.models import Organization
from survey_service.organizations.queries import get_organization
from survey_service.staff.rules import Role

PEOPLE = (
    (Role.COUNTY_ADMIN, COUNTY_CODE),
    (Role.TOWN_STAFF, TOWN_CODE),
    (Role.TOWN_STAFF, QUIET_TOWN_CODE),
    (Role.BRANCH_SECRETARY, VILLAGE_CODE),
    (Role.AUDITOR, COUNTY_CODE),
)
A_PAGE = 7
ALL = frozenset(State)


def identity(session: Session, role: Role, code: str) -> Identity:
    return Identity(1, "", role, 0, get_organization(session, code=code).path)


def filters(session: Session) -> Iterator[OpinionFilter]:
    paths = [get_organization(session, code=code).path for code in (COUNTY_CODE, TOWN_CODE, VILLAGE_CODE)]
    for path in ("", *paths):
        for states in ((), (State.CLOSED,), OPEN, (State.DECLINED, State.RATED)):
            yield OpinionFilter(states=frozenset(states), path=path)


def narrowed(session: Session, cases: Sequence[Opinion], wanted: OpinionFilter) -> list[Opinion]:
    paths = {place.id: place.path for place in session.query(Organization)}
    return [
        one
        for one in cases
        if one.state in (wanted.states or ALL) and paths[one.organization_id].startswith(wanted.path)
    ]


@pytest.mark.parametrize("few", [1, 50, 8_000])
def test_every_way_leads_to_what_is_visible(
    database: Database, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_opinions(database, 600)
    monkeypatch.setattr("survey_service.opinions.queries.FEW", few)
    with database.reading() as session:
        for person in PEOPLE:
            staff = identity(session, *person)
            visible = session.scalars(select_visible(staff).order_by(Opinion.position)).all()
            for wanted in filters(session):
                expected = narrowed(session, visible, wanted)
                assert list_opinions(session, staff=staff, narrowed=wanted, limit=A_PAGE) == expected[:A_PAGE]
                after = expected[A_PAGE - 1].position if len(expected) > A_PAGE else 0
                rest = list_opinions(session, staff=staff, narrowed=wanted, after=after)
                assert rest == (expected[A_PAGE:] if after else expected)[: len(rest)]
                assert len(rest) == min(50, len(expected) - A_PAGE if after else len(expected))


@pytest.mark.parametrize("few", [1, 8_000])
@pytest.mark.parametrize("most", [3, MOST_COUNTED])
def test_every_way_counts_alike(
    sqlite_database: Database, few: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_opinions(sqlite_database, 600)
    monkeypatch.setattr("survey_service.opinions.queries.FEW", few)
    monkeypatch.setattr("survey_service.opinions.queries.MOST_COUNTED", most)
    with sqlite_database.reading() as session:
        for person in PEOPLE:
            staff = identity(session, *person)
            visible = session.scalars(select_visible(staff)).all()
            states = Counter(one.state for one in visible)
            late = Counter(one.state for one in visible if one.is_open and one.due_on < TODAY)
            counts = count_cases(session, staff=staff, states=ALL, today=TODAY)
            assert counts.by_state == {state: min(number, most) for state, number in states.items()}
            assert counts.overdue == sum(min(number, most) for number in late.values())
