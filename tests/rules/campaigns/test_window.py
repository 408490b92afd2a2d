"""The state of a campaign follows from its times."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from survey_service.campaigns.rules import State, Window

OPENS_AT = datetime(2026, 11, 20, tzinfo=UTC)
CLOSES_AT = datetime(2026, 11, 30, tzinfo=UTC)
LAUNCHED = Window(
    opens_at=OPENS_AT,
    closes_at=CLOSES_AT,
    grace=timedelta(hours=24),
    launched_at=OPENS_AT - timedelta(days=1),
)
DRAFT = replace(LAUNCHED, launched_at=None)
CLOSED = replace(LAUNCHED, closed_at=datetime(2026, 11, 25, tzinfo=UTC))
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("window", "now", "state"),
    [
        (DRAFT, OPENS_AT, State.DRAFT),
        (DRAFT, CLOSES_AT + TICK, State.DRAFT),
        (LAUNCHED, OPENS_AT - TICK, State.SCHEDULED),
        (LAUNCHED, OPENS_AT, State.OPEN),
        (LAUNCHED, CLOSES_AT, State.OPEN),
        (LAUNCHED, CLOSES_AT + TICK, State.CLOSED),
        (CLOSED, CLOSES_AT, State.CLOSED),
        (replace(CLOSED, sealed_at=CLOSES_AT), CLOSES_AT, State.SEALED),
        (replace(LAUNCHED, withdrawn_at=OPENS_AT), OPENS_AT, State.WITHDRAWN),
        (replace(DRAFT, withdrawn_at=OPENS_AT), OPENS_AT, State.WITHDRAWN),
    ],
)
def test_the_state_is_derived(window: Window, now: datetime, state: State) -> None:
    assert window.state(now) is state


def test_closing_by_hand_moves_the_end_and_the_grace_time() -> None:
    assert LAUNCHED.accepts_until == CLOSES_AT + timedelta(hours=24)
    assert CLOSED.ends_at == CLOSED.closed_at
    assert CLOSED.accepts_until == datetime(2026, 11, 26, tzinfo=UTC)


def test_closing_late_by_hand_moves_nothing() -> None:
    late = replace(LAUNCHED, closed_at=CLOSES_AT + timedelta(hours=5))
    assert (late.ends_at, late.accepts_until) == (CLOSES_AT, LAUNCHED.accepts_until)
