"""What the processes of an installation share for a few minutes: results of codes, and WeChat's tokens.

In Redis where there is one, always in the memory of this process too: when Redis is away each process goes on
by itself, and the worst that comes of it is one more call to WeChat.
"""

import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Protocol
from weakref import WeakValueDictionary

from redis import Redis, RedisError

from survey_service.core.privacy import Keyring

LOCK_SECONDS = 15
"""Longer than any call to WeChat with its repetitions takes."""
REDIS_SECONDS = 0.05
"""Nobody waits longer for Redis on a voter's way."""
REDIS_REST_SECONDS = 5.0
"""So long Redis is left alone after it failed."""
_POLL_SECONDS = 0.05
_MOST_KEPT = 20_000
_RELEASE = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"

log = logging.getLogger(__name__)


class Store(Protocol):
    """Keeps short texts for some seconds, and lets one holder at a time fetch what is missing."""

    def get(self, key: str) -> str | None: ...

    def put(self, key: str, value: str, *, seconds: float) -> None: ...

    @contextmanager
    def lock(self, key: str) -> Iterator[None]: ...


class MemoryStore:
    """Keeps everything in this process."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._changing = Lock()
        # A lock is forgotten when nobody holds it or waits for it any more.
        self._locks: WeakValueDictionary[str, Lock] = WeakValueDictionary()

    def get(self, key: str) -> str | None:
        until, value = self._kept.get(key, (0.0, None))
        return value if time.monotonic() < until else None

    def put(self, key: str, value: str, *, seconds: float) -> None:
        with self._changing:
            self._kept[key] = (time.monotonic() + seconds, value)
            self._kept.move_to_end(key)
            if len(self._kept) > _MOST_KEPT:
                self._kept.popitem(last=False)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        with self._changing:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            yield


class RedisStore:
    """Keeps everything in Redis as well, encrypted, as long as Redis answers."""

    def __init__(self, url: str, *, name: str, keyring: Keyring) -> None:
        self._keyring = keyring
        self._prefix = f"survey:wechat:{name}:"
        self._redis = Redis.from_url(url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS)
        self._memory = MemoryStore()
        self._resting_until = 0.0

    def get(self, key: str) -> str | None:
        found = self._memory.get(key)
        if found is not None:
            return found
        wrapped = self._ask(lambda: self._redis.get(self._prefix + key), None)
        return self._unwrapped(key, wrapped) if isinstance(wrapped, bytes) else None

    def _unwrapped(self, key: str, wrapped: bytes) -> str | None:
        try:
            return self._keyring.unwrap(wrapped, label=self._prefix + key).decode()
        except ValueError:
            # Whoever writes into Redis could otherwise say who comes back from WeChat.
            return None

    def put(self, key: str, value: str, *, seconds: float) -> None:
        self._memory.put(key, value, seconds=seconds)
        wrapped = self._keyring.wrap(value.encode(), label=self._prefix + key)
        self._ask(lambda: self._redis.set(self._prefix + key, wrapped, px=int(seconds * 1000)), None)

    @contextmanager
    def lock(self, key: str) -> Iterator[None]:
        """Hold a lock in this process, then among all of them; one that is not given up ends by itself."""
        name, holder = f"{self._prefix}lock:{key}", secrets.token_hex(8)
        with self._memory.lock(key):
            self._wait_for(name, holder)
            try:
                yield
            finally:
                self._ask(lambda: self._redis.eval(_RELEASE, 1, name, holder), None)

    def _wait_for(self, name: str, holder: str) -> None:
        deadline = time.monotonic() + LOCK_SECONDS
        while time.monotonic() < deadline:
            # Without Redis there is nobody to wait for.
            if self._ask(lambda: self._redis.set(name, holder, nx=True, ex=LOCK_SECONDS), True):
                return
            time.sleep(_POLL_SECONDS)

    def _ask(self, question: Callable[[], object], otherwise: object) -> object:
        """Ask Redis, and leave it alone for a while when it does not answer."""
        if time.monotonic() < self._resting_until:
            return otherwise
        try:
            return question()
        except RedisError as error:
            self._resting_until = time.monotonic() + REDIS_REST_SECONDS
            log.warning("Redis is away (%s); WeChat's sign-in goes on in this process", type(error).__name__)
            return otherwise
