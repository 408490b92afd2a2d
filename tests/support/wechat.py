"""A WeChat of the tests' own: the fake of the demonstration as a real process, one per test process."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from survey_service.demonstration import fake_wechat
from tests.support.patience import PATIENCE_SECONDS
from tests.support.servers import free_port, is_listening, running, temporary_folder

USER_AGENT = (
    "Mozilla/5.0 (Linux; Android 13; M2012K11AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/116.0.0.0 Mobile Safari/537.36 XWEB/1160065 MMWEBSDK/20231202 MicroMessenger/8.0.47.2560"
)
SETTINGS = {"wechat_app_id": fake_wechat.APP_ID, "wechat_app_secret": fake_wechat.APP_SECRET}


@dataclass(frozen=True)
class FakeWeChat:
    """What a test may ask the fake for."""

    url: str

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of an installation that takes the fake for WeChat."""
        return SETTINGS | {"wechat_open_base": self.url, "wechat_api_base": self.url}

    def wish(self, name: str, **asked: Any) -> dict[str, Any]:
        body = json.dumps(asked).encode()
        with urllib.request.urlopen(
            f"{self.url}/fake/{name}", data=body, timeout=PATIENCE_SECONDS
        ) as response:
            answer: dict[str, Any] = json.load(response)
            return answer

    def hand_phone_to(self, person: str | None) -> None:
        self.wish("hold", person=person)

    def next_answers(self, call: str, *answers: dict[str, Any]) -> None:
        """Let the next answers to a call be others than the protocol's."""
        self.wish("script", call=call, answers=answers)

    def calls(self) -> list[str]:
        """Return the calls that came since the beginning of the test."""
        calls: list[str] = self.wish("calls")["calls"]
        return calls


@pytest.fixture(scope="session")
def wechat_server() -> Iterator[FakeWeChat]:
    port = free_port()
    command = [sys.executable, "-m", "survey_service.demonstration.fake_wechat", "--port", str(port)]
    with (
        temporary_folder("survey-wechat-") as folder,
        running(command, folder=folder, is_ready=lambda: is_listening(port)),
    ):
        yield FakeWeChat(f"http://127.0.0.1:{port}")


@pytest.fixture
def wechat(wechat_server: FakeWeChat) -> FakeWeChat:
    """A WeChat that has forgotten everything."""
    wechat_server.wish("reset")
    return wechat_server
