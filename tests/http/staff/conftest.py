"""The application on a database with the small world of offices."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_smorest import Api

from survey_service.core import http, permissions
from survey_service.core.config import Settings
from survey_service.core.db import Database
from survey_service.core.privacy import Keyring
from survey_service.staff import rules
from survey_service.staff.authenticate import authenticate
from survey_service.staff.views import blp
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
    app = Flask("survey_service")
    app.config |= {"API_TITLE": "t", "API_VERSION": "1", "OPENAPI_VERSION": "3.0.3"}
    app.extensions |= {"settings": settings, "database": database}
    app.extensions["keyring"] = Keyring(secret_key=settings.secret_key, master_key=settings.master_key)
    http.install(app)
    permissions.install(app, authenticate=authenticate, is_allowed=rules.is_allowed)
    api = Api(app)
    app.error_handler_spec[None][None].pop(http.HTTPException)
    api.register_blueprint(blp, url_prefix="/api/v1")
    return app


@pytest.fixture
def offices(database: Database) -> Offices:
    with database.unit_of_work() as session:
        return open_offices(session)


@pytest.fixture
def client(app: Flask, offices: Offices) -> FlaskClient:
    return app.test_client()
