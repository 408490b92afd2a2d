"""The database: engine, sessions, and the unit of work that holds the only commit."""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar

import psycopg
from flask import current_app
from sqlalchemy import (
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Identity,
    Integer,
    MetaData,
    Select,
    create_engine,
    event,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from survey_service.core.events import Event, take_events

SQLITE_BUSY_TIMEOUT_MS = 30_000
SQLITE_CACHE_KIB = 16 * 1024
"""The digests of a county's codes stand in one index in no order: with SQLite's own 2 MB it is read in again
and again."""
POOL_SIZE = 8
POOL_TIMEOUT_SECONDS = 5
_POSTGRESQL = make_url("postgresql+psycopg://").get_dialect()()
"""For what is worded before there is a connection."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in Python, UTC in the database (SQLite keeps no zone, so we put it back)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


MAX_ID = 2**63 - 1
BigId = BigInteger().with_variant(Integer, "sqlite")
"""SQLite only counts up by itself in a column that is called INTEGER."""


def one_of(members: type[StrEnum], *, name: str, length: int = 24) -> Enum:
    """Return a column type for the values of an enum, checked by the database under a constraint `name`.

    `length` is that of the column, in characters.
    """
    return Enum(
        members,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=length,
        values_callable=lambda kinds: [member.value for member in kinds],
    )


Id = Annotated[int, mapped_column(BigId, Identity(), primary_key=True)]


class Base(DeclarativeBase):
    """The declarative base; every constraint has a predictable name so that migrations can speak of it."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime}


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not open transactions by itself: we say BEGIN or BEGIN IMMEDIATE.
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"busy_timeout={SQLITE_BUSY_TIMEOUT_MS}",
        f"cache_size=-{SQLITE_CACHE_KIB}",
        "secure_delete=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later could fail half-way: writers take their turn at once.
    is_writing = connection.get_execution_options().get("is_writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writing else "BEGIN")


def normalize_url(url: str) -> str:
    """Let `postgres://` and `postgresql://` mean psycopg 3."""
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def _create_engine(url: str) -> Engine:
    # No error message may carry the parameters of a statement: they are answers and digests of voters.
    if url.startswith("sqlite"):
        engine = create_engine(
            url, connect_args={"check_same_thread": False}, pool_size=POOL_SIZE, hide_parameters=True
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_SECONDS,
        hide_parameters=True,
    )


def with_transactions(engine: Engine) -> Engine:
    """Return the same engine for work of several statements that succeed or fail together.

    Elsewhere each statement of PostgreSQL is its own transaction: reads and ballots need no BEGIN and COMMIT.
    """
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="READ COMMITTED")


class Database:
    """An engine and its sessions.

    `before_commit` may add to a unit of work as its last step; `after_commit` receives the events of each
    committed one.
    """

    def __init__(self, url: str) -> None:
        self.url = normalize_url(url)
        self.engine = _create_engine(self.url)
        self.before_commit: Callable[[Session], None] = lambda _session: None
        self.after_commit: Callable[[Sequence[Event]], None] = lambda _events: None
        self._reading = sessionmaker(self.engine, expire_on_commit=False, autoflush=True)
        self._writing = sessionmaker(
            with_transactions(self.engine).execution_options(is_writing=True),
            expire_on_commit=False,
            autoflush=True,
        )

    def bind(self, connection: Connection) -> None:
        """Make every session a savepoint of one connection's transaction (for tests that roll it back)."""
        for factory in (self._reading, self._writing):
            factory.configure(bind=connection, join_transaction_mode="create_savepoint")

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """Give a session, commit it once at the end, then tell on what happened; an error undoes all."""
        with self._writing() as session:
            yield session
            self.before_commit(session)
            events = take_events(session)
            session.commit()
        if events:
            self.after_commit(events)

    @contextmanager
    def single_statements(self) -> Iterator[Session]:
        """Give a session whose every statement is a transaction of its own, for work that is one statement.

        It spares the BEGIN and COMMIT of PostgreSQL. `begin_transaction` makes the rest of the work one
        transaction after all; on SQLite the whole of it always is one.
        """
        if self.engine.dialect.name == "sqlite":
            with self.unit_of_work() as session:
                yield session
            return
        with self._reading() as session:
            yield session
            events = take_events(session)
            if session.in_transaction():
                session.commit()
        if events:
            self.after_commit(events)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that is never committed."""
        with self._reading() as session:
            yield session


def is_sqlite(session: Session) -> bool:
    """Tell whether a session speaks to SQLite, whose writers take turns instead of locking rows."""
    return session.get_bind().dialect.name == "sqlite"


def fetch_alone(
    session: Session, statement: str, parameters: Mapping[str, object]
) -> Sequence[tuple[Any, ...]]:
    """Run one statement of PostgreSQL, in its driver's words, and return the rows of its answer.

    In a fresh session of single statements it goes from the pool straight to the driver: all that SQLAlchemy
    does around a statement costs more than the ballot's own work in this process. A session that has a
    connection keeps to it: a second one for the same request could wait for ever. Raises SQLAlchemy's errors.
    """
    bind = session.get_bind()
    is_unit_of_work = bind.get_execution_options().get("is_writing", False)
    if isinstance(bind, Connection) or is_unit_of_work or session.in_transaction():
        result = session.connection().exec_driver_sql(statement, dict(parameters))
        return [tuple(row) for row in result]
    lent = bind.raw_connection()
    driver: Any = lent.driver_connection
    try:
        rows: Sequence[tuple[Any, ...]] = driver.execute(statement, parameters).fetchall()
        return rows
    except psycopg.Error as error:
        if driver.closed:
            # Where one connection is gone all are: without them the next request finds the server again.
            lent.invalidate()
            bind.dispose()
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, dialect=bind.dialect
        ) from None
    finally:
        lent.close()


class LoneSelect:
    """A select that a voter waits for: worded once in a process, and on PostgreSQL run by `fetch_alone`.

    Its rows have the names and the Python types of the columns, as SQLAlchemy's own have. Parameters are
    given as the driver takes them.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self._statement = statement
        self._row: Any = namedtuple("Row", statement.selected_columns.keys())  # type: ignore[misc]  # Named at run time.

    def rows(self, session: Session, parameters: Mapping[str, object]) -> Sequence[Any]:
        """Return what the select finds."""
        if is_sqlite(session):
            return session.connection().execute(self._statement, parameters).all()
        worded, constants = self._worded
        found = fetch_alone(session, worded, {**constants, **parameters})
        return [self._row(*map(_read, self._readers, row)) for row in found]

    @cached_property
    def _worded(self) -> tuple[str, Mapping[str, object]]:
        compiled = self._statement.compile(dialect=_POSTGRESQL)
        return compiled.string, compiled.params

    @cached_property
    def _readers(self) -> Sequence[Callable[[Any], Any] | None]:
        types = [column.type.dialect_impl(_POSTGRESQL) for column in self._statement.selected_columns]
        return [kind.result_processor(_POSTGRESQL, None) for kind in types]


def _read(reader: Callable[[Any], Any] | None, value: Any) -> Any:
    return value if reader is None else reader(value)


def begin_transaction(session: Session) -> None:
    """Make one transaction of what follows in a session of single statements."""
    if _chooses_isolation(session):
        session.rollback()
        session.connection(execution_options={"isolation_level": "READ COMMITTED"})


def see_one_snapshot(session: Session) -> None:
    """Let a session that only reads see one moment from here on.

    SQLite gives that to every transaction by itself.
    """
    if _chooses_isolation(session):
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})


def _chooses_isolation(session: Session) -> bool:
    """Tell whether it can be chosen: not of SQLite, nor of a connection that is in a transaction already."""
    return isinstance(session.get_bind(), Engine) and not is_sqlite(session)


def current_database() -> Database:
    """Return the database of the running application."""
    database: Database = current_app.extensions["database"]
    return database


def unit_of_work() -> AbstractContextManager[Session]:
    """Open a unit of work on the application's database: the one commit at the edge."""
    return current_database().unit_of_work()


def single_statements() -> AbstractContextManager[Session]:
    """Open a session of single statements on the application's database."""
    return current_database().single_statements()


def reading() -> AbstractContextManager[Session]:
    """Open a session for reading on the application's database."""
    return current_database().reading()
