"""The application, the small world of offices, and callers with their tokens."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from survey_service.core import clock
from survey_service.core.db import Database
from survey_service.staff.rules import TokenKind
from tests.factories.staff.offices import sign_in
from tests.http.staff.conftest import app, client, offices, settings

__all__ = ["app", "client", "offices", "settings"]

Caller = Callable[[str], dict[str, str]]


@pytest.fixture
def as_staff(database: Database, client: FlaskClient) -> Caller:
    """Give the headers of a person of the small world."""

    def headers(username: str) -> dict[str, str]:
        with database.unit_of_work() as session:
            grant = sign_in(session, username, kind=TokenKind.BEARER, now=clock.now())
        return {"Authorization": f"Bearer {grant.token}"}

    return headers
