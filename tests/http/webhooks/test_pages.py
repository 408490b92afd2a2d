"""What the county does with receivers on its pages: register, look at the log, send again, pause, delete."""

import re
from collections.abc import Iterator

import pytest
import time_machine

from survey_service.core.db import reading, unit_of_work
from survey_service.core.privacy import current_keyring
from survey_service.organizations.queries import path_of_organization
from survey_service.webhooks.models import Webhook, WebhookAttempt, WebhookDelivery
from survey_service.webhooks.rules import Topic
from survey_service.webhooks.service import announce, claim_delivery
from tests.factories.auditing.chain import read_chain
from tests.factories.staff.offices import PASSWORD
from tests.http.reports.conftest import Browser
from tests.http.webhooks.conftest import County, Receiver

SECRET = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def desk(county: County) -> Iterator[Browser]:
    """The county's browser."""
    with time_machine.travel(county.now, tick=False):
        yield sign_in(county, "county.admin")


def sign_in(county: County, username: str) -> Browser:
    browser = Browser(county.app.test_client())
    browser.post("/staff", {"username": username, "password": PASSWORD})
    return browser


def fields(url: str, **changes: object) -> dict[str, object]:
    asked = {"title": "县平台", "organization_code": "county", "topics": ["warning.raised"]}
    return asked | {"url": url} | changes


def register(desk: Browser, url: str) -> str:
    """Register a receiver and return the address of its page."""
    desk.get("/staff/webhooks")
    page = desk.post("/staff/webhooks", fields(url)).text
    found = re.search(r"/staff/webhooks/\d+", page)
    assert found
    return found[0]


def tell(county: County) -> None:
    with county.app.app_context(), unit_of_work() as session:
        path = path_of_organization(session, code="village")
        announce(session, topic=Topic.WARNING_RAISED, path=path, data={}, now=county.now)


def test_the_secret_is_shown_once(county: County, receiver: Receiver, desk: Browser) -> None:
    desk.get("/staff/webhooks")
    made = desk.post("/staff/webhooks", fields(receiver.url))
    (secret,) = SECRET.findall(made.text)
    place = re.search(r"/staff/webhooks/\d+", made.text)
    assert place
    assert not SECRET.search(desk.get("/staff/webhooks").text + desk.get(place[0]).text)
    (renewed,) = SECRET.findall(desk.post(f"{place[0]}/secret").text)
    assert renewed != secret


def test_the_log_shows_each_attempt_and_sends_again(
    county: County, receiver: Receiver, desk: Browser
) -> None:
    place = register(desk, receiver.url)
    tell(county)
    receiver.status = 500
    county.work()
    page = desk.get(place).text
    assert "对方回答 500" in page
    assert "等待发送" in page
    assert "下一次" in page
    assert "1 条在等待发送" in desk.get("/staff/webhooks").text
    receiver.status = 204
    again = re.search(rf'action="({place}/deliveries/\d+)"', page)
    assert again
    assert "已经排队发送" in desk.follow(again[1]).text
    county.work()
    page = desk.get(place).text
    assert "对方回答 204" in page
    assert "已送到" in page


def test_a_paused_receiver_hears_nothing(county: County, receiver: Receiver, desk: Browser) -> None:
    place = register(desk, receiver.url)
    page = desk.follow(f"{place}/disable").text
    assert "已暂停" in page
    assert f"{place}/ping" not in page
    tell(county)
    county.work()
    assert receiver.received == []
    assert "已经恢复发送" in desk.follow(f"{place}/enable").text
    desk.follow(f"{place}/ping")
    county.work()
    assert len(receiver.received) == 1


def test_deleting_takes_the_log_along(county: County, receiver: Receiver, desk: Browser) -> None:
    place = register(desk, receiver.url)
    tell(county)
    county.work()
    tell(county)
    with county.app.app_context(), unit_of_work() as session:
        taken = claim_delivery(session, keyring=current_keyring(), now=county.now)
    assert taken is not None
    assert "已经删除" in desk.follow(f"{place}/delete").text
    county.work()
    assert len(receiver.received) == 1
    with county.app.app_context(), reading() as session:
        left = [session.query(table).count() for table in (Webhook, WebhookDelivery, WebhookAttempt)]
    assert left == [0, 0, 0]
    assert desk.get(place).status_code == 404
    assert read_chain(county.app.extensions["database"])[-1].action == "webhooks.delete"


def test_what_is_wrong_is_said_and_kept(county: County, desk: Browser) -> None:
    desk.get("/staff/webhooks")
    refused = desk.post("/staff/webhooks", fields("ftp://x", topics=[]))
    assert refused.status_code == 422
    assert "县平台" in refused.text
    refused = desk.post("/staff/webhooks", fields("ftp://x"))
    assert (refused.status_code, "网址写得不对" in refused.text) == (422, True)
    assert 'value="warning.raised" checked' in refused.text


def test_only_the_county_comes_to_these_pages(county: County, receiver: Receiver, desk: Browser) -> None:
    place = register(desk, receiver.url)
    town = sign_in(county, "town.staff")
    assert "/staff/webhooks" not in town.get("/staff/opinions").text
    acts = ("secret", "disable", "enable", "ping", "delete", "deliveries/1")
    statuses = {town.post(f"{place}/{act}").status_code for act in acts}
    assert statuses | {town.get(place).status_code, town.get("/staff/webhooks").status_code} == {403}
