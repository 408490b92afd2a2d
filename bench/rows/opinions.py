"""What opinions cost: redaction and grouping by themselves, an inbox and a search among 100,000."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.crowd import (
    COUNTY_CODE,
    QUIET_TOWN_CODE,
    TODAY,
    TOWN_CODE,
    VILLAGE_CODE,
    invent,
    spoken_words,
    store_opinions,
)
from bench.processes import run_to_end
from bench.report import Say, Section, Spread, Table, Target, at_most
from bench.scale import QUICK, Scale
from bench.servers import Databases
from bench.surroundings import command_environment
from survey_service.core.db import Database, is_sqlite
from survey_service.core.migrations import upgrade
from survey_service.core.permissions import Identity
from survey_service.insights.search import search_opinions
from survey_service.opinions.grouping import find_groups
from survey_service.opinions.queries import OpinionFilter, count_cases, list_opinions, position_of
from survey_service.opinions.redaction import redact
from survey_service.opinions.rules import State
from survey_service.organizations.queries import get_organization
from survey_service.reports.presentation.opinions import ALL, COUNTED_STATES, GROUPS, filter_of
from survey_service.staff.rules import Role

_GROUPED, _REDACTED, _STORED, _STORED_QUICKLY = 20_000, 20_000, 100_000, 5_000
_LEAST_REDACTIONS, _MOST_SECONDS, _MOST_MEGABYTES = 20_000, 5, 500
_MOST_INBOX_MS, _MOST_SEARCH_MS = 50, 100
_CALLS = 7
_PEOPLE = (
    (Role.COUNTY_ADMIN, COUNTY_CODE),
    (Role.TOWN_STAFF, TOWN_CODE),
    (Role.TOWN_STAFF, QUIET_TOWN_CODE),
    (Role.BRANCH_SECRETARY, VILLAGE_CODE),
)
_FIRST_PAGE, _DEEP_PAGE = 0, position_of(TODAY - timedelta(days=30), 0)
_PLACES = (TOWN_CODE, VILLAGE_CODE, "T5", "T9V9")


def measure(databases: Databases, folder: Path, scale: Scale, say: Say) -> Section:
    """Measure the pure parts, then the reads on both engines."""
    folder.mkdir(parents=True, exist_ok=True)
    number = _STORED_QUICKLY if scale == QUICK else _STORED
    places = {
        "PostgreSQL": databases.create("opinions"),
        "SQLite": f"sqlite:///{folder / 'opinions.sqlite3'}",
    }
    targets = [_redaction(scale), *_grouping(folder, scale)]
    tables = []
    for name, url in places.items():
        found, table = _reads(name, url, number, say)
        targets += found
        tables.append(table)
    return Section(targets, tables, [_NOTE])


def _redaction(scale: Scale) -> Target:
    texts = [one.text for one in invent(_REDACTED)]
    rates = Spread.of(
        _REDACTED / _cpu_seconds(lambda: [redact(one) for one in texts]) for _ in range(scale.repeats)
    )
    wanted = f"≥ {_LEAST_REDACTIONS:,} a CPU second"
    is_met = rates.median >= _LEAST_REDACTIONS
    return Target("redaction of realistic opinions", wanted, rates.shown(), is_met)


def _cpu_seconds(act: Callable[[], object]) -> float:
    started = time.process_time()
    act()
    return time.process_time() - started


def _grouping(folder: Path, scale: Scale) -> Iterator[Target]:
    command = [sys.executable, "-m", "bench.rows.opinions"]
    environment = command_environment("sqlite://") | {"PYTHONPATH": str(Path(__file__).parents[2])}
    runs = [run_to_end(command, environment=environment, folder=folder) for _ in range(scale.repeats)]
    seconds = Spread.of(float(run.output.split()[-1]) for run in runs)
    yield at_most(f"grouping {_GROUPED:,} opinions", _MOST_SECONDS, seconds, unit="s of CPU", places=1)
    peak = Spread.of(run.peak_megabytes for run in runs)
    yield at_most("… memory of the process", _MOST_MEGABYTES, peak, unit="MB")


def _reads(name: str, url: str, number: int, say: Say) -> tuple[list[Target], Table]:
    database = Database(url)
    upgrade(database.engine)
    started = time.monotonic()
    store_opinions(database, number)
    say(f"stored {number:,} opinions in {name} in {time.monotonic() - started:.0f} s")
    inboxes, searches, rows = [], [], []
    for role, code in _PEOPLE:
        staff = _identity(database, role, code)
        opened = {
            f"slowest of all inboxes: {shape}": _timed(
                database, partial(_open_inbox, staff=staff, narrowed=narrowed, after=after)
            )
            for shape, narrowed, after in _shapes(database)
        }
        slowest = max(opened, key=lambda shape: opened[shape].cpu.median)
        found = {
            words: _timed(database, partial(search_opinions, staff=staff, words=words))
            for words in spoken_words()
        }
        inboxes += opened.values()
        searches += found.values()
        rows += [
            (f"{role.value} of {code}", what, one.wall.shown(1), one.cpu.shown(1))
            for what, one in ({slowest: opened[slowest]} | found).items()
        ]
    database.engine.dispose()
    among = f"among {number:,} opinions on {name}"
    targets = [
        *_slowest(f"opening an inbox {among}, the slowest of {len(inboxes)}", _MOST_INBOX_MS, inboxes),
        *_slowest(f"a search {among}, the slowest of {len(searches)}", _MOST_SEARCH_MS, searches),
    ]
    return targets, Table(f"Opinions on {name}", ("role", "what", "ms", "CPU ms"), rows)


@dataclass(frozen=True)
class _Calls:
    """Milliseconds of each call but the first, and CPU milliseconds in this process and in its server's."""

    wall: Spread
    cpu: Spread


