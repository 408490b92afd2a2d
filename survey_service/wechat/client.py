"""Calls to WeChat's servers: every one ends in time, and its answer is a value or a named refusal."""

import json
import logging
import random
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Timer
from typing import Any, Protocol, TypeVar
from urllib.parse import urlencode, urlsplit

from prometheus_client import Counter

from survey_service.wechat.rules import (
    Lease,
    Message,
    Reaction,
    Visitor,
    known_error,
    read_lease,
    read_member,
    read_nothing,
    read_visitor,
)

_read_token = partial(read_lease, name="access_token")
_read_ticket = partial(read_lease, name="ticket")

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 4.0
"""For the whole answer, however slowly it drips."""
MAX_ANSWER_BYTES = 64 * 1024
TRIES_WHEN_BUSY = 3
SHORTEST_PAUSE_SECONDS = 15.0
LONGEST_PAUSE_SECONDS = 900.0
SILENCES_BEFORE_PAUSE = 3

T = TypeVar("T")

log = logging.getLogger(__name__)

_CALLS = Counter("survey_wechat_calls", "Calls to WeChat, and what came of them.", ["call", "outcome"])


class WeChatRefusal(Exception):
    """WeChat did not give what was asked for; `reaction` says what the caller may do about it."""

    def __init__(self, reaction: Reaction) -> None:
        self.reaction = reaction
        super().__init__(reaction.value)


class NoAnswerError(Exception):
    """Nothing came in time, or nothing that can be read."""


class Transport(Protocol):
    """Sends one request and returns the body of its answer; raises NoAnswerError."""

    def __call__(self, method: str, path: str, body: bytes | None) -> bytes: ...


class HttpTransport:
    """A connection for each request: WeChat is called rarely, and a kept one breaks when it is needed."""

    def __init__(self, base: str) -> None:
        parts = urlsplit(base)
        self._kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._host, self._prefix = parts.netloc, parts.path.rstrip("/")

    def __call__(self, method: str, path: str, body: bytes | None) -> bytes:
        connection = self._kind(self._host, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
            return self._exchange(connection, method, path, body)
        except (OSError, HTTPException, ValueError) as error:
            # The words of an error may hold the address that was called, and that holds the secret.
            raise NoAnswerError(type(error).__name__) from None
        finally:
            connection.close()

    def _exchange(self, connection: HTTPConnection, method: str, path: str, body: bytes | None) -> bytes:
        connection.sock.settimeout(ANSWER_SECONDS)
        # A time-out of the socket begins anew with each byte; this one ends all of it.
        end = Timer(ANSWER_SECONDS, _cut, [connection.sock])
        end.daemon = True
        end.start()
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, self._prefix + path, body, headers)
            with connection.getresponse() as response:
                content = response.read(MAX_ANSWER_BYTES + 1)
        finally:
            end.cancel()
        if response.status != HTTPStatus.OK or len(content) > MAX_ANSWER_BYTES:
            raise ValueError("no answer of WeChat's")
        return content


