"""WeChat's browser: it says its name, and follows the way to WeChat and back by itself."""

import re
import secrets
import urllib.error
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.support.patience import PATIENCE_SECONDS
from tests.support.wechat import USER_AGENT


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


def authorize(url: str) -> str:
    """Open WeChat's page and return where it leads."""
    request = urllib.request.Request(url.partition("#")[0], headers={"User-Agent": USER_AGENT})
    try:
        with _OPENER.open(request, timeout=PATIENCE_SECONDS) as page:
            raise AssertionError(page.read().decode())
    except urllib.error.HTTPError as answer:
        with answer:
            location: str = answer.headers["Location"]
            return location


@dataclass
class WeChatPhone:
    client: FlaskClient
    user_agent: str = USER_AGENT

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"User-Agent": self.user_agent})

    def start(self, code: str) -> str:
        """Scan a code, and return the address at WeChat's that the page leads to."""
        sent = self.get(f"/s/{code}")
        assert sent.status_code == 303, sent.text
        return sent.headers["Location"]

    def way_back(self, code: str) -> str:
        """Scan a code, go to WeChat, and return the path by which WeChat leads back."""
        parts = urlsplit(authorize(self.start(code)))
        return f"{parts.path}?{parts.query}"

    def scan(self, code: str) -> TestResponse:
        """Scan a code and follow every lead to the page at its end."""
        page = self.get(f"/s/{code}")
        if page.status_code != 303:
            return page
        parts = urlsplit(authorize(page.headers["Location"]))
        back = self.get(f"{parts.path}?{parts.query}")
        return self.get(back.headers["Location"]) if back.status_code == 303 else back

    def send(self, code: str, page: TestResponse, option: str = "satisfied") -> TestResponse:
        found = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert found, page.text
        return self.client.post(f"/s/{code}", data={"ticket": found[1], "overall": option})

    def vote(self, code: str) -> TestResponse:
        """Scan a code and send the form."""
        return self.send(code, self.scan(code))

    def open(self, code: str) -> TestResponse:
        return self.client.get(f"/api/v1/entrances/{code}")

    def post(self, code: str, ticket: str, **more: object) -> TestResponse:
        body = {"ticket": ticket, "secret": secrets.token_urlsafe(24), "answers": {"overall": "satisfied"}}
        return self.client.post(f"/api/v1/entrances/{code}/ballots", json=body | more)