def _slowest(what: str, most: float, found: Sequence[_Calls]) -> Iterator[Target]:
    yield at_most(what, most, Spread.of([max(one.wall.median for one in found)]), unit="ms", places=1)
    cpu = Spread.of([max(one.cpu.median for one in found)])
    yield at_most("… in CPU time, which a busy machine does not stretch", most, cpu, unit="ms", places=1)


def _shapes(database: Database) -> Iterator[tuple[str, OpinionFilter, int]]:
    """Yield each inbox that pages and API offer, from its beginning and from far inside."""
    with database.reading() as session:
        paths = {code: get_organization(session, code=code).path for code in _PLACES}
    filters = {group: filter_of(group) for group in (*GROUPS, ALL)}
    filters |= {f"={state}": OpinionFilter(states=frozenset({state})) for state in State}
    for code, path in paths.items():
        filters[f"in {code}"] = OpinionFilter(path=path)
        filters[f"closed in {code}"] = OpinionFilter(path=path, states=frozenset({State.CLOSED}))
    for name, narrowed in filters.items():
        yield name, narrowed, _FIRST_PAGE
        yield f"{name}, deep", narrowed, _DEEP_PAGE


def _open_inbox(session: Session, *, staff: Identity, narrowed: OpinionFilter, after: int) -> None:
    """Read what a page of the queue shows: its cases, the numbers on its tabs, and what is overdue."""
    list_opinions(session, staff=staff, narrowed=narrowed, after=after)
    count_cases(session, staff=staff, states=COUNTED_STATES, today=TODAY)


def _identity(database: Database, role: Role, code: str) -> Identity:
    with database.reading() as session:
        return Identity(1, "", role, 0, get_organization(session, code=code).path)


def _timed(database: Database, read: Callable[..., object]) -> _Calls:
    _, *times = _times(database, read)
    return _Calls(Spread.of(wall for wall, _ in times), Spread.of(cpu for _, cpu in times))


def _times(database: Database, read: Callable[..., object]) -> Iterator[tuple[float, float]]:
    server = _server_of(database)
    for _ in range(_CALLS + 1):
        started, used = time.perf_counter(), time.process_time() + server()
        with database.reading() as session:
            read(session)
        yield 1e3 * (time.perf_counter() - started), 1e3 * (time.process_time() + server() - used)


def _server_of(database: Database) -> Callable[[], float]:
    """Return what tells the CPU seconds of the process that serves the only connection in the pool."""
    with database.reading() as session:
        if is_sqlite(session):
            return lambda: 0.0
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    # The kernel counts nanoseconds there, and ticks of ten milliseconds elsewhere.
    schedule = Path(f"/proc/{pid}/schedstat")
    return lambda: int(schedule.read_text().split()[0]) / 1e9


_NOTE = (
    "Opinions are the invented ones of the demonstration, with its noise: many alike, dialect, numbers. "
    "Redaction and grouping are counted in CPU seconds; inbox and search are calls of the product's own "
    "queries, each in a session of its own, the median of seven after one to warm up. An inbox is a page of "
    "the queue with its numbers: each tab, each state, four places, from the beginning and from far inside."
)


if __name__ == "__main__":
    _texts = [(number, redact(one.text).text) for number, one in enumerate(invent(_GROUPED))]
    sys.stdout.write(f"{_cpu_seconds(lambda: find_groups(_texts))}\n")
