"""Posted entrances are kept for a moment, and not longer."""

import pytest

from survey_service.entrances import posted
from survey_service.entrances.posted import PostedEntrances


def test_a_row_is_kept_for_its_time_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(posted, "monotonic", lambda: clock[0])
    kept = PostedEntrances(seconds=1)
    kept.keep(b"digest", "row")
    clock[0] = 100.9
    assert kept.find(b"digest") == "row"
    clock[0] = 101.0
    assert kept.find(b"digest") is None
    assert kept.find(b"other") is None
