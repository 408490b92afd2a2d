"""A campaign that asks for WeChat, a fake WeChat on a real socket, and phones before both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

from survey_service.core.db import Database
from tests.factories.applications import make_app
from tests.factories.campaigns import World, start_campaign
from tests.http.wechat.phone import WeChatPhone
from tests.support.wechat import FakeWeChat


@pytest.fixture
def app(tmp_path: Path, database: Database, wechat: FakeWeChat) -> Flask:
    return make_app(tmp_path, database, **wechat.settings)


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    """A running campaign that asks for WeChat, and a second one beside it."""
    with app.app_context():
        start_campaign(app, villages=1, open_requires="wechat")
        yield start_campaign(app, open_requires="wechat")


@pytest.fixture
def make_phone(app: Flask) -> Callable[[], WeChatPhone]:
    return lambda: WeChatPhone(app.test_client())


@pytest.fixture
def phone(make_phone: Callable[[], WeChatPhone]) -> WeChatPhone:
    return make_phone()
