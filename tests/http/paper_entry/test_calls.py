"""The calls of paper batches: from opening to closing, and what each of them refuses."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from survey_service.core.db import Database
from survey_service.core.rate_limits import RateLimit
from survey_service.staff.rules import Role
from tests.factories.campaigns import World
from tests.http.ballots.phone import Phone, code_of
from tests.http.reports.conftest import People

pytestmark = pytest.mark.usefixtures("frozen_clock")


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What the calls answer is the same on both engines."""
    return sqlite_database


@pytest.fixture
def office(world: World, people: People) -> list[FlaskClient]:
    """Two people of the town and one of the village above nobody."""
    names = [people.hire(Role.TOWN_STAFF, world.town_code, name=f"keyer.{n}") for n in (1, 2)]
    return [signed_in(world, name) for name in names]


def signed_in(world: World, name: str) -> FlaskClient:
    client = world.app.test_client()
    body = {"username": name, "password": "Tangxi-2026"}
    token = client.post("/api/v1/auth/token", json=body).json["token"]
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def batches(world: World) -> str:
    return f"/api/v1/campaigns/{world.campaign_id}/paper-batches"


def open_batch(world: World, client: FlaskClient, **changes: Any) -> Any:
    body = {
        "organization_code": world.village_codes[0],
        "rater_class": "villager",
        "mode": "paper",
        "issued": 10,
    }
    return client.post(batches(world), json=body | changes)


def test_a_batch_from_opening_to_closing(world: World, office: list[FlaskClient]) -> None:
    made = open_batch(world, office[0])
    assert (made.status_code, made.json["state"]) == (201, "open")
    address = f"{batches(world)}/{made.json['id']}"
    codes = [one.code for one in world.issue(count=7)]
    for look, client in zip(("first", "second"), office, strict=True):
        for kind, lines in (("stubs", codes), ("ballots", ["1", "1", "1", "2", "3", "*", "0"])):
            assert client.put(f"{address}/{kind}/{look}", json={"lines": lines}).json == {"lines": 7}
            assert client.post(f"{address}/{kind}/{look}/finish").status_code == 200
    shown = office[0].get(address).json
    assert [one["is_ready"] for one in shown["lists"]] == [True, True]
    assert office[1].post(f"{address}/close").json == {"id": made.json["id"], "state": "closed"}
    (listed,) = office[0].get(batches(world)).json["items"]
    assert {name: listed[name] for name in ("issued", "returned", "set_aside", "invalid", "blank")} == {
        "issued": 10,
        "returned": 7,
        "set_aside": 0,
        "invalid": 1,
        "blank": 1,
    }
    world.drain()
    score = office[0].get(f"/api/v1/campaigns/{world.campaign_id}/scores").json["items"][0]
    assert score["by_mode"]["paper"]["returned"] == 7, "the mix of modes stands in the score"


def test_the_same_person_is_refused(world: World, office: list[FlaskClient]) -> None:
    address = f"{batches(world)}/{open_batch(world, office[0]).json['id']}/ballots"
    assert office[0].put(f"{address}/first", json={"lines": ["1"]}).status_code == 200
    assert code_of(office[0].put(f"{address}/second", json={"lines": ["1"]})) == (409, "same_keyer")
    assert code_of(office[1].put(f"{address}/first", json={"lines": ["1"]})) == (409, "keyed_by_other")


def test_bad_lines_are_named(world: World, office: list[FlaskClient]) -> None:
    address = f"{batches(world)}/{open_batch(world, office[0]).json['id']}"
    answer = office[0].put(f"{address}/ballots/first", json={"lines": ["1", "7", "", "1"]})
    assert answer.status_code == 422
    assert set(answer.json["errors"]) == {"lines.1", "lines.2"}
    assert code_of(office[0].put(f"{address}/nonsense/first", json={"lines": []})) == (404, "not_found")
    assert code_of(office[0].put(f"{address}/ballots/third", json={"lines": []})) == (404, "not_found")
    assert code_of(office[0].put(f"{address}/totals/first", json={"lines": []})) == (404, "not_found")


def test_guessing_codes_is_slowed_down(world: World, office: list[FlaskClient]) -> None:
    address = f"{batches(world)}/{open_batch(world, office[0]).json['id']}/stubs/first"
    world.app.extensions["voter_limits"].failed_codes = RateLimit(count=2, seconds=3600)
    answers = [office[0].put(address, json={"lines": ["2222222222222"]}).status_code for _ in range(3)]
    assert answers == [422, 422, 429]


@pytest.mark.parametrize(
    "change",
    [{"mode": "open"}, {"issued": -1}, {"rater_class": "king"}, {"organization_code": ""}],
    ids=["mode", "issued", "class", "place"],
)
def test_what_does_not_fit_is_named(world: World, office: list[FlaskClient], change: dict[str, Any]) -> None:
    assert open_batch(world, office[0], **change).status_code == 422


def test_the_rated_party_keys_nothing(world: World, people: People, office: list[FlaskClient]) -> None:
    address = f"{batches(world)}/{open_batch(world, office[0]).json['id']}"
    village = people.system(Role.TOWN_STAFF, world.village_codes[0])
    secretary = people.system(Role.BRANCH_SECRETARY, world.village_codes[0])
    for client in (village, secretary):
        assert client.get(address).status_code == 403
        assert client.put(f"{address}/ballots/first", json={"lines": ["1"]}).status_code == 403
        assert client.post(f"{address}/close").status_code == 403
        assert open_batch(world, client).status_code == 403
    assert village.get(batches(world)).json == {"items": []}


def test_a_code_spent_on_a_phone_is_not_counted_again(world: World, office: list[FlaskClient]) -> None:
    codes = [one.code for one in world.issue(count=6)]
    phone = Phone(world.app.test_client())
    assert phone.post(codes[0]).status_code == 201
    address = f"{batches(world)}/{open_batch(world, office[0]).json['id']}"
    for look, client in zip(("first", "second"), office, strict=True):
        for kind, lines in (("stubs", codes), ("ballots", ["1"] * 6)):
            client.put(f"{address}/{kind}/{look}", json={"lines": lines})
            client.post(f"{address}/{kind}/{look}/finish")
    assert office[0].post(f"{address}/close").status_code == 200
    assert office[0].get(address).json["set_aside"] == 1
    assert code_of(Phone(world.app.test_client()).post(codes[1])) == (409, "already_submitted")
