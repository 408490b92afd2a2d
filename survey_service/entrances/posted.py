"""Posted entrances that were opened a moment ago: a whole village scans the same code after a broadcast."""

from time import monotonic
from typing import Any

SECONDS_KEPT = 1.0
"""So long may another process show a page after its entrance was revoked or its campaign closed; the ballot
is refused at once all the same."""
_MOST_KEPT = 2_000


class PostedEntrances:
    """Keeps the rows of posted codes, which many phones open at once, for a second in each process."""

    def __init__(self, *, seconds: float = SECONDS_KEPT) -> None:
        self._seconds = seconds
        self._rows: dict[bytes, tuple[float, Any]] = {}

    def find(self, digest: bytes) -> Any | None:
        """Return the row of a code that was opened within the last second."""
        until, row = self._rows.get(digest, (0.0, None))
        return row if monotonic() < until else None

    def forget(self, _after: object = None) -> None:
        """Keep nothing of what was opened until now."""
        self._rows.clear()

    def keep(self, digest: bytes, row: Any) -> None:
        if len(self._rows) >= _MOST_KEPT:
            self.forget()
        self._rows[digest] = (monotonic() + self._seconds, row)
