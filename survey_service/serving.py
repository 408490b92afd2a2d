"""Serve the application with granian."""

import logging
import socket

import click
from granian import Granian
from granian.constants import Interfaces

THREADS_PER_WORKER = 8
"""Most of a ballot's time is its wait for the disk, and commits that wait together are written together:
eight threads take a third more ballots than four. Each has a connection of its own (`core.db.POOL_SIZE`)."""


def _require_free(host: str, port: int) -> None:
    """Say in one sentence what to do when somebody else listens at the port; the server would only crash."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise click.ClickException(
                f"Cannot listen at {host}:{port} ({error.strerror}). Choose another one with --port."
            ) from error


def _is_no_advice_on_threads(record: logging.LogRecord) -> bool:
    """Leave out granian's advice, which counts cores and knows nothing of waiting for a disk."""
    return "Python threads" not in record.getMessage()


def serve_application(*, host: str, port: int, workers: int = 1) -> None:
    """Serve until stopped. Access logs stay off: a voter's address must never stand in a log."""
    _require_free(host, port)
    logging.getLogger("_granian").addFilter(_is_no_advice_on_threads)
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
