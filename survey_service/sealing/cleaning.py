"""Take out of the database's files what its tables no longer hold."""

import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from psycopg import OperationalError
from sqlalchemy import Connection, Engine, TextClause, text
from sqlalchemy.engine.interfaces import DBAPICursor
from sqlalchemy.exc import OperationalError as WrappedOperationalError

from survey_service.core.errors import Unavailable

BUSY_SECONDS = 5
"""So long SQLite's log may be in use by others."""
LOCK_SECONDS = 3
"""So long others may hold a table of PostgreSQL: whoever votes waits behind the cleaning."""
SNAPSHOT_SECONDS = 10
"""So long others may see PostgreSQL as it was before the deletion; nobody waits behind the cleaning yet."""
_PAUSE_SECONDS = 0.25
_REWRITTEN = "ballot, ballot_text, receipt, dirty_mark, campaign, code_batch, paper_stub, paper_line"
_HAS_OPEN = text(
    "SELECT EXISTS (SELECT FROM campaign WHERE launched_at IS NOT NULL AND withdrawn_at IS NULL"
    " AND frozen_at IS NULL AND opens_at <= :now AND :now <= accepts_until)"
)
_PRESENT = text("SELECT CAST(pg_current_xact_id() AS xid)")
_NO_OLDER_WRITER = text(
    "SELECT NOT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND age(backend_xid) > age(CAST(:present AS xid)))"
)
_NO_OLDER_SNAPSHOT = text(
    "SELECT NOT EXISTS (SELECT FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND age(backend_xmin) > age(CAST(:present AS xid))"
    " AND coalesce(datname, current_database()) = current_database()"
    # A vacuum looks at no row of another table, and PostgreSQL itself does not wait for it.
    " AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum))"
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
        _wait_until(lambda: _empties_log(cursor), seconds=BUSY_SECONDS)
    finally:
        connection.close()


def _empties_log(cursor: DBAPICursor) -> bool:
    """Try to empty the log; SQLite gives up at once while anybody else writes from it to the file."""
    cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ((is_busy, *_),) = cursor.fetchall()
    return not is_busy


def _wait_until(is_done: Callable[[], bool], *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() >= end:
            raise Unavailable
        time.sleep(_PAUSE_SECONDS)


def _clean_postgresql(engine: Engine, now: datetime) -> None:
    """Give the tables new files without a byte of what was deleted; the old files are deleted.

    Whoever votes meanwhile waits. So as long as another campaign is open only the participations get a new
    file; elsewhere the space of deleted rows is freed, and read by nobody but a person with tools. The lock
    is not waited for long.
    """
    with engine.connect() as connection:
        _wait_until_past_is_unseen(connection)
        has_open = _is_true(connection, _HAS_OPEN, {"now": now})
        if has_open:
            connection.exec_driver_sql(f"VACUUM (ANALYZE) {_REWRITTEN}")
        _write_anew(connection, "participation" if has_open else f"participation, {_REWRITTEN}")


def _wait_until_past_is_unseen(connection: Connection) -> None:
    """Return when no snapshot is as old as the deletion.

    What one could still show would be copied into the new files, also for whoever reads other tables, such as
    the gathering of statistics. As long as an older transaction writes, new snapshots are as old as that.
    """
    present = {"present": connection.execute(_PRESENT).scalar_one()}
    for nobody in (_NO_OLDER_WRITER, _NO_OLDER_SNAPSHOT):
        _wait_until(partial(_is_true, connection, nobody, present), seconds=SNAPSHOT_SECONDS)


def _is_true(connection: Connection, statement: TextClause, parameters: Mapping[str, object]) -> bool:
    return bool(connection.execute(statement, parameters).scalar_one())


def _write_anew(connection: Connection, tables: str) -> None:
    connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    try:
        connection.exec_driver_sql(f"VACUUM (FULL, ANALYZE) {tables}")
    finally:
        connection.exec_driver_sql("RESET lock_timeout")
