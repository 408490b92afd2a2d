"""Queue entries of letters."""

from collections.abc import Sequence
from datetime import date

from survey_service.clear_letters.service import add_readings
from survey_service.core.db import unit_of_work


def store_readings(readings: Sequence[tuple[int, str, int]]) -> None:
    """Add what a process has counted."""
    counted = {(letter_id, date.fromisoformat(day)): number for letter_id, day, number in readings}
    with unit_of_work() as session:
        add_readings(session, counted=counted)
