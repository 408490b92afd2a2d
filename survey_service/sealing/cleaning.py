"""Take out of the database's files what its tables no longer hold."""

import sqlite3
import time
from datetime import datetime

from psycopg import OperationalError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import OperationalError as WrappedOperationalError

from survey_service.core.errors import Unavailable

_ATTEMPTS, _PAUSE_SECONDS = 20, 0.25
_LOCK_TIMEOUT = "3s"
_REWRITTEN = "ballot, ballot_text, receipt, dirty_mark, campaign, code_batch, paper_stub, paper_line"
_HAS_OPEN = text(
    "SELECT EXISTS (SELECT FROM campaign WHERE launched_at IS NOT NULL AND withdrawn_at IS NULL"
    " AND frozen_at IS NULL AND opens_at <= :now AND :now <= accepts_until)"
)


def clean_files(engine: Engine, *, now: datetime) -> None:
    """Overwrite deleted rows; raises Unavailable when others keep the files busy for too long."""
    try:
        if engine.dialect.name == "sqlite":
            _clean_sqlite(engine)
        else:
            _clean_postgresql(engine, now)
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


def _clean_postgresql(engine: Engine, now: datetime) -> None:
    """Give the tables new files without a byte of what was deleted; the old files are deleted.

    Whoever votes meanwhile waits. So as long as another campaign is open only the participations get a new
    file; elsewhere the space of deleted rows is freed, and read by nobody but a person with tools. The lock
    is not waited for long.
    """
    with engine.connect() as connection:
        has_open = connection.execute(_HAS_OPEN, {"now": now}).scalar_one()
        if has_open:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {_REWRITTEN}")
        _write_anew(connection, "participation" if has_open else f"participation, {_REWRITTEN}")


def _write_anew(connection: Connection, tables: str) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT}'")
    try:
        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {tables}")
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
