"""Take out of the database's files what its tables no longer hold."""

import sqlite3
import time

from psycopg import OperationalError
from sqlalchemy import Engine
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import OperationalError as WrappedOperationalError

from survey_service.core.errors import Unavailable

_ATTEMPTS, _PAUSE_SECONDS = 20, 0.25
_LOCK_TIMEOUT = "3s"
_REWRITTEN = "ballot, ballot_text, receipt, dirty_mark, campaign, code_batch"


def clean_files(engine: Engine) -> None:
    """Overwrite deleted rows; raises Unavailable when others keep the files busy for too long."""
    try:
        if engine.dialect.name == "sqlite":
            _clean_sqlite(engine)
        else:
            _clean_postgresql(engine)
    except (sqlite3.OperationalError, OperationalError, WrappedOperationalError) as error:
        raise Unavailable from error


def _clean_sqlite(engine: Engine) -> None:
    """Write all pages anew, without free ones, and empty the write-ahead log."""
    connection = engine.raw_connection()
    try:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        if not any(_empties_log(cursor) for _ in range(_ATTEMPTS)):
            raise Unavailable
    finally:
        connection.close()


def _empties_log(cursor: DBAPICursor) -> bool:
    """Try to empty the log; SQLite gives up at once while anybody else writes from it to the file."""
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ((is_busy, *_),) = cursor.fetchall()
    if is_busy:
        time.sleep(_PAUSE_SECONDS)
    return not is_busy


def _clean_postgresql(engine: Engine) -> None:
    """Free the rows that were rewritten; the participations get a new file, and their old one is deleted.

    The new file needs a lock that voters of other campaigns wait for, so it is not waited for long.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"VACUUM (ANALYZE) {_REWRITTEN}")
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
        try:
            connection.exec_driver_sql("VACUUM (FULL) participation")
        finally:
            connection.exec_driver_sql("RESET lock_timeout")
