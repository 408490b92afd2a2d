"""Serve the application with granian."""

from granian import Granian
from granian.constants import Interfaces

THREADS_PER_WORKER = 4
"""A thread waits for the commit about a third of the time, so a few share a core well."""


def serve_application(*, host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped. Access logs stay off: a voter's address must never stand in a log."""
    Granian(
        "survey_service.wsgi:app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=THREADS_PER_WORKER,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()
