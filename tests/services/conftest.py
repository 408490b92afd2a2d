"""The day on which services are tested."""

from collections.abc import Iterator

import pytest
import time_machine

from tests.factories.campaigns import NOW


@pytest.fixture(autouse=True)
def _day_of_the_small_world() -> Iterator[None]:
    """Whoever reads the clock finds the day of the campaigns, on whatever day the tests run."""
    with time_machine.travel(NOW):
        yield
