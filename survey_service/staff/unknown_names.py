"""Attempts at names that nobody has, counted as those of an account are: locking tells no names.

Nothing of them is stored. Where there are several processes they count together in Redis; without it each
counts by itself.
"""

import logging
from collections import OrderedDict
from datetime import datetime, timedelta
from math import ceil
from threading import Lock

from redis import Redis, RedisError

from survey_service.staff.rules import LOCKOUT, MAX_FAILED_LOGINS, Lockout

REDIS_SECONDS = 0.5
"""Signing in takes as long by itself."""
_KEPT = timedelta(days=30)
"""An account remembers its failures until somebody signs in; nobody waits this long to tell names apart."""
_MOST_NAMES = 100_000
_MINUTE = timedelta(minutes=1) // timedelta(milliseconds=1)

log = logging.getLogger(__name__)


class UnknownNames:
    """Counts attempts by the digest of a name."""

    def __init__(self, redis_url: str | None) -> None:
        seconds = {"socket_timeout": REDIS_SECONDS, "socket_connect_timeout": REDIS_SECONDS}
        self._redis = Redis.from_url(redis_url, **seconds) if redis_url else None
        self._lockouts: OrderedDict[bytes, Lockout] = OrderedDict()
        self._changing = Lock()

    def count(self, name: bytes, *, now: datetime) -> int:
        """Count one attempt; return for how many minutes none is heard, 0 where this one is."""
        if self._redis is not None:
            try:
                return _count_in(self._redis, f"survey:sign_in:{name.hex()}")
            except RedisError as error:
                log.warning("Redis is away (%s); unknown names are counted here", type(error).__name__)
        with self._changing:
            return self._count_here(name, now)

    def _count_here(self, name: bytes, now: datetime) -> int:
        lockout = self._lockouts.pop(name, Lockout())
        minutes = lockout.minutes_left(now)
        self._lockouts[name] = lockout if minutes else lockout.after_attempt(now)
        if len(self._lockouts) > _MOST_NAMES:
            self._lockouts.popitem(last=False)
        return minutes


def _count_in(redis: Redis, key: str) -> int:
    """Do the same by a number that ends with the lockout, so that the count begins anew after it."""
    steps = redis.pipeline()
    steps.incr(key)
    steps.pttl(key)
    number, left = map(int, steps.execute())
    if number <= MAX_FAILED_LOGINS:
        redis.expire(key, LOCKOUT if number == MAX_FAILED_LOGINS else _KEPT)
        return 0
    longest = LOCKOUT // timedelta(minutes=1)
    return min(longest, max(1, ceil(left / _MINUTE)))
