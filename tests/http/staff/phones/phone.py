"""A phone of the staff in WeChat's browser, and the desktop beside it."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from survey_service.staff.phone_sign_in import waiting_desktop
from tests.factories.staff.offices import PASSWORD
from tests.http.wechat.phone import authorize
from tests.support.wechat import USER_AGENT

COMPANY_USER_AGENT = USER_AGENT + " wxwork/4.1.20"
DESKTOP = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/120.0 Safari/537.36"}


@dataclass
class Phone:
    """A phone in WeChat's browser; links to WeChat are followed over real sockets."""

    client: FlaskClient
    user_agent: str = USER_AGENT

    def get(self, path: str) -> TestResponse:
        answer = self.client.get(path, headers={"User-Agent": self.user_agent})
        while answer.status_code == 303:
            url = urlsplit(answer.headers["Location"])
            if url.path == "/connect/oauth2/authorize":
                url = urlsplit(authorize(answer.headers["Location"]))
            answer = self.client.get(f"{url.path}?{url.query}", headers={"User-Agent": self.user_agent})
        return answer

    def post(self, path: str, **form: str) -> TestResponse:
        return self.client.post(path, data=form, headers={"User-Agent": self.user_agent})

    def bind(self, username: str, password: str = PASSWORD) -> TestResponse:
        self.get("/staff/wechat")
        return self.post("/staff/wechat", username=username, password=password)

    def is_signed_in(self) -> bool:
        return "登录" not in re.findall("<title>(.*?) ·", self.get("/staff/account").text)[0]

    def token(self) -> str:
        return re.findall('name="csrf_token" value="([^"]+)"', self.get("/staff/account").text)[0]


def start_desktop(client: FlaskClient) -> tuple[str, int]:
    """Let a desktop wait; return the path of its code and the number that it shows."""
    client.post("/staff/desktop", headers=DESKTOP)
    page = client.get("/staff/desktop", headers=DESKTOP)
    assert page.headers["Refresh"] == "3"
    number = int(re.findall('class="secret">([0-9]+)<', page.text)[0])
    cookie = client.get_cookie("staff_desktop", path="/staff")
    assert cookie is not None
    with client.application.test_request_context(headers={"Cookie": f"staff_desktop={cookie.value}"}):
        return f"/staff/desktop/{waiting_desktop().code}", number
