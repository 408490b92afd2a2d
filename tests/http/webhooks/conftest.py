"""A county that registers receivers, and a receiver that is real."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from survey_service.core.db import Database
from survey_service.staff.rules import TokenKind
from survey_service.webhooks.jobs import send_deliveries
from tests.factories.applications import make_app
from tests.factories.staff.offices import NOW, open_offices, sign_in


class Receiver(HTTPServer):
    """Keeps what it is sent, and answers with a status that the test chooses."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 204
        self.received: list[tuple[dict[str, str], bytes]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Receiver)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
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


@dataclass
class County:
    """The installation as its people and its worker see it, at a moment that the test moves on."""

    app: Flask
    now: datetime = NOW
    tokens: dict[tuple[str, date], str] = field(default_factory=dict)

    def client(self, username: str) -> FlaskClient:
        """Return a client of somebody with a bearer token."""
        key = username, self.now.date()
        if key not in self.tokens:
            with self.app.app_context(), self.app.extensions["database"].unit_of_work() as session:
                self.tokens[key] = sign_in(session, username, kind=TokenKind.BEARER, now=self.now).token
        client = self.app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self.tokens[key]}"
        return client

    def register(self, url: str, **changes: Any) -> dict[str, Any]:
        asked = {"organization_code": "county", "title": "县平台", "url": url, "topics": ["warning.raised"]}
        answer = self.call("POST", "/webhooks", json=asked | changes)
        assert answer.status_code == 201, answer.json
        made: dict[str, Any] = answer.json
        return made

    def call(self, method: str, path: str, *, by: str = "county.admin", **options: Any) -> Any:
        with time_machine.travel(self.now, tick=False):
            return self.client(by).open(f"/api/v1{path}", method=method, **options)

    def work(self) -> None:
        """Do what a worker does."""
        with time_machine.travel(self.now, tick=False), self.app.app_context():
            send_deliveries()


@pytest.fixture
def county(tmp_path: Path, sqlite_database: Database) -> County:
    app = make_app(tmp_path, sqlite_database, webhook_allow_http=True, webhook_allow_private=True)
    with app.app_context(), sqlite_database.unit_of_work() as session:
        open_offices(session)
    return County(app)
