"""Logs of the application: what happened to the service, never what a person did."""

import logging
from traceback import format_exception, format_tb

from sqlalchemy.exc import SQLAlchemyError


def configure_logs() -> None:
    """Write one line for each event to standard error, from every process alike."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)


def log_failure(log: logging.Logger, what: str, error: Exception) -> None:
    """Log an unexpected error with the way to it.

    The words of a database error are left out: PostgreSQL puts the failing row into them, and that row
    may be a ballot.
    """
    if isinstance(error, SQLAlchemyError):
        cause = type(getattr(error, "orig", None) or error).__name__
        lines = [*format_tb(error.__traceback__), f"{cause} (its words are left out)"]
    else:
        lines = format_exception(error)
    log.error("%s: %s\n%s", what, type(error).__name__, "".join(lines))
