"""A handset without scripts over real sockets: it keeps cookies, follows every lead, and sends forms."""

import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

from tests.support.patience import PATIENCE_SECONDS

_HIDDEN = re.compile(r'name="(ticket|csrf_token)" value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """Where a handset has arrived, and what stands there."""

    status: int
    url: str
    text: str


class Handset:
    """A phone or a computer; `home` is the address of the service as its people type it."""

    def __init__(self, home: str, user_agent: str = "Mozilla/5.0 (Linux; Android 7.0) Chrome/66.0") -> None:
        self._home = home
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        self._opener.addheaders = [("User-Agent", user_agent)]

    def get(self, path: str) -> Page:
        return self._open(urllib.request.Request(urljoin(self._home, path)))

    def send(self, path: str, fields: Mapping[str, str]) -> Page:
        """Open a form, fill it in, send it to its own address, and go where it leads."""
        form = self.get(path)
        if form.status != 200:
            return form
        hidden = dict(_HIDDEN.findall(form.text))
        return self._open(urllib.request.Request(form.url, urlencode(hidden | dict(fields)).encode()))

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                return Page(answer.status, answer.url, answer.read().decode())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Page(refusal.code, refusal.url, refusal.read().decode())