def _cut(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Pauses:
    """Calls that are left alone for a while, each time twice as long, until one succeeds."""

    def __init__(self) -> None:
        self._pauses: dict[str, tuple[float, float]] = {}
        self._silences: dict[str, int] = {}

    def is_on(self, call: str) -> bool:
        until, _ = self._pauses.get(call, (0.0, 0.0))
        return time.monotonic() < until

    def lengthen(self, call: str) -> None:
        _, last = self._pauses.get(call, (0.0, 0.0))
        seconds = min(max(last * 2, SHORTEST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
        self._pauses[call] = (time.monotonic() + seconds, seconds)

    def count_silence(self, call: str) -> None:
        """Count a call without answer; after some in a row the next ones are not even tried."""
        self._silences[call] = self._silences.get(call, 0) + 1
        if self._silences[call] >= SILENCES_BEFORE_PAUSE:
            self.lengthen(call)

    def end(self, call: str) -> None:
        self._pauses.pop(call, None)
        self._silences.pop(call, None)


class Caller:
    """Calls to one of WeChat's servers: what is tried again, what is left alone, and what is logged."""

    def __init__(self, transport: Transport, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._transport = transport
        self._sleep = sleep
        self._pauses = Pauses()

    def _call(
        self,
        call: str,
        path: str,
        query: Mapping[str, str],
        read: Callable[[Mapping[str, Any]], T],
        body: Mapping[str, object] | None = None,
    ) -> T:
        """Call, and try again while WeChat says that it is busy."""
        for tries_left in reversed(range(TRIES_WHEN_BUSY)):
            try:
                return self._call_once(call, f"{path}?{urlencode(query)}" if query else path, read, body)
            except WeChatRefusal as refusal:
                if refusal.reaction is not Reaction.RETRY or tries_left == 0:
                    raise
            self._sleep(random.uniform(0.1, 0.4))  # noqa: S311  Keeps processes apart, and is no secret.
        raise AssertionError("the last try returns or raises")

    def _call_once(
        self,
        call: str,
        address: str,
        read: Callable[[Mapping[str, Any]], T],
        body: Mapping[str, object] | None,
    ) -> T:
        if self._pauses.is_on(call):
            raise WeChatRefusal(Reaction.BACK_OFF)
        sent = None if body is None else json.dumps(body).encode()
        try:
            answer = _parsed(self._transport("GET" if body is None else "POST", address, sent))
            if answer.get("errcode"):
                raise self._refusal(call, answer["errcode"], has_token="access_token=" in address)
            value = read(answer)
        except (NoAnswerError, ValueError) as error:
            self._pauses.count_silence(call)
            _CALLS.labels(call, "no_answer").inc()
            log.warning("WeChat gives no answer to %s (%s)", call, error)
            raise WeChatRefusal(Reaction.FAIL) from None
        self._pauses.end(call)
        _CALLS.labels(call, "ok").inc()
        return value

    def _refusal(self, call: str, code: object, *, has_token: bool) -> WeChatRefusal:
        """Count and log a refusal; its own words are left out, since they may name codes and tokens."""
        number = code if isinstance(code, int) else 0
        known = known_error(number, has_token=has_token)
        if known.reaction is Reaction.BACK_OFF:
            self._pauses.lengthen(call)
        _CALLS.labels(call, known.reaction.value).inc()
        level = logging.ERROR if known.reaction is Reaction.ALARM else logging.WARNING
        log.log(level, "WeChat refuses %s with %d: %s", call, number, known.meaning)
        return WeChatRefusal(known.reaction)


class WeChatClient(Caller):
    """The calls of one service account."""

    def __init__(
        self,
        transport: Transport,
        *,
        app_id: str,
        app_secret: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(transport, sleep=sleep)
        self._app_id = app_id
        self._app_secret = app_secret

    def exchange_code(self, code: str) -> Visitor:
        """Return whom a code stands for; raises WeChatRefusal."""
        query = {
            "appid": self._app_id,
            "secret": self._app_secret,
            "code": code,
            "grant_type": "authorization_code",
        }
        return self._call("access_token", "/sns/oauth2/access_token", query, read_visitor)

    def fetch_token(self, *, is_forced: bool = False) -> Lease:
        """Return the account's token, a new one if forced (twenty times a day); raises WeChatRefusal."""
        body = {
            "grant_type": "client_credential",
            "appid": self._app_id,
            "secret": self._app_secret,
            "force_refresh": is_forced,
        }
        return self._call("stable_token", "/cgi-bin/stable_token", {}, _read_token, body)

    def fetch_page_ticket(self, token: str) -> Lease:
        """Return the ticket that pages with the JS-SDK are signed with; raises WeChatRefusal."""
        query = {"access_token": token, "type": "jsapi"}
        return self._call("getticket", "/cgi-bin/ticket/getticket", query, _read_ticket)

    def send_message(self, token: str, openid: str, message: Message) -> None:
        """Send a subscription message; raises WeChatRefusal, `declined` by who does not want it."""
        path, query = "/cgi-bin/message/subscribe/bizsend", {"access_token": token}
        self._call("bizsend", path, query, read_nothing, message.addressed_to(openid))


class CompanyClient(Caller):
    """The calls of one self-built application of a company in 企业微信."""

    def __init__(
        self,
        transport: Transport,
        *,
        corp_id: str,
        secret: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        super().__init__(transport, sleep=sleep)
        self._corp_id = corp_id
        self._secret = secret

    def fetch_token(self, *, is_forced: bool = False) -> Lease:
        """Return the application's token: another one by itself when the last is no longer good."""
        query = {"corpid": self._corp_id, "corpsecret": self._secret}
        return self._call("gettoken", "/cgi-bin/gettoken", query, _read_token)

    def exchange_code(self, code: str, token: str) -> Visitor:
        """Return which member of the company a code stands for; raises WeChatRefusal."""
        query = {"access_token": token, "code": code}
        return self._call("getuserinfo", "/cgi-bin/auth/getuserinfo", query, read_member)


def _parsed(content: bytes) -> Mapping[str, Any]:
    """Read an answer; raises ValueError, which says nothing of the content."""
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        raise ValueError("the answer is no JSON") from None
    if not isinstance(answer, dict):
        raise ValueError("the answer is no object")
    return answer
