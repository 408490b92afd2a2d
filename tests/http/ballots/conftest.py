"""A phone and a running campaign."""

import pytest

from tests.factories.campaigns import World
from tests.http.ballots.phone import Phone
from tests.http.reports.conftest import count_queries

__all__ = ["count_queries"]


@pytest.fixture
def phone(world: World) -> Phone:
    return Phone(world.app.test_client())
