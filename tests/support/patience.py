"""Time limits of the product that a busy test machine must not meet.

They keep a voter or a worker from waiting for somebody else's server. A test that means one of them sets it
itself; every other test would only measure how busy the machine is.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

PATIENCE_SECONDS = 120
"""How long a test waits for what must come; one that passes never waits so long."""

LIMITS = (
    "survey_service.core.db.POOL_TIMEOUT_SECONDS",
    "survey_service.core.http.UNREAD_SECONDS",
    "survey_service.core.jobs.REDIS_SECONDS",
    "survey_service.core.spreadsheet._MOST_SECONDS",
    "survey_service.core.typesetting.MOST_SECONDS",
    "survey_service.opinions.photos._MOST_SECONDS",
    "survey_service.print_runs.jobs.SLICE_SECONDS",
    "survey_service.sealing.cleaning.BUSY_SECONDS",
    "survey_service.sealing.cleaning.LOCK_SECONDS",
    "survey_service.sealing.cleaning.SNAPSHOT_SECONDS",
    "survey_service.webhooks.jobs.SLICE_SECONDS",
    "survey_service.webhooks.transport.TIMEOUT_SECONDS",
    "survey_service.staff.unknown_names.REDIS_SECONDS",
    "survey_service.wechat.client.ANSWER_SECONDS",
    "survey_service.wechat.client.CONNECT_SECONDS",
    "survey_service.wechat.store.LOCK_SECONDS",
    "survey_service.wechat.store.REDIS_SECONDS",
)
CLOCK_OF_RATE_LIMITS = "survey_service.core.rate_limits.monotonic"
"""It stands still, or a slow test would be given new attempts while it uses up those that it has."""


@contextmanager
def unhurried() -> Iterator[None]:
    """Lift the limits in this process, be it that of the tests or one that they start."""
    with pytest.MonkeyPatch.context() as changes:
        for name in LIMITS:
            changes.setattr(name, PATIENCE_SECONDS)
        changes.setattr(CLOCK_OF_RATE_LIMITS, lambda: 0.0)
        yield


@pytest.fixture(scope="session", autouse=True)
def _unhurried() -> Iterator[None]:
    with unhurried():
        yield
