"""Receivers are registered by the county, told what happens, told again, and never reached by a detour."""

import json
import socket
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest

from survey_service.core.db import Database, reading, unit_of_work
from survey_service.core.privacy import current_keyring
from survey_service.organizations.queries import path_of_organization
from survey_service.organizations.rules import OrganizationKind
from survey_service.webhooks import jobs
from survey_service.webhooks.jobs import send_deliveries
from survey_service.webhooks.rules import Attempt, DeliveryFault, Reach, Topic, is_genuine
from survey_service.webhooks.service import announce, claim_delivery, note_attempt
from survey_service.webhooks.transport import post
from survey_service.wiring import SWEEPS
from tests.factories.applications import make_app
from tests.factories.auditing.chain import read_chain
from tests.factories.staff.offices import add_place, open_offices
from tests.http.webhooks.conftest import County, Receiver
from tests.support.servers import free_port


def tell(county: County, *, code: str = "village", topic: Topic = Topic.WARNING_RAISED) -> int:
    with county.app.app_context(), unit_of_work() as session:
        path = path_of_organization(session, code=code)
        return announce(session, topic=topic, path=path, data={"说明": "危房"}, now=county.now)


def deliveries(county: County, webhook: dict[str, object]) -> list[dict[str, object]]:
    items: list[dict[str, object]] = county.call("GET", f"/webhooks/{webhook['id']}/deliveries").json["items"]
    return items


