"""Openings of letters, counted in the process and handed on together: a page never waits for the count."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from threading import Lock

from survey_service.core.events import Event


@dataclass(frozen=True)
class LettersRead(Event):
    """How often letters were opened since the last time: letter, day as `2026-11-22`, number."""

    readings: tuple[tuple[int, str, int], ...]


class Readings:
    """Counts openings by letter and day. What stands here is lost with the process: a second's worth."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[int, date]] = Counter()
        self._lock = Lock()

    def add(self, letter_id: int, day: date) -> None:
        with self._lock:
            self._counted[letter_id, day] += 1

    def take(self) -> list[Event]:
        """Return what was counted as one event, and begin anew."""
        with self._lock:
            counted, self._counted = self._counted, Counter()
        readings = tuple((letter, day.isoformat(), number) for (letter, day), number in counted.items())
        return [LettersRead(readings)] if readings else []
