"""A server that speaks WeChat's protocol, for tests and for the demonstration, and for nothing else.

It stands here, and not among the tests, so that `survey-service demo --fake-wechat` can start it from an
installed wheel. It knows a service account and a 企业微信 account, both with invented secrets. What it does
besides the protocol is asked for under `/fake/`: who holds the phone, and which answers go wrong.

    python -m survey_service.demonstration.fake_wechat --port 8001
"""

import json
import secrets
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from html import escape
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import click

APP_ID = "wxfake0000000001"
APP_SECRET = "fake-secret-of-the-service-account"  # noqa: S105  Invented, and opens nothing.
CORP_ID = "wwfake0000000001"
CORP_SECRET = "fake-secret-of-the-company"  # noqa: S105  Invented, and opens nothing.

TEMPLATE_ID = "fake-template-of-an-answer"
TEMPLATE_FIELDS = {"thing1": 20, "date2": 20}
"""The fields of the account's one template, with the most characters of each."""

CODE_SECONDS = 300
TOKEN_SECONDS = 7200
LONGEST_STATE = 128
PERSON_COOKIE = "fake_person"
VIRTUAL = "virtual"
"""A person of this name looks at a snapshot of the page and has no identity of his own."""
PEOPLE = ("张阿婆", "李大叔", "王小妹", VIRTUAL)
PARAMETERS = ["appid", "redirect_uri", "response_type", "scope", "state"]

Answer = dict[str, Any]


@dataclass
class Code:
    """A code that was handed out: for whom, when, and whether it has been used."""

    app_id: str
    person: str
    issued_at: float
    is_used: bool = False


@dataclass
class FakeWeChat:
    """What the server remembers; `person` holds every phone that says nothing else."""

    person: str | None = "张阿婆"
    codes: dict[str, Code] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    tickets: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    calls: list[str] = field(default_factory=list)
    consents: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many messages of a template a person still takes: one for each time that he agreed."""
    messages: list[Answer] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def reset(self, _: Answer) -> Answer:
        self.__init__()  # type: ignore[misc]  # A fake that forgets everything is a new one.
        return {}

    def hold(self, asked: Answer) -> Answer:
        """Let a person hold the phones; None asks each phone by a page."""
        self.person = asked["person"]
        return {}

    def script(self, asked: Answer) -> Answer:
        """Let the next answers to a call be others than the protocol's."""
        self.scripts[asked["call"]].extend(asked["answers"])
        return {}

    def expire(self, _: Answer) -> Answer:
        """Let all codes and tokens be too old."""
        for code in self.codes.values():
            code.issued_at -= CODE_SECONDS + 1
        self.tokens.clear()
        return {}

    def tell(self, _: Answer) -> Answer:
        return {"calls": self.calls, "messages": self.messages}

    def subscribe(self, asked: Answer) -> Answer:
        """Let a person agree to one message of the account's template."""
        self.consents[openid_of(APP_ID, asked["person"]), TEMPLATE_ID] += 1
        return {}

    def issue_code(self, app_id: str, person: str) -> str:
        code = secrets.token_hex(16)
        self.codes[code] = Code(app_id, person, time.monotonic())
        return code

    def spend_code(self, app_id: str, value: str) -> Code | int:
        """Take a code; return the error that WeChat would name otherwise."""
        code = self.codes.get(value)
        if code is None or code.app_id != app_id:
            return 40029
        if time.monotonic() - code.issued_at > CODE_SECONDS:
            return 42003
        if code.is_used:
            return 40163
        code.is_used = True
        return code

    def token_of(self, app_id: str, *, is_new: bool) -> Answer:
        if is_new or app_id not in self.tokens:
            self.tokens[app_id] = secrets.token_urlsafe(40)
        return {"access_token": self.tokens[app_id], "expires_in": TOKEN_SECONDS}


def openid_of(app_id: str, person: str) -> str:
    """Return the openid of a person for an account: always the same, and another for each account."""
    return "o" + sha256(f"{app_id}/{person}".encode()).hexdigest()[:27]


def refusal(code: int) -> Answer:
    return {"errcode": code, "errmsg": f"refused, rid: {secrets.token_hex(8)}"}