def test_what_happens_arrives_signed(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    assert tell(county) == 1
    county.work()
    ((headers, body),) = receiver.received
    assert is_genuine(webhook["secret"], headers, body)
    assert not is_genuine(webhook["secret"], headers, body + b" ")
    assert headers["Webhook-Timestamp"] == str(int(county.now.timestamp()))
    assert json.loads(body) == {
        "type": "warning.raised",
        "timestamp": county.now.isoformat(),
        "data": {"说明": "危房"},
    }
    (delivery,) = deliveries(county, webhook)
    assert (delivery["state"], delivery["message_id"]) == ("delivered", headers["Webhook-Id"])
    county.work()
    assert len(receiver.received) == 1


def test_only_what_was_asked_for_and_lies_below_is_told(county: County, receiver: Receiver) -> None:
    county.register(receiver.url, organization_code="tangxi")
    assert tell(county, topic=Topic.RATING_PUBLISHED) == 0
    assert tell(county, code="other-village") == 0
    assert tell(county, code="county") == 0
    assert tell(county, code="tangxi") == 1


def test_a_rollback_tells_nobody(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    with county.app.app_context(), reading() as session:
        path = path_of_organization(session, code="village")
        assert announce(session, topic=Topic.WARNING_RAISED, path=path, data={}, now=county.now) == 1
    county.work()
    assert receiver.received == []
    assert deliveries(county, webhook) == []


@pytest.mark.parametrize("status", [500, 302, 404])
def test_a_failure_is_tried_again_later_each_time_under_one_id(
    county: County, receiver: Receiver, status: int
) -> None:
    webhook = county.register(receiver.url)
    tell(county)
    receiver.status = status
    for seconds in (0, 29, 1, 299, 1):
        county.now += timedelta(seconds=seconds)
        county.work()
    assert len(receiver.received) == 3
    assert len({headers["Webhook-Id"] for headers, _ in receiver.received}) == 1
    receiver.status = 200
    county.now += timedelta(minutes=30)
    county.work()
    (delivery,) = deliveries(county, webhook)
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    assert [attempt["status"] for attempt in attempts] == [status, status, status, 200]
    assert delivery["state"] == "delivered"


def test_whoever_never_answers_is_given_up_and_can_be_sent_to_again(
    county: County, receiver: Receiver
) -> None:
    webhook = county.register(f"http://127.0.0.1:{free_port()}/")
    tell(county)
    for _ in range(12):
        county.work()
        county.now += timedelta(days=1)
    (delivery,) = deliveries(county, webhook)
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    assert {attempt["fault"] for attempt in attempts} == {"unreachable"}
    assert (delivery["state"], len(attempts)) == ("failed", 9)
    again = county.call("POST", f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert (again.status_code, again.json["state"]) == (202, "pending")
    county.work()
    (delivery,) = deliveries(county, webhook)
    attempts = delivery["attempts"]
    assert isinstance(attempts, list)
    assert len(attempts) == 10


def test_a_receiver_that_is_gone_is_not_asked_again(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    tell(county)
    receiver.status = 410
    county.work()
    assert deliveries(county, webhook)[0]["state"] == "failed"


def test_a_receiver_can_be_tried_out_switched_off_and_on(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    place = f"/webhooks/{webhook['id']}"
    assert county.call("POST", f"{place}/ping").status_code == 202
    county.work()
    assert json.loads(receiver.received[0][1])["type"] == "webhook.ping"
    tell(county)
    assert county.call("POST", f"{place}/disable").json["is_enabled"] is False
    county.work()
    assert len(receiver.received) == 1
    assert tell(county) == 0
    assert county.call("POST", f"{place}/ping").json["code"] == "webhook_disabled"
    assert county.call("POST", f"{place}/enable").json["is_enabled"] is True
    assert tell(county) == 1


def test_a_new_secret_signs_from_now_on(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    renewed = county.call("POST", f"/webhooks/{webhook['id']}/secret").json["secret"]
    tell(county)
    county.work()
    headers, body = receiver.received[0]
    assert is_genuine(renewed, headers, body)
    assert not is_genuine(webhook["secret"], headers, body)


def test_the_secret_is_shown_once_and_stored_wrapped(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    (listed,) = county.call("GET", "/webhooks").json["items"]
    assert listed == {name: value for name, value in webhook.items() if name != "secret"}
    written = " ".join(map(str, read_chain(county.app.extensions["database"])))
    assert webhook["secret"] not in written
    assert "webhooks.register" in written


def test_only_the_county_registers_and_only_below_itself(county: County, receiver: Receiver) -> None:
    asked = {"organization_code": "county", "title": "甲", "url": receiver.url, "topics": ["warning.raised"]}
    for name in ("town.staff", "town.secretary", "county.auditor"):
        assert county.call("POST", "/webhooks", by=name, json=asked).status_code == 403
    with county.app.app_context(), unit_of_work() as session:
        add_place(session, "elsewhere", OrganizationKind.COUNTY, None)
    elsewhere = asked | {"organization_code": "elsewhere"}
    assert county.call("POST", "/webhooks", json=elsewhere).status_code == 403
    unknown = asked | {"organization_code": "nowhere"}
    assert county.call("POST", "/webhooks", json=unknown).status_code == 404


def test_a_private_or_open_address_is_refused(tmp_path: Path, sqlite_database: Database) -> None:
    app = make_app(tmp_path, sqlite_database)
    with app.app_context(), sqlite_database.unit_of_work() as session:
        open_offices(session)
    county = County(app)
    asked = {"organization_code": "county", "title": "甲", "topics": ["warning.raised"]}
    for url in ("http://county.example/", "https://127.0.0.1/", "https://a:b@county.example/"):
        answer = county.call("POST", "/webhooks", json=asked | {"url": url})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["url"])


def test_a_name_that_leads_inside_is_not_followed(receiver: Receiver) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    closed = post(url, body=b"{}", headers={}, reach=Reach(allows_http=True))
    assert closed.fault is DeliveryFault.FORBIDDEN_ADDRESS
    assert receiver.received == []
    assert post(url, body=b"{}", headers={}, reach=Reach(allows_http=True, allows_private=True)).is_accepted


def test_a_receiver_without_a_trusted_certificate_gets_nothing(receiver: Receiver) -> None:
    url = receiver.url.replace("http://", "https://")
    attempt = post(url, body=b"{}", headers={}, reach=Reach(allows_private=True))
    assert attempt.fault in {DeliveryFault.NO_TRUST, DeliveryFault.UNREACHABLE}
    assert receiver.received == []


def test_a_crash_between_taking_and_sending_loses_nothing(county: County, receiver: Receiver) -> None:
    county.register(receiver.url)
    tell(county)
    with county.app.app_context(), unit_of_work() as session:
        assert claim_delivery(session, keyring=current_keyring(), now=county.now) is not None
    county.work()
    assert receiver.received == []
    county.now += timedelta(seconds=30)
    county.work()
    assert len(receiver.received) == 1


def test_slow_receivers_let_other_work_go_first(
    county: County, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    county.register(receiver.url)
    tell(county)
    tell(county)
    monkeypatch.setattr(jobs, "SLICE_SECONDS", 0)
    for number in (1, 2):
        county.work()
        assert len(receiver.received) == number


def test_a_late_answer_does_not_end_what_was_asked_for_again(county: County, receiver: Receiver) -> None:
    webhook = county.register(receiver.url)
    tell(county)
    with county.app.app_context(), unit_of_work() as session:
        claim = claim_delivery(session, keyring=current_keyring(), now=county.now)
    assert claim is not None
    path = f"/webhooks/{webhook['id']}/deliveries/{claim.delivery_id}/redeliver"
    assert county.call("POST", path).status_code == 202
    with county.app.app_context(), unit_of_work() as session:
        gone = Attempt(status=410)
        note_attempt(session, claim=claim, attempt=gone, milliseconds=1, now=county.now)
    county.work()
    assert len(receiver.received) == 1


def test_the_sweep_sends_what_a_lost_queue_forgot() -> None:
    assert send_deliveries in SWEEPS


def test_an_answer_that_drips_for_ever_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = Thread(target=drip, args=(server,))
        dripping.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        reach = Reach(allows_http=True, allows_private=True)
        assert post(url, body=b"{}", headers={}, reach=reach, longest=0.3).fault is DeliveryFault.TIMED_OUT
        dripping.join()


def drip(server: socket.socket) -> None:
    """Send a status line that never ends, until nobody listens any more."""
    connected, _ = server.accept()
    with connected, suppress(OSError):
        connected.sendall(b"HTTP/1.1 2")
        while True:
            connected.sendall(b"0")
            time.sleep(0.05)
