"""The application on a database with the small world of offices."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from survey_service.app import create_app
from survey_service.core.config import Settings
from survey_service.core.db import Database
from tests.factories.staff.offices import Offices, open_offices

PUBLIC_URL = "https://survey.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        database_url="sqlite://",
        redis_url=None,
        secret_key="secret",
        master_key="master",
        public_url=PUBLIC_URL,
        trusted_proxy_hops=1,
        data_dir=tmp_path,
        wechat_app_id=None,
        metrics_token=None,
    )


@pytest.fixture
def app(settings: Settings, database: Database) -> Flask:
    return create_app(settings, database=database)


@pytest.fixture
def offices(database: Database) -> Offices:
    with database.unit_of_work() as session:
        return open_offices(session)


@pytest.fixture
def client(app: Flask, offices: Offices) -> FlaskClient:
    return app.test_client()
