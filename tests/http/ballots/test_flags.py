"""Flags come from the real way of a ballot, and refuse nobody."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from survey_service.ballots.access import install
from survey_service.ballots.intake import IntakeWatch
from survey_service.ballots.models import Ballot
from survey_service.ballots.rules import FlagLimits
from survey_service.campaigns.rules import Mode
from tests.factories.applications import make_settings
from tests.factories.campaigns import NOW, World
from tests.http.ballots.phone import GOOD, Phone, new_secret

UNHURRIED = timedelta(minutes=2)


@pytest.fixture(autouse=True)
def low_limits(world: World) -> None:
    limits = FlagLimits(burst_ballots=3, codes_per_browser=4, serial_run=4)
    world.app.extensions["intake_watch"] = IntakeWatch(limits)


def send(phone: Phone, code: str, *, after: timedelta = UNHURRIED, at: datetime = NOW, **more: Any) -> int:
    """Open a page, fill it in for a while, and send it."""
    with time_machine.travel(at, tick=False):
        ticket = phone.open(code)["ticket"]
    with time_machine.travel(at + after, tick=False):
        return phone.post(code, ticket=ticket, **more).status_code


def flags(world: World) -> list[str]:
    with world.app.extensions["database"].reading() as session:
        found = session.scalars(select(Ballot.flag).where(Ballot.campaign_id == world.campaign_id))
        return sorted(found)


def slots(world: World, *positions: int) -> list[str]:
    """Return codes far apart in their batch."""
    issued = world.issue(count=5 * (max(positions) + 1))
    return [issued[5 * position].code for position in positions]


def test_an_unhurried_ballot_by_day_has_no_flag(world: World, phone: Phone) -> None:
    assert send(phone, world.issue()[0].code) == 201
    assert flags(world) == [""]


def test_a_ballot_sent_at_once_is_too_fast(world: World, phone: Phone) -> None:
    assert send(phone, world.issue()[0].code, after=timedelta(seconds=2)) == 201
    assert flags(world) == ["too_fast"]


def test_a_ballot_at_night_comes_at_odd_hours(world: World, phone: Phone) -> None:
    assert send(phone, world.issue()[0].code, at=NOW - timedelta(hours=7)) == 201
    assert flags(world) == ["odd_hours"]


def test_codes_in_the_order_of_their_print_are_flagged_from_the_fourth_on(world: World) -> None:
    for issued in world.issue(count=6):
        assert send(Phone(world.app.test_client()), issued.code) == 201
    assert flags(world) == ["", "", "", *["serial_order"] * 3]


def test_codes_in_another_order_are_not(world: World) -> None:
    for code in reversed([issued.code for issued in world.issue(count=6)]):
        send(Phone(world.app.test_client()), code)
    assert flags(world) == [""] * 6


def test_an_order_with_long_pauses_is_none(world: World) -> None:
    for position, issued in enumerate(world.issue(count=6)):
        send(Phone(world.app.test_client()), issued.code, at=NOW + timedelta(minutes=5 * position))
    assert flags(world) == [""] * 6


def test_a_browser_with_many_codes_is_flagged_from_the_fourth_on(world: World, phone: Phone) -> None:
    for code in slots(world, 3, 0, 4, 1, 2):
        assert send(phone, code) == 201
    assert flags(world) == ["", "", "", "many_credentials", "many_credentials"]


def test_a_burst_on_one_wall_flags_what_comes_on_top_and_no_other_wall(world: World) -> None:
    (first,), (second,) = world.issue(Mode.OPEN), world.issue(Mode.OPEN)
    for code in [first.code] * 5 + [second.code]:
        assert send(Phone(world.app.test_client()), code) == 201
    assert flags(world) == ["", "", "", "", "burst", "burst"]


def test_what_is_sent_again_counts_once(world: World) -> None:
    phone, (posted,) = Phone(world.app.test_client()), world.issue(Mode.OPEN)
    ticket, secret = phone.open(posted.code)["ticket"], new_secret()
    with time_machine.travel(NOW + UNHURRIED, tick=False):
        for _ in range(6):
            phone.post(posted.code, ticket=ticket, secret=secret)
    send(Phone(world.app.test_client()), posted.code)
    assert flags(world)[0] == ""


def test_a_form_without_scripts_is_flagged_alike(world: World) -> None:
    code = world.issue()[0].code
    client = world.app.test_client()
    with time_machine.travel(NOW, tick=False):
        ticket = Phone(client).open(code)["ticket"]
        assert client.post(f"/s/{code}", data={"ticket": ticket} | GOOD).status_code == 303
    assert flags(world) == ["too_fast"]


def test_limits_come_from_the_settings(tmp_path: Any) -> None:
    settings = make_settings(tmp_path, flag_seconds_per_item=0.5, flag_serial_run=9)
    watch: Any = install(settings)["intake_watch"]
    assert watch.limits == FlagLimits(seconds_per_item=0.5, serial_run=9)
