"""Logs of the application: what happened to the service, never what a person did."""

import logging


def configure_logs() -> None:
    """Write one line for each event to standard error, from every process alike."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
