"""`python -m bench`: start everything on this machine, measure, write the table, stop everything."""

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import psycopg
from psycopg.types.json import Jsonb

from bench.city import City, load_city
from bench.report import Section, Setting, Spread, describe_machine, write_report, write_targets
from bench.rows import auditing, ballots, imports, letters, million, opinions, pages, paper, ratings, sealing
from bench.scale import FULL, QUICK, Scale
from bench.servers import PLAIN_TABLE, REPOSITORY, Databases
from bench.surroundings import set_up
from survey_service.core import clock
from tests.support.postgresql import running_cluster
from tests.support.servers import free_port, is_listening, running, temporary_folder

_COMMITS = 200
_REPORT = REPOSITORY / "docs" / "benchmark.md"

Measure = Callable[[], Section]


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    port = free_port()
    folder.mkdir()
    command = ["redis-server", "--bind", "127.0.0.1", "--port", str(port), "--save", "", "--appendonly", "no"]
    with running(command, folder=folder, is_ready=lambda: is_listening(port)):
        yield f"redis://127.0.0.1:{port}"


def _commit_milliseconds(databases: Databases) -> Spread:
    """Return what it takes to insert one row and wait for the disk."""
    databases.create("commits")
    databases.execute("commits", PLAIN_TABLE)
    with psycopg.connect(databases.place("commits"), autocommit=True) as connection:
        return Spread.of(_commit_once(connection) for _ in range(_COMMITS))


def _commit_once(connection: psycopg.Connection) -> float:
    started = time.perf_counter()
    connection.execute("INSERT INTO plain_ballot (answers) VALUES (%s)", [Jsonb({})])
    return 1e3 * (time.perf_counter() - started)


def _version(databases: Databases) -> str:
    with psycopg.connect(databases.place("postgres")) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return f"PostgreSQL {row[0].split()[0]}" if row else "PostgreSQL"


def _measurements(
    databases: Databases, city: City, redis_url: str, folder: Path, scale: Scale, divisions: Path | None
) -> Mapping[str, Measure]:
    """Return what can be measured, in the order of the table."""
    return {
        "ballots": lambda: ballots.measure(databases, city, redis_url, folder / "ballots", scale),
        "page": lambda: pages.measure(databases, city, redis_url, folder / "page", scale),
        "import": lambda: imports.measure(databases, folder / "import", scale, divisions=divisions),
        "million": lambda: million.measure(databases, city, redis_url, folder / "million", scale, click.echo),
        "sealing": lambda: sealing.measure(databases, city, folder / "sealing", scale, click.echo),
        "opinions": lambda: opinions.measure(databases, folder / "opinions", scale, click.echo),
        "auditing": lambda: auditing.measure(databases, scale),
        "paper": lambda: paper.measure(databases, scale),
        "ratings": lambda: ratings.measure(databases, folder / "ratings", scale, click.echo),
        "letters": lambda: letters.measure(databases, folder / "letters", scale),
    }


def _measure_all(
    only: Sequence[str], scale: Scale, divisions: Path | None, *, is_quick: bool
) -> tuple[Setting, list[Section]]:
    with ExitStack() as stack:
        folder = stack.enter_context(temporary_folder("survey-bench-"))
        set_up(folder)
        machine = describe_machine()
        databases = Databases(stack.enter_context(running_cluster(is_durable=True)))
        redis_url = stack.enter_context(_redis(folder / "redis"))
        started_at = clock.now()
        setting = Setting(
            started_at, is_quick, _version(databases), _commit_milliseconds(databases), [machine]
        )
        city = load_city(databases.create("city"), villages=scale.villages, slots=scale.slots, folder=folder)
        click.echo(f"{machine}\nloaded the city in {(clock.now() - started_at).total_seconds():.0f} s")
        measurements = _measurements(databases, city, redis_url, folder, scale, divisions)
        return setting, [
            _run(name, measurements[name]) for name in measurements if name in (only or measurements)
        ]


def _run(name: str, measure: Measure) -> Section:
    started = time.monotonic()
    section = measure()
    click.echo(f"\n{name}: {time.monotonic() - started:.0f} s")
    click.echo("\n".join(write_targets([section])))
    return section


@click.command()
@click.option("--quick", "is_quick", is_flag=True, help="Two minutes at most: short rounds and little data.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(
        [
            *("ballots", "page", "import", "million", "sealing", "auditing", "paper", "letters", "opinions"),
            "ratings",
        ]
    ),
    help="Measure only this.",
)
@click.option("--slots", type=int, help="Household codes to vote with, for machines faster than expected.")
@click.option(
    "--divisions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Import this file in the place of a generated one.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_REPORT,
    help="Where the table is written.",
)
def main(
    *, is_quick: bool, only: tuple[str, ...], slots: int | None, divisions: Path | None, output: Path
) -> None:
    """Measure the service beside plain Flask on this machine, and write a table as Markdown."""
    # Being told to stop unwinds like an error: every server ends and every folder goes.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit("stopped"))
    scale = QUICK if is_quick else FULL
    if slots is not None:
        scale = replace(scale, slots=slots)
    setting, sections = _measure_all(only, scale, divisions, is_quick=is_quick)
    output.write_text(write_report(setting, sections), "utf-8")
    click.echo(f"\nwritten to {output}")


if __name__ == "__main__":
    main()
