"""Rate limits in the memory of a process: cheap enough for the ballot's path, and never a lock on people.

The unique keys of the database decide what counts; limits only slow down guessing and broken clients.
Keys are digests or ids, never an address, unless the operator configures an address backstop.
"""

from collections import OrderedDict
from threading import Lock
from time import monotonic

from survey_service.core.errors import SlowDown

_MOST_KEYS = 100_000
"""About 20 MB at the most; beyond it the oldest keys are forgotten."""


class RateLimit:
    """Allows `count` events per key in `seconds` (a bucket that refills evenly)."""

    def __init__(self, *, count: int, seconds: float) -> None:
        self._count = float(count)
        self._refill_per_second = count / seconds
        self._seconds = seconds
        self._buckets: OrderedDict[object, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def _left(self, key: object, moment: float) -> float:
        tokens, since = self._buckets.get(key, (self._count, moment))
        return min(self._count, tokens + (moment - since) * self._refill_per_second)

    def is_exhausted(self, key: object) -> bool:
        """Tell whether the next event of this key would be refused, without counting it."""
        with self._lock:
            return self._left(key, monotonic()) < 1

    def hit(self, key: object) -> None:
        """Count one event; raises SlowDown (429 with Retry-After) when there were too many."""
        moment = monotonic()
        with self._lock:
            left = self._left(key, moment)
            self._buckets[key] = (max(left - 1, 0.0), moment)
            self._buckets.move_to_end(key)
            if len(self._buckets) > _MOST_KEYS:
                self._buckets.popitem(last=False)
        if left < 1:
            error = SlowDown()
            error.retry_after = max(1, round((1 - left) / self._refill_per_second))
            raise error

    def clear(self) -> None:
        with self._lock:
            self._buckets.clear()
