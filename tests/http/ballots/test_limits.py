"""Limits count by credential and by failed look-ups; an address is never a lock."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from survey_service.ballots.models import Ballot
from survey_service.campaigns.rules import Mode
from survey_service.core.config import Settings
from survey_service.core.db import Database
from survey_service.core.http import network_key
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.http.ballots.phone import Phone, code_of, new_secret

pytestmark = pytest.mark.usefixtures("frozen_clock")

PHONES = 300
UNKNOWN = "2222222222222"


def phone_at(world: World, address: str, **headers: str) -> Phone:
    client = world.app.test_client()
    client.environ_base["REMOTE_ADDR"] = address
    for name, value in headers.items():
        client.environ_base[f"HTTP_{name.upper()}"] = value
    return Phone(client)


def test_three_hundred_phones_behind_one_address_are_all_heard(world: World) -> None:
    (wall,) = world.issue(Mode.OPEN)
    answers = {phone_at(world, "203.0.113.7").post(wall.code).status_code for _ in range(PHONES)}
    assert answers == {201}
    with world.app.extensions["database"].reading() as session:
        stored = session.scalar(select(func.count()).where(Ballot.campaign_id == world.campaign_id))
    assert stored == PHONES, "nothing is dropped silently"


def test_one_credential_is_slowed_down_and_no_other(world: World) -> None:
    first, second = (issued.code for issued in world.issue(count=2))
    phone = phone_at(world, "203.0.113.7")
    ticket, secret = phone.open(first)["ticket"], new_secret()
    answers = [phone.post(first, ticket=ticket, secret=secret).status_code for _ in range(21)]
    assert answers == [201] + [200] * 19 + [429]
    assert phone.post(second).status_code == 201


def guess(phone: Phone, times: int = 1) -> list[int]:
    return [phone.client.get(f"/api/v1/entrances/{UNKNOWN}").status_code for _ in range(times)]


def test_guessing_is_limited_by_failed_look_ups_of_one_network(world: World) -> None:
    guesser, neighbour = phone_at(world, "203.0.113.7"), phone_at(world, "203.0.113.8")
    assert guess(guesser, 61)[-2:] == [404, 429]
    assert guess(neighbour) == [404]


def test_a_ballot_on_its_way_passes_where_somebody_has_guessed(world: World) -> None:
    """The limit stands before look-ups; sending needs none."""
    code = world.issue()[0].code
    voter = phone_at(world, "203.0.113.7")
    ticket = voter.open(code)["ticket"]
    guess(phone_at(world, "203.0.113.7"), 62)
    assert voter.post(code, ticket=ticket).status_code == 201


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("2001:db8::1", "2001:db8::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
    ],
)
def test_ipv6_counts_by_its_first_64_bits(world: World, first: str, second: str, is_same: bool) -> None:
    def key(address: str) -> bytes:
        with world.app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            return network_key()

    assert (key(first) == key(second)) is is_same


@contextmanager
def hops(world: World, number: int) -> Iterator[None]:
    settings: Settings = world.app.extensions["settings"]
    world.app.extensions["settings"] = Settings(**vars(settings) | {"trusted_proxy_hops": number})
    yield
    world.app.extensions["settings"] = settings


def key_of(world: World, forwarded: str) -> bytes:
    headers = {"X-Forwarded-For": forwarded}
    with world.app.test_request_context(environ_base={"REMOTE_ADDR": "10.0.0.1"}, headers=headers):
        return network_key()


def test_without_trusted_proxies_a_forwarded_address_says_nothing(world: World) -> None:
    assert key_of(world, "203.0.113.7") == key_of(world, "203.0.113.8")


def test_proxies_are_trusted_by_their_number_only(world: World) -> None:
    """What a client writes into the header himself stands further left than what the proxies add."""
    with hops(world, 1):
        assert key_of(world, "1.1.1.1, 203.0.113.7") == key_of(world, "2.2.2.2, 203.0.113.7")
        assert key_of(world, "203.0.113.7") != key_of(world, "203.0.113.8")
    with hops(world, 2):
        assert key_of(world, "9.9.9.9, 203.0.113.7, 10.0.0.2") == key_of(world, "203.0.113.7, 10.0.0.2")


def send_from_one_address(app: Flask, number: int) -> list[int]:
    world = start_campaign(app)
    with app.app_context():
        (wall,) = world.issue(Mode.OPEN)
        return [phone_at(world, "203.0.113.7").post(wall.code).status_code for _ in range(number)]


@pytest.mark.parametrize(("settings", "last"), [({}, 201), ({"address_ballots_per_minute": 5}, 429)])
def test_the_backstop_by_address_is_off_unless_configured(
    tmp_path: Path, sqlite_database: Database, settings: dict[str, Any], last: int
) -> None:
    answers = send_from_one_address(make_app(tmp_path, sqlite_database, **settings), 6)
    assert answers == [201] * 5 + [last]


def test_who_is_slowed_down_is_told_so(world: World) -> None:
    phone = phone_at(world, "203.0.113.7")
    guess(phone, 61)
    answer = phone.client.get(f"/api/v1/entrances/{UNKNOWN}")
    assert code_of(answer) == (429, "slow_down")
    assert int(answer.headers["Retry-After"]) > 0
