"""Reminders: switched on by an office, weekly at most, alike for all branches, and about no household."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select, update

from survey_service.auditing.models import AuditEntry
from survey_service.campaigns.models import Campaign
from survey_service.campaigns.service import close_campaign
from survey_service.organizations.queries import get_organization, list_ancestors
from survey_service.reminders import service
from survey_service.reminders.jobs import sweep_reminders
from survey_service.reminders.models import Reminder
from survey_service.staff.rules import Role
from survey_service.webhooks.models import Webhook, WebhookDelivery, WebhookTopic
from survey_service.webhooks.rules import Topic
from tests.factories.campaigns import NOW, OPENS_AT, World, start_campaign
from tests.http.reports.conftest import Browser, People

DAY = timedelta(days=1)
FIRST = OPENS_AT + 2 * DAY
"""The first moment of a reminder; it is nine in the morning there."""
TITLE = "本周提醒"

sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def long_town(town: World) -> World:
    """The town's campaign with weeks before it."""
    with town.app.extensions["database"].unit_of_work() as session:
        ends = {"closes_at": NOW + 60 * DAY, "accepts_until": NOW + 61 * DAY}
        session.execute(update(Campaign).where(Campaign.id == town.campaign_id).values(ends))
    return town


@pytest.fixture
def reminding(long_town: World) -> World:
    switch(long_town)
    return long_town


def switch(world: World, *, is_on: bool = True, now: datetime = NOW) -> None:
    with world.app.extensions["database"].unit_of_work() as session:
        service.switch_reminders(session, campaign_id=world.campaign_id, is_on=is_on, now=now)


def sweep(world: World, now: datetime) -> None:
    with time_machine.travel(now, tick=False), world.app.app_context():
        sweep_reminders()


def made(world: World) -> list[int]:
    """Return on which days since the first moment each branch was last reminded."""
    with world.app.extensions["database"].reading() as session:
        days = session.scalars(select(Reminder.made_on).where(Reminder.campaign_id == world.campaign_id))
        return [(day - FIRST.date()).days for day in days]


def entries(world: World) -> list[AuditEntry]:
    with world.app.extensions["database"].reading() as session:
        return list(session.scalars(select(AuditEntry).where(AuditEntry.action == "reminders.make")))


@sqlite_only
def test_nobody_is_reminded_unless_an_office_wants_it(long_town: World) -> None:
    sweep(long_town, FIRST)
    assert made(long_town) == []
    switch(long_town)
    switch(long_town, is_on=False)
    sweep(long_town, FIRST)
    assert made(long_town) == []


def test_every_branch_is_reminded_once_in_seven_days(reminding: World) -> None:
    for day, expected in ((0, 0), (0, 0), (1, 0), (6, 0), (7, 7), (8, 7), (13, 7), (14, 14)):
        sweep(reminding, FIRST + day * DAY)
        assert made(reminding) == [expected] * 2, day
    assert len(entries(reminding)) == 3


@sqlite_only
@pytest.mark.parametrize(
    "moment",
    [FIRST - timedelta(hours=20), FIRST - timedelta(minutes=1), FIRST + timedelta(hours=9)],
    ids=["too-soon", "early-morning", "evening"],
)
def test_the_first_days_and_the_evening_are_left_alone(reminding: World, moment: datetime) -> None:
    sweep(reminding, moment)
    assert made(reminding) == []


@sqlite_only
@pytest.mark.parametrize("hours", [0, 3], ids=["early", "late"])
def test_early_on_a_later_day_is_too_early_too(reminding: World, hours: int) -> None:
    sweep(reminding, FIRST + DAY - timedelta(hours=1) + timedelta(hours=hours))
    assert bool(made(reminding)) is (hours == 3)


@sqlite_only
def test_no_branch_is_reminded_of_what_has_ended(reminding: World) -> None:
    with reminding.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=reminding.campaign_id, now=FIRST)
    sweep(reminding, FIRST + timedelta(hours=1))
    with reminding.app.app_context(), reminding.app.extensions["database"].unit_of_work() as session:
        later = FIRST + timedelta(hours=1)
        assert service.remind_branches(session, campaign_id=reminding.campaign_id, now=later) == 0
    assert made(reminding) == []


@sqlite_only
def test_a_batch_at_a_time(reminding: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("survey_service.reminders.queries.BATCH", 1)
    for expected in (1, 2, 2):
        sweep(reminding, FIRST)
        assert len(made(reminding)) == expected
    assert [json.loads(entry.after or "{}") for entry in entries(reminding)] == [{"branches": 1}] * 2


def test_two_sweeps_at_once_remind_once(committing_app: Flask) -> None:
    world = start_campaign(committing_app)
    switch(world)

    def remind(_: int) -> int:
        with world.app.app_context(), world.app.extensions["database"].unit_of_work() as session:
            return service.remind_branches(session, campaign_id=world.campaign_id, now=FIRST)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(remind, range(4))) == [0, 0, 0, 2]


