"""Measure side by side: A B A B …, so that what else the machine does hits all alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg

from bench.load import CONNECTIONS, Load, send_load
from bench.processes import cpu_seconds
from bench.report import Spread, Table
from bench.servers import Databases, Installation

STRAGGLER_SECONDS = 0.5
"""In this time the requests end that wrk left behind."""


@dataclass(frozen=True)
class Sample:
    """One round: the load, and milliseconds of CPU per request by who used them."""

    load: Load
    web_ms: float
    database_ms: float
    worker_ms: float = 0.0
    wal_bytes: float = 0.0

    @property
    def cpu_ms(self) -> float:
        return self.web_ms + self.database_ms + self.worker_ms


@dataclass(frozen=True)
class Contestant:
    """Something measured: `run` makes one round of so many seconds, `settle` ends what it left running."""

    name: str
    run: Callable[[int], Sample]
    settle: Callable[[], None] = field(default=lambda: None)


Samples = Mapping[str, Sequence[Sample]]


def hold(contestants: Sequence[Contestant], *, rounds: int, seconds: int) -> Samples:
    """Let every contestant warm up once, then run in turn; return the samples by name."""
    samples: dict[str, list[Sample]] = {one.name: [] for one in contestants}
    for number in range(rounds + 1):
        for one in contestants:
            sample = one.run(seconds)
            one.settle()
            if number:
                samples[one.name].append(sample)
    return samples


def wal_position(place: str) -> int:
    """Return how many bytes of write-ahead log there have ever been."""
    with psycopg.connect(place) as connection:
        row = connection.execute("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    return int(row[0]) if row else 0


def run_round(
    databases: Databases, installation: Installation, load: Callable[[Installation], Load]
) -> Sample:
    """Send a load and return what it cost."""
    place = databases.place("postgres")
    families = (
        [installation.pid],
        [databases.pid],
        [installation.extra_pid] if installation.extra_pid else [],
    )
    before = [cpu_seconds(*pids) for pids in families]
    wal_before = wal_position(place)
    sent = load(installation)
    time.sleep(STRAGGLER_SECONDS)
    used = [cpu_seconds(*pids) - earlier for pids, earlier in zip(families, before, strict=True)]
    web, database, worker = (1e3 * seconds / sent.requests for seconds in used)
    wal_bytes = (wal_position(place) - wal_before) / sent.requests
    return Sample(sent, web, database, worker, wal_bytes)


def get_page(databases: Databases, installation: Installation, path: str) -> Callable[[int], Sample]:
    """Return rounds of GETs of one address."""
    return lambda seconds: run_round(
        databases, installation, lambda one: send_load(one.url(path), seconds=seconds)
    )


def ratios(samples: Samples, name: str, than: str) -> Spread:
    """Return the ratio of requests per second, round by round."""
    pairs = zip(samples[name], samples[than], strict=True)
    return Spread.of(one.load.per_second / other.load.per_second for one, other in pairs)


def count_errors(samples: Samples, name: str) -> int:
    return sum(sample.load.errors for sample in samples[name])


def tabulate(title: str, samples: Samples, *, what: str = "request") -> Table:
    """Show all samples of a contest."""
    headings = ("", f"{what}s/s", "median ms", "p99 ms", f"CPU ms per {what}", "web", "database", "worker")
    rows = [_row(name, found) for name, found in samples.items()]
    return Table(f"{title}, {CONNECTIONS} connections", (*headings, "errors"), rows)


def _row(name: str, samples: Sequence[Sample]) -> tuple[str, ...]:
    return (
        name,
        Spread.of(sample.load.per_second for sample in samples).shown(),
        Spread.of(sample.load.median_ms for sample in samples).shown(1),
        Spread.of(sample.load.p99_ms for sample in samples).shown(1),
        Spread.of(sample.cpu_ms for sample in samples).shown(2),
        *(
            f"{Spread.of(values).median:.2f}"
            for values in zip(*((s.web_ms, s.database_ms, s.worker_ms) for s in samples), strict=True)
        ),
        str(sum(sample.load.errors for sample in samples)),
    )
