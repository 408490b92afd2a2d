"""A small site with the voter's pages and a scripted ballot API: to see what scripts make of bad networks."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.h5 import pages

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "media-src 'self'; form-action 'self'"
)
RECEIPT = "7K2M9QXW3FHTP"
TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html; charset=utf-8"}


@dataclass(frozen=True)
class Reply:
    """One scripted answer of the ballot API; None as status drops the connection."""

    status: int | None
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


def problem(status: int, code: str, detail: str = "这是说明", **more: object) -> Reply:
    return Reply(status, json.dumps({"status": status, "code": code, "detail": detail, **more}))


ACCEPTED = Reply(201, json.dumps({"receipt": RECEIPT}))
DROPPED = Reply(None)


class VoterSite:
    """The pages as `pages` renders them; `replies` are used up one by one, then every ballot is accepted."""

    def __init__(self) -> None:
        self.replies: deque[Reply] = deque()
        self.ballots: list[dict[str, Any]] = []
        self.forms: list[dict[str, list[str]]] = []
        self.page = pages.BallotPage()
        self.items = pages.TOWNSHIP_FORM
        self.url = ""
        self._opened = 0

    def show(self, path: str) -> str | None:
        """Return the HTML of a page, or None where there is none."""
        name, _, rest = path.strip("/").partition("/")
        match name:
            case "s":
                self._opened += 1
                page = replace(self.page, ticket=f"ticket-{self._opened}", action=path)
                return pages.ballot(page, self.items)
            case "r":
                return pages.receipt(pages.Receipt(receipt=rest))
            case "message":
                return pages.message(rest)
            case "others":
                return pages.render("others.html", others=pages.Others())
            case "subjects":
                return pages.render("subjects.html", page=pages.Sitting())
            case "enter":
                return pages.render("enter_code.html", entry=pages.CodeEntry())
            case "lookup":
                return pages.render("receipt_lookup.html", lookup=pages.ReceiptLookup(state=rest))
        return None

    def take(self, ballot: dict[str, Any]) -> Reply:
        self.ballots.append(ballot)
        return self.replies.popleft() if self.replies else ACCEPTED


class Handler(BaseHTTPRequestHandler):
    server: "Server"

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path.startswith("/static/"):
            file = pages.STATIC / path.removeprefix("/static/")
            self.answer(Reply(200, file.read_text("utf-8"), {"Content-Type": TYPES[file.suffix]}))
            return
        html = self.server.site.show(self.path)
        headers = {"Content-Type": TYPES[".html"], "Content-Security-Policy": CONTENT_SECURITY_POLICY}
        self.answer(Reply(404 if html is None else 200, html or "", {**headers, "Cache-Control": "no-store"}))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self.path.startswith("/api/"):
            self.answer(self.server.site.take(json.loads(body)))
        else:
            self.server.site.forms.append(parse_qs(body))
            self.answer(Reply(303, "", {"Location": f"/r/{RECEIPT}"}))

    def answer(self, reply: Reply) -> None:
        if reply.status is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        data = reply.body.encode()
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Keep the output of the tests clean."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, site: VoterSite, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.site = site


@contextmanager
def serving(site: VoterSite, port: int = 0) -> Iterator[VoterSite]:
    """Serve the site on a free port of this machine until the block ends."""
    server = Server(site, port)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
