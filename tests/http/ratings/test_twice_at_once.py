"""Two do the same at the same moment: the second waits for the first, and learns what came of it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from sqlalchemy.orm import Session

from survey_service.campaigns.recordings import store_recording
from survey_service.core.db import current_database, unit_of_work
from survey_service.ratings.evidence import attach_link, detach
from survey_service.ratings.presets import preset_text
from survey_service.ratings.service import add_scheme
from survey_service.ratings.vocabulary import Level
from survey_service.staff.rules import Role
from tests.factories.campaigns import NOW, World
from tests.http.campaigns.callers import PREFIX, Caller, Offices
from tests.http.ratings.conftest import open_rating
from tests.support.databases import wait_until_somebody_waits

RECORDING = b"ID3" + bytes(64)


@pytest.fixture
def world(postgresql_committed_world: World) -> Iterator[World]:
    """The writers of SQLite take turns anyway."""
    with postgresql_committed_world.app.app_context():
        yield postgresql_committed_world


@pytest.fixture
def town(world: World, frozen_clock: None) -> Caller:
    return Offices(world).caller(Role.TOWN_STAFF, "town")


def status_of_second(act: Callable[[Session], object], call: Callable[[], Any]) -> tuple[int, Any]:
    """Do something, and before it is committed let somebody call for the same; return what he hears."""
    with ThreadPoolExecutor(1) as other:
        with unit_of_work() as session:
            act(session)
            session.flush()
            second = other.submit(call)
            wait_until_somebody_waits(current_database())
        answer = second.result()
        return answer.status_code, (answer.json or {}).get("code")


def test_a_piece_of_evidence_is_taken_away_once(world: World, town: Caller) -> None:
    code = world.village_codes[0]
    rating = open_rating(world, town, "township-classification")
    about = {"staff": world.staff, "cycle_id": rating.id, "organization_code": code}
    with unit_of_work() as session:
        link = attach_link(
            session, level=Level.TOWN, indicator="site", url="https://a.example", now=NOW, **about
        )
    path = rating.path(f"/subjects/{code}/evidence/{link.id}")
    answer = status_of_second(
        lambda session: detach(session, evidence_id=link.id, **about), lambda: town.delete(path)
    )
    assert answer == (404, "not_found")


def test_a_recording_is_stored_again_by_each_of_two(world: World, town: Caller) -> None:
    path, files = f"{PREFIX}/campaigns/{world.campaign_id}/recording", {"file": (BytesIO(RECORDING), "a.mp3")}
    about = {"campaign_id": world.campaign_id, "content": RECORDING}
    with unit_of_work() as session:
        store_recording(session, **about)
    answer = status_of_second(
        lambda session: store_recording(session, **about),
        lambda: town.client.put(path, data=files, headers=town.headers),
    )
    assert answer == (200, None)


def test_what_stands_meanwhile_is_no_fault_of_the_service(world: World, town: Caller) -> None:
    """No lock holds what is not there yet; the unique key decides."""
    source = preset_text("township-classification").replace("code: township-classification", "code: own")
    answer = status_of_second(
        lambda session: add_scheme(session, staff=world.staff, source=source, now=NOW),
        lambda: town.post("/schemes", {"source": source}),
    )
    assert answer == (409, "conflict")
