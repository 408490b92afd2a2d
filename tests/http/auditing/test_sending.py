"""The head leaves the house once a day, signed, and again when nobody took it. The receiver is real."""

import hmac
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import time_machine
from flask import Flask

from survey_service.auditing.jobs import send_audit_head
from survey_service.auditing.queries import get_delivery, get_head
from survey_service.core.config import load_settings
from survey_service.core.db import Database
from survey_service.wiring import SWEEPS
from tests.factories.applications import make_app
from tests.factories.auditing.chain import NOW, append
from tests.support.servers import free_port

SECRET = "shared with the receiver"


class Receiver(HTTPServer):
    """Keeps what it is sent, and answers with a status that the test chooses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.received: list[tuple[str, str, bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/heads?from=county"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, self.headers["X-Signature-256"], body))
        self.send_response(self.server.status)
        self.send_header("Location", self.server.url)
        self.end_headers()

    def log_message(self, format: str, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def sweep(receiver: Receiver, tmp_path: Path, database: Database) -> Callable[[datetime], None]:
    """Return what the sweep does at a moment."""
    changes = {"audit_webhook_url": receiver.url, "audit_webhook_secret": SECRET}
    return sweeping(make_app(tmp_path, database, **changes))


def sweeping(app: Flask) -> Callable[[datetime], None]:
    def sweep(moment: datetime) -> None:
        with time_machine.travel(moment, tick=False), app.app_context():
            send_audit_head()

    return sweep


def test_the_head_is_sent_signed(
    receiver: Receiver, sweep: Callable[[datetime], None], database: Database
) -> None:
    append(database, "first", "second")
    sweep(NOW)
    ((path, signature, body),) = receiver.received
    with database.reading() as session:
        head = get_head(session)
        delivery = get_delivery(session)
    assert path == "/heads?from=county"
    assert signature == "sha256=" + hmac.digest(SECRET.encode(), body, "sha256").hex()
    assert json.loads(body) == {
        "service": "http://survey.example",
        "at": NOW.isoformat(),
        "seq": 2,
        "digest": head.digest,
    }
    assert (delivery.sent_on, delivery.sent_seq) == (NOW.date(), 2)


def test_it_is_sent_once_a_day_of_shanghai(receiver: Receiver, sweep: Callable[[datetime], None]) -> None:
    midnight = NOW.replace(hour=16)
    for moment in (NOW, NOW + timedelta(seconds=5), midnight - timedelta(seconds=1)):
        sweep(moment)
    assert len(receiver.received) == 1
    sweep(midnight)
    assert len(receiver.received) == 2


@pytest.mark.parametrize("status", [500, 302, 404])
def test_what_nobody_took_is_sent_again_later(
    receiver: Receiver, sweep: Callable[[datetime], None], status: int
) -> None:
    receiver.status = status
    for seconds in (0, 5, 119):
        sweep(NOW + timedelta(seconds=seconds))
    assert len(receiver.received) == 1, "a redirect is not followed, and a failure is not hammered on"
    sweep(NOW + timedelta(seconds=120))
    assert len(receiver.received) == 2
    sweep(NOW + timedelta(seconds=120 + 239))
    assert len(receiver.received) == 2
    receiver.status = 200
    sweep(NOW + timedelta(seconds=120 + 240))
    sweep(NOW + timedelta(hours=2))
    assert len(receiver.received) == 3


def test_a_receiver_that_is_away_is_waited_for(tmp_path: Path, database: Database) -> None:
    changes = {"audit_webhook_url": f"http://127.0.0.1:{free_port()}", "audit_webhook_secret": SECRET}
    sweeping(make_app(tmp_path, database, **changes))(NOW)
    with database.reading() as session:
        delivery = get_delivery(session)
        assert (delivery.sent_on, delivery.failures) == (None, 1)


def test_nothing_is_sent_without_an_address(tmp_path: Path, database: Database) -> None:
    sweeping(make_app(tmp_path, database))(NOW)
    with database.reading() as session:
        assert get_delivery(session).failures == 0


def test_the_sweep_sends_it() -> None:
    assert send_audit_head in SWEEPS


@pytest.mark.parametrize(
    ("url", "secret"), [("https://receiver.example", ""), ("ftp://receiver.example", SECRET)]
)
def test_an_address_that_cannot_be_used_is_refused_at_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, secret: str
) -> None:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setenv("AUDIT_WEBHOOK_URL", url)
    monkeypatch.setenv("AUDIT_WEBHOOK_SECRET", secret)
    with pytest.raises(ValueError, match="AUDIT_WEBHOOK_URL"):
        load_settings()