@pytest.fixture
def receiver_of(reminding: World) -> Any:
    """Register a receiver at a place, and return what it is sent as JSON."""

    def register(code: str, *topics: Topic) -> Any:
        with reminding.app.extensions["database"].unit_of_work() as session:
            place = get_organization(session, code=code)
            asked = [WebhookTopic(topic=topic) for topic in topics]
            hook = Webhook(
                organization=place,
                title="县平台",
                url="https://receiver.example/hook",
                staff_id=reminding.staff.id,
                created_at=NOW,
                topics=asked,
            )
            session.add(hook)
            session.flush()
            hook_id = hook.id

        def read() -> list[Any]:
            with reminding.app.extensions["database"].reading() as session:
                own = select(WebhookDelivery.body).where(WebhookDelivery.webhook_id == hook_id)
                return [json.loads(body) for body in session.scalars(own)]

        return read

    return register


@sqlite_only
def test_receivers_are_told_town_by_town_and_nothing_about_households(
    reminding: World, receiver_of: Any
) -> None:
    with reminding.app.extensions["database"].reading() as session:
        county = list_ancestors(session, path=reminding.staff.path)[0].code
    reminding.vote(["satisfied"] * 6)
    reads = {
        "county": receiver_of(county, Topic.REMINDER_MADE),
        "town": receiver_of(reminding.town_code, Topic.REMINDER_MADE),
        "village": receiver_of(reminding.village_codes[0], Topic.REMINDER_MADE),
        "other topic": receiver_of(county, Topic.WARNING_RAISED),
    }
    sweep(reminding, FIRST)
    sweep(reminding, FIRST + DAY)
    told = {name: read() for name, read in reads.items()}
    assert {name: len(bodies) for name, bodies in told.items()} == {
        "county": 1,
        "town": 1,
        "village": 0,
        "other topic": 0,
    }
    (message,) = told["town"]
    assert (message["type"], set(message["data"])) == (
        "reminder.made",
        {"campaign_id", "title", "closes_at", "organization_codes"},
    )
    assert message["data"]["organization_codes"] == reminding.village_codes


@sqlite_only
def test_a_secretary_sees_it_for_a_week_and_nobody_else_does(
    reminding: World, elsewhere: World, people: People
) -> None:
    secretary = people.hire(Role.BRANCH_SECRETARY, reminding.village_codes[0])
    stranger = people.hire(Role.BRANCH_SECRETARY, elsewhere.village_codes[0])
    clerk = people.hire(Role.TOWN_STAFF, reminding.town_code)

    def is_shown(name: str, moment: datetime) -> bool:
        with time_machine.travel(moment, tick=False):
            browser = Browser(reminding.app.test_client())
            browser.post("/staff", {"username": name, "password": "Tangxi-2026"})
            page = browser.get("/staff/campaigns")
        assert page.status_code == 200
        return TITLE in page.text

    assert not is_shown(secretary, FIRST)
    sweep(reminding, FIRST)
    assert is_shown(secretary, FIRST)
    assert is_shown(secretary, FIRST + 6 * DAY)
    assert not is_shown(secretary, FIRST + 7 * DAY)
    assert not is_shown(clerk, FIRST)
    assert not is_shown(stranger, FIRST)
    switch(reminding, is_on=False, now=FIRST)
    assert not is_shown(secretary, FIRST)


@sqlite_only
def test_what_a_secretary_reads_names_nobody_and_no_number(reminding: World, people: People) -> None:
    browser = people.browser(Role.BRANCH_SECRETARY, reminding.village_codes[0])
    sweep(reminding, FIRST)
    before = browser.get("/staff/campaigns").text.partition(TITLE)[2].partition("</section>")[0]
    reminding.vote(["satisfied"] * 30)
    reminding.drain()
    after = browser.get("/staff/campaigns").text.partition(TITLE)[2].partition("</section>")[0]
    assert before == after, "it says the same whoever has taken part"
    assert "2026年度测评" in before
    assert "不要打听谁填了、谁没填" in before


@sqlite_only
def test_an_office_switches_it_on_its_own_page(long_town: World, people: People) -> None:
    address = f"/staff/campaigns/{long_town.campaign_id}"
    clerk = people.browser(Role.TOWN_STAFF, long_town.town_code)
    assert "现在：关着" in clerk.get(f"{address}/method").text
    assert "现在：开着" in clerk.follow(f"{address}/reminders", {"is_on": "1"}).text
    assert "现在：关着" in clerk.follow(f"{address}/reminders", {"is_on": "0"}).text
    secretary = people.browser(Role.BRANCH_SECRETARY, long_town.village_codes[0])
    assert "每周提醒" not in secretary.get(f"{address}/method").text
    assert secretary.post(f"{address}/reminders", {"is_on": "1"}).status_code == 403
    with long_town.app.extensions["database"].unit_of_work() as session:
        close_campaign(session, campaign_id=long_town.campaign_id, now=NOW)
    clerk.get(f"{address}/method")
    assert clerk.post(f"{address}/reminders", {"is_on": "1"}).status_code == 409
