"""A real PostgreSQL of the tests' own: one cluster per test process, started at first use."""

import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from scripts.system_packages import postgresql_binaries
from survey_service.core.db import Database
from survey_service.core.migrations import upgrade
from tests.support.servers import free_port, running, temporary_folder, unprivileged_user, with_user

OWNER = "survey"
TEMPLATE = "survey_template"
MAX_CONNECTIONS = 200
# What a test writes need not survive a power cut: this makes commits several times faster. And nobody
# vacuums at a moment of his own: he would hold locks and snapshots, and keep a template from being copied.
FORGETFUL = tuple(
    part
    for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")
    for part in ("-c", f"{setting}=off")
)


@dataclass(frozen=True)
class PostgresCluster:
    """A running server, reached through its Unix socket (its folder) or on 127.0.0.1 at its port."""

    folder: Path
    port: int
    _serials: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def url(self, database: str) -> str:
        """Return the SQLAlchemy address of a database through the Unix socket."""
        query = {"host": str(self.folder), "port": str(self.port)}
        url = URL.create("postgresql+psycopg", username=OWNER, database=database, query=query)
        return url.render_as_string()

    def execute(self, statement: str) -> None:
        """Run a statement outside of any transaction in the maintenance database."""
        place = f"host={self.folder} port={self.port} user={OWNER} dbname=postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(statement.encode())

    def accepts_connections(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def make_template(self) -> None:
        """Make the migrated database that all others are copies of."""
        self.execute(f"CREATE DATABASE {TEMPLATE}")
        database = Database(self.url(TEMPLATE))
        upgrade(database.engine)
        database.engine.dispose()

    @contextmanager
    def new_database(self) -> Iterator[str]:
        """Give the address of a fresh migrated database, which is dropped at the end."""
        name = f"survey_{next(self._serials)}"
        # Where nothing waits for the disk, copying files is twice as fast as logging their contents.
        self.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


def initialize(data: Path, binaries: Path, user: str | None) -> None:
    """Make the files of a cluster; its locale knows Chinese letters (in C, their trigrams are empty)."""
    command = [str(binaries / "initdb"), "--pgdata", str(data), "--username", OWNER, "--auth", "trust"]
    command += ["--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync"]
    subprocess.run(with_user(command, user), cwd=data.parent, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running_cluster(*, is_durable: bool) -> Iterator[PostgresCluster]:
    """Start a cluster with the migrated template; a durable one keeps its promises after a crash."""
    binaries = postgresql_binaries()
    if binaries is None:
        raise RuntimeError("PostgreSQL is missing: run `make test`, which installs it")
    user = unprivileged_user("postgres")
    with temporary_folder("survey-postgresql-", owner=user) as folder:
        initialize(folder / "data", binaries, user)
        cluster = PostgresCluster(folder, free_port())
        command = [str(binaries / "postgres"), "-D", "data", "-k", str(folder), "-h", "127.0.0.1"]
        command += ["-p", str(cluster.port), "-c", f"max_connections={MAX_CONNECTIONS}"]
        command += [] if is_durable else FORGETFUL
        with running(command, folder=folder, is_ready=cluster.accepts_connections, user=user):
            cluster.make_template()
            yield cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresCluster]:
    """A cluster for everything but crash tests: it does not wait for the disk."""
    with running_cluster(is_durable=False) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def durable_postgres() -> Iterator[PostgresCluster]:
    """A cluster that waits for the disk, for tests that kill it."""
    with running_cluster(is_durable=True) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def postgres_url(postgres: PostgresCluster) -> Iterator[str]:
    """The migrated database that the tests of this process share; they roll back what they write."""
    with postgres.new_database() as url:
        yield url
