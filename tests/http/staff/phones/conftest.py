"""The offices with a fake WeChat and a fake 企业微信, and phones of the staff before both."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from survey_service.core.db import Database
from survey_service.demonstration.fake_wechat import CORP_ID, CORP_SECRET
from tests.factories.applications import make_app
from tests.factories.staff.offices import NOW, Offices
from tests.http.staff.phones.phone import Phone
from tests.support.wechat import USER_AGENT, FakeWeChat


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """What differs between the kinds of database is tested with the sessions."""
    return sqlite_database


@pytest.fixture
def app(tmp_path: Path, database: Database, wechat: FakeWeChat) -> Flask:
    company = {"wecom_corp_id": CORP_ID, "wecom_secret": CORP_SECRET, "wecom_api_base": wechat.url}
    return make_app(tmp_path, database, **wechat.settings | company)


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def make_phone(app: Flask, offices: Offices) -> Callable[..., Phone]:
    return lambda user_agent=USER_AGENT: Phone(app.test_client(), user_agent)


@pytest.fixture
def phone(make_phone: Callable[..., Phone]) -> Phone:
    return make_phone()


@pytest.fixture
def name(offices: Offices) -> str:
    return offices.people["town.staff"].username