def exchange_code(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer `sns/oauth2/access_token`."""
    if asked.get("appid") != APP_ID:
        return refusal(40013)
    if asked.get("secret") != APP_SECRET:
        return refusal(40125)
    code = fake.spend_code(APP_ID, asked.get("code", ""))
    if isinstance(code, int):
        return refusal(code)
    answer: Answer = {"access_token": secrets.token_urlsafe(40), "expires_in": TOKEN_SECONDS}
    answer |= {"refresh_token": secrets.token_urlsafe(40), "scope": "snsapi_base"}
    answer["openid"] = openid_of(APP_ID, code.person)
    return answer | ({"is_snapshotuser": 1} if code.person == VIRTUAL else {})


def stable_token(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer `cgi-bin/stable_token`: the same token again while it is good, another when forced."""
    if asked.get("appid") != APP_ID:
        return refusal(40013)
    if asked.get("secret") != APP_SECRET:
        return refusal(40125)
    return fake.token_of(APP_ID, is_new=bool(asked.get("force_refresh")))


def page_ticket(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer `cgi-bin/ticket/getticket`."""
    if asked.get("access_token") != fake.tokens.get(APP_ID):
        return refusal(40001)
    ticket = fake.tickets.setdefault(APP_ID, secrets.token_urlsafe(64))
    return {"errcode": 0, "errmsg": "ok", "ticket": ticket, "expires_in": TOKEN_SECONDS}


def send_message(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer `cgi-bin/message/subscribe/bizsend`: a message for each consent, with the template's fields."""
    if asked.get("access_token") != fake.tokens.get(APP_ID):
        return refusal(40001)
    openid, data = asked.get("touser", ""), asked.get("data", {})
    if not openid.startswith("o"):
        return refusal(40003)
    if asked.get("template_id") != TEMPLATE_ID:
        return refusal(40037)
    values = {key: one.get("value", "") for key, one in data.items()}
    if values.keys() != TEMPLATE_FIELDS.keys() or any(
        not 0 < len(value) <= TEMPLATE_FIELDS[key] for key, value in values.items()
    ):
        return refusal(47003)
    if not fake.consents[openid, TEMPLATE_ID]:
        return refusal(43101)
    fake.consents[openid, TEMPLATE_ID] -= 1
    fake.messages.append({"touser": openid, "page": asked.get("page", "")} | values)
    return {"errcode": 0, "errmsg": "ok"}


def company_token(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer 企业微信's `cgi-bin/gettoken`."""
    if asked.get("corpid") != CORP_ID:
        return refusal(40013)
    if asked.get("corpsecret") != CORP_SECRET:
        return refusal(40001)
    return {"errcode": 0, "errmsg": "ok"} | fake.token_of(CORP_ID, is_new=False)


def company_user(fake: FakeWeChat, asked: Answer) -> Answer:
    """Answer 企业微信's `cgi-bin/auth/getuserinfo`; a person of no company gets an openid only."""
    if asked.get("access_token") != fake.tokens.get(CORP_ID):
        return refusal(40014)
    code = fake.spend_code(CORP_ID, asked.get("code", ""))
    if isinstance(code, int):
        return refusal(code)
    is_member = code.person != VIRTUAL
    who = {"userid": code.person} if is_member else {"openid": openid_of(CORP_ID, code.person)}
    return {"errcode": 0, "errmsg": "ok"} | who


CALLS = {
    ("GET", "/sns/oauth2/access_token"): ("access_token", exchange_code),
    ("POST", "/cgi-bin/stable_token"): ("stable_token", stable_token),
    ("GET", "/cgi-bin/ticket/getticket"): ("getticket", page_ticket),
    ("POST", "/cgi-bin/message/subscribe/bizsend"): ("bizsend", send_message),
    ("GET", "/cgi-bin/gettoken"): ("gettoken", company_token),
    ("GET", "/cgi-bin/auth/getuserinfo"): ("getuserinfo", company_user),
}
WISHES = {
    "/fake/reset": FakeWeChat.reset,
    "/fake/hold": FakeWeChat.hold,
    "/fake/script": FakeWeChat.script,
    "/fake/expire": FakeWeChat.expire,
    "/fake/calls": FakeWeChat.tell,
    "/fake/subscribe": FakeWeChat.subscribe,
}


def fault_of_link(query: str, user_agent: str) -> str | None:
    """Return what the authorize page would complain about, or None."""
    if "MicroMessenger" not in user_agent:
        return "请在微信客户端打开链接"
    pairs = [(name, value) for name, value in parse_qsl(query) if name != PERSON_COOKIE]
    if [name for name, _ in pairs] != PARAMETERS:
        return "参数错误"
    asked = dict(pairs)
    if asked["appid"] not in {APP_ID, CORP_ID}:
        return "AppID 参数错误"
    if not urlsplit(asked["redirect_uri"]).netloc:
        return "redirect_uri 参数错误"
    if asked["response_type"] != "code" or asked["scope"] != "snsapi_base":
        return "Scope 参数错误或没有 Scope 权限"
    is_state = asked["state"].isascii() and asked["state"].isalnum() and len(asked["state"]) <= LONGEST_STATE
    return None if is_state else "state 参数错误"


class Handler(BaseHTTPRequestHandler):
    """Requests of browsers and of the service alike."""

    server: "Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/connect/oauth2/authorize":
            self._authorize(parts.query)
        else:
            self._call("GET", parts.path, dict(parse_qsl(parts.query)))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = json.loads(body) if body else {}
        parts = urlsplit(self.path)
        if parts.path in WISHES:
            with self.server.fake.lock:
                self._send_json(WISHES[parts.path](self.server.fake, asked))
        else:
            self._call("POST", parts.path, asked | dict(parse_qsl(parts.query)))

    def _authorize(self, query: str) -> None:
        fault = fault_of_link(query, self.headers.get("User-Agent", ""))
        if fault is not None:
            self._send_page(fault)
            return
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        person = asked.get(PERSON_COOKIE) or self._person_of_phone() or self.server.fake.person
        if person is None:
            self._ask_who(query)
            return
        with self.server.fake.lock:
            code = self.server.fake.issue_code(asked["appid"], person)
        back = f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"
        self._send(302, b"", {"Location": back})

    def _person_of_phone(self) -> str | None:
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get(PERSON_COOKIE)
        return cookie.value if cookie else None

    def _ask_who(self, query: str) -> None:
        links = [
            f'<p><a href="?{escape(query)}&amp;{urlencode({PERSON_COOKIE: one})}">{one}</a></p>'
            for one in PEOPLE
        ]
        self._send_page("模拟微信：现在是谁拿着手机？", "".join(links))

    def _call(self, method: str, path: str, asked: Mapping[str, Any]) -> None:
        if (method, path) not in CALLS:
            self._send(404, b"", {})
            return
        name, answer_to = CALLS[method, path]
        with self.server.fake.lock:
            self.server.fake.calls.append(name)
            script = self.server.fake.scripts[name]
            scripted = script.popleft() if script else {}
        time.sleep(scripted.get("delay", 0))
        if "errcode" in scripted:
            self._send_json(refusal(scripted["errcode"]))
        elif "body" in scripted or "status" in scripted:
            self._send(scripted.get("status", 200), scripted.get("body", "").encode(), {})
        elif "drip" in scripted:
            self._drip(scripted["drip"])
        elif not scripted.get("is_cut"):
            with self.server.fake.lock:
                answer = answer_to(self.server.fake, dict(asked))
            self._send_json(answer)

    def _drip(self, seconds: float) -> None:
        """Send one byte a tenth of a second: no pause of the socket is ever long."""
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        for _ in range(int(seconds * 10)):
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            time.sleep(0.1)

    def _send_page(self, heading: str, content: str = "") -> None:
        page = (
            '<!doctype html><html lang="zh-Hans"><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width"><h1>{heading}</h1>{content}'
        )
        self._send(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

    def _send_json(self, answer: Answer) -> None:
        # WeChat names its JSON text.
        self._send(200, json.dumps(answer).encode(), {"Content-Type": "text/plain"})

    def _send(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Log nothing: codes stand in the addresses, as they do at WeChat's."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, fake: FakeWeChat) -> None:
        super().__init__((host, port), Handler)
        self.fake = fake


def play_wechat(host: str, port: int) -> None:
    """Play WeChat in a thread of this process, and ask each phone who holds it; raises ClickException."""
    try:
        server = Server(host, port, FakeWeChat(person=None))
    except OSError as error:
        raise click.ClickException(f"Cannot play WeChat at {host}:{port} ({error.strerror}).") from error
    Thread(target=server.serve_forever, name="fake-wechat", daemon=True).start()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", required=True, type=int)
@click.option("--ask-who", is_flag=True, help="Ask each phone by a page who holds it.")
def main(*, host: str, port: int, ask_who: bool) -> None:
    """Pretend to be WeChat until stopped."""
    fake = FakeWeChat(person=None) if ask_who else FakeWeChat()
    Server(host, port, fake).serve_forever()


if __name__ == "__main__":
    main()
