"""A town with a running campaign, the people who work there, and the chain that they leave behind."""

from collections.abc import Callable

import pytest
from flask import Flask

from survey_service.auditing.rules import Entry
from tests.factories.auditing.chain import read_chain
from tests.factories.campaigns import World, start_campaign
from tests.http.reports.conftest import People

NewEntries = Callable[[], list[Entry]]


@pytest.fixture
def town(campaign_app: Flask, frozen_clock: None) -> World:
    return start_campaign(campaign_app)


@pytest.fixture
def people(campaign_app: Flask) -> People:
    return People(campaign_app)


@pytest.fixture
def new_entries(campaign_app: Flask) -> NewEntries:
    """Return what was added to the chain since the last call."""
    seen = 0

    def read() -> list[Entry]:
        nonlocal seen
        chain = read_chain(campaign_app.extensions["database"])
        seen, start = len(chain), seen
        return chain[start:]

    return read
