"""What a voter meets behind a code: the preview that counts nothing, and a page that costs little."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, func, select

from survey_service.ballots.models import Ballot, DirtyMark, Participation, Receipt
from survey_service.campaigns.rules import Mode
from survey_service.core.db import reading
from survey_service.staff.rules import Role
from tests.factories.campaigns import World, start_campaign
from tests.http.campaigns.callers import MADE_ABOVE, Caller, Offices, fields_of, problem

SECRET = "a" * 24
MOST_QUERIES = 3
"""What opening a page may cost (`architecture.md` section 4)."""


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """Collect the statements that the database is given; opening and ending of transactions are none."""
    given: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        verb = statement.split(None, 1)[0].upper()
        if verb not in {"BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT"}:
            given.append(statement)

    engine = world.app.extensions["database"].engine
    event.listen(engine, "before_cursor_execute", note)
    yield given
    event.remove(engine, "before_cursor_execute", note)


def stored(world: World) -> int:
    """Return how many rows ballots have left behind."""
    tables = (Ballot, Participation, Receipt, DirtyMark)
    with reading() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


@pytest.mark.parametrize("is_launched", [False, True])
def test_a_preview_answers_like_the_real_page_and_stores_nothing(
    world: World, stranger: Caller, is_launched: bool
) -> None:
    previewed = start_campaign(world.app, is_launched=is_launched)
    town = Offices(previewed).caller(Role.TOWN_STAFF, "town")
    asked = {"organization_code": previewed.village_codes[0]}
    made = town.post(f"/campaigns/{previewed.campaign_id}/preview", asked)
    assert made.status_code == 201
    [item] = made.json["items"]
    opened = stranger.get(f"/entrances/{item['code']}").json
    assert opened["state"] == ("open" if is_launched else "draft")
    sent = {"ticket": opened["ticket"], "secret": SECRET, "answers": {"overall": "satisfied", "remark": "好"}}
    path = f"/entrances/{item['code']}/ballots"
    answers = [stranger.post(path, sent) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == {"receipt": "0" * 13}
    assert fields_of_ballot(stranger.post(path, sent | {"answers": {}})) == {"overall"}
    assert stored(world) == 0


def fields_of_ballot(answer: Any) -> set[str]:
    assert problem(answer) == (422, "invalid_answers")
    return set(answer.json["errors"])


def test_who_makes_a_preview(everybody: dict[str, Caller], world: World) -> None:
    asked = {"organization_code": world.village_codes[0]}
    path = f"/campaigns/{world.campaign_id}/preview"
    statuses = {name: caller.post(path, asked).status_code for name, caller in everybody.items()}
    assert statuses == MADE_ABOVE


def test_a_preview_is_of_a_subject(world: World, town: Caller) -> None:
    path = f"/campaigns/{world.campaign_id}/preview"
    assert fields_of(town.post(path, {"organization_code": "nowhere"})) == {"organization_codes"}


@pytest.mark.parametrize("mode", [Mode.OPEN, Mode.HOUSEHOLD])
def test_opening_a_page_reads_little_and_writes_nothing(world: World, stranger: Caller, mode: Mode) -> None:
    [issued] = world.issue(mode)
    first = stranger.client.get(f"/s/{issued.code}")
    with statements(world) as given:
        again = stranger.client.get(f"/s/{issued.code}")
    assert (first.status_code, again.status_code) == (200, 200)
    assert 0 < len(given) <= MOST_QUERIES
    assert {statement.split(None, 1)[0].upper() for statement in given} == {"SELECT"}


@pytest.mark.parametrize("mode", [Mode.OPEN, Mode.HOUSEHOLD])
def test_the_first_page_of_a_process_is_as_cheap(world: World, stranger: Caller, mode: Mode) -> None:
    [issued] = world.issue(mode)
    for cache in ("compiled_versions", "campaign_keys"):
        world.app.extensions[cache].clear()
    with statements(world) as given:
        assert stranger.client.get(f"/s/{issued.code}").status_code == 200
    assert len(given) <= MOST_QUERIES


def test_an_unknown_code_costs_no_query_where_it_cannot_be_one(world: World, stranger: Caller) -> None:
    with statements(world) as given:
        assert stranger.client.get("/s/2222222222223").status_code == 404
        assert stranger.client.get("/api/v1/entrances/abc.svg").status_code == 404
    assert given == []
