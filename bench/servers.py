"""The servers that are measured: PostgreSQL, the product in its shapes, and the yardsticks."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from sqlalchemy.engine import make_url

from bench.scale import YARDSTICK_THREADS
from tests.support.postgresql import TEMPLATE, PostgresCluster
from tests.support.servers import free_port, is_listening, running

REPOSITORY = Path(__file__).resolve().parent.parent
WORKERS = 2
_PROGRAMS = Path(sys.executable).parent
PLAIN_TABLE = """
CREATE TABLE plain_ballot (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, answers jsonb NOT NULL)"""


def program(name: str) -> str:
    """Return the path of a program of this environment."""
    return str(_PROGRAMS / name)


@dataclass(frozen=True)
class Installation:
    """A web server under measurement; `extra_pid` is the queue's worker beside it."""

    port: int
    pid: int
    extra_pid: int | None = None

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@dataclass(frozen=True)
class Databases:
    """The cluster, and new databases in it."""

    cluster: PostgresCluster

    @property
    def pid(self) -> int:
        """The process from which all processes of the cluster come."""
        return int((self.cluster.folder / "data" / "postmaster.pid").read_text().split()[0])

    def create(self, name: str, *, like: str = TEMPLATE) -> str:
        """Make a database as a copy of another and return its address."""
        self.cluster.execute(f"CREATE DATABASE {name} TEMPLATE {like} STRATEGY FILE_COPY")
        return self.cluster.url(name)

    def execute(self, name: str, statement: LiteralString) -> None:
        """Run a statement in a database."""
        with psycopg.connect(self.place(name), autocommit=True) as connection:
            connection.execute(statement)

    def place(self, name: str) -> str:
        """Return where psycopg finds a database."""
        return place_of(self.cluster.url(name))


def place_of(url: str) -> str:
    """Return an SQLAlchemy address in PostgreSQL's own words."""
    parsed = make_url(url)
    query = {key: str(value) for key, value in parsed.query.items()}
    return psycopg.conninfo.make_conninfo(user=parsed.username, dbname=parsed.database, **query)


@contextmanager
def _listening(
    command: Sequence[str], *, port: int, folder: Path, environment: Mapping[str, str]
) -> Iterator[int]:
    folder.mkdir(parents=True, exist_ok=True)
    with running(
        command, folder=folder, is_ready=lambda: is_listening(port), environment=os.environ | environment
    ) as process:
        yield process.pid


@contextmanager
def product(
    database_url: str, *, folder: Path, redis_url: str | None = None, has_worker: bool = False
) -> Iterator[Installation]:
    """Serve the product as `survey-service serve --workers 2` does, with or without a queue's worker."""
    port = free_port()
    environment = {"DATABASE_URL": database_url, "REDIS_URL": redis_url or ""}
    command = [program("survey-service"), "serve", "--port", str(port), "--workers", str(WORKERS)]
    with _listening(command, port=port, folder=folder / "web", environment=environment) as pid:
        if not has_worker:
            yield Installation(port, pid)
            return
        (folder / "worker").mkdir()
        with running(
            [program("survey-service"), "worker"],
            folder=folder / "worker",
            is_ready=lambda: True,
            environment=os.environ | environment,
        ) as worker:
            yield Installation(port, pid, extra_pid=worker.pid)


@contextmanager
def gunicorn_yardstick(environment: Mapping[str, str], *, folder: Path) -> Iterator[Installation]:
    """Serve the yardstick with gunicorn: two workers with four threads each."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "bench.yardstick:app", "--bind", f"127.0.0.1:{port}"]
    command += ["--workers", str(WORKERS), "--worker-class", "gthread", "--threads", str(YARDSTICK_THREADS)]
    command += ["--log-level", "warning", "--chdir", str(REPOSITORY)]
    with _listening(command, port=port, folder=folder, environment=environment) as pid:
        yield Installation(port, pid)


@contextmanager
def granian_yardstick(environment: Mapping[str, str], *, folder: Path) -> Iterator[Installation]:
    """Serve the yardstick with granian: again two workers with four threads each."""
    port = free_port()
    command = [program("granian"), "bench.yardstick:app", "--interface", "wsgi", "--port", str(port)]
    command += ["--workers", str(WORKERS), "--blocking-threads", str(YARDSTICK_THREADS)]
    command += ["--no-access-log", "--working-dir", str(REPOSITORY)]
    with _listening(command, port=port, folder=folder, environment=environment) as pid:
        yield Installation(port, pid)
