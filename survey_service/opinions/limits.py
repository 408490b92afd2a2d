"""Guessing of query codes: failed look-ups are counted, and nothing says how close one was."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import current_app

from survey_service.core.errors import NotFound
from survey_service.core.rate_limits import RateLimit


def make_limit() -> RateLimit:
    """Return the limit of a process: a village shares few addresses, and people mistype."""
    return RateLimit(count=30, seconds=300)


@contextmanager
def guarded(network: bytes) -> Iterator[None]:
    """Count a look-up that fails; after too many of them none is heard (SlowDown, 429)."""
    limit: RateLimit = current_app.extensions["query_code_limit"]
    if limit.is_exhausted(network):
        limit.hit(network)
    try:
        yield
    except NotFound:
        limit.hit(network)
        raise
