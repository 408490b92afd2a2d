"""Row 7: the import of a whole city's organizations."""

from pathlib import Path

from bench.city import tree_file
from bench.processes import Finished, run_to_end
from bench.report import Section, Spread, Table, at_most
from bench.scale import Scale
from bench.servers import Databases, program
from bench.surroundings import command_environment

_COUNTIES, _TOWNS, _VILLAGES = 13, 194, 3_014
"""With the city itself 3,222 rows, as many as Fuzhou has."""
_MOST_SECONDS = 5


def measure(databases: Databases, folder: Path, scale: Scale, *, divisions: Path | None) -> Section:
    """Import into an empty database with the command line, from the start of the program to its end."""
    file = divisions or folder / "divisions.csv"
    folder.mkdir(parents=True, exist_ok=True)
    if divisions is None:
        file.write_bytes(tree_file(counties=_COUNTIES, towns=_TOWNS, villages=_VILLAGES))
    runs = [_import(databases, file, folder, f"import_{number}") for number in range(scale.repeats)]
    rows = len(file.read_text("utf-8").splitlines()) - 1
    what = f"`survey-service organizations import`, {rows:,} rows into PostgreSQL"
    target = at_most(what, _MOST_SECONDS, Spread.of(run.seconds for run in runs), unit="s", places=1)
    return Section([target], [_table(runs)])


def _import(databases: Databases, file: Path, folder: Path, name: str) -> Finished:
    environment = command_environment(databases.create(name))
    command = [program("survey-service"), "organizations", "import", str(file.resolve())]
    finished = run_to_end(command, environment=environment, folder=folder)
    if finished.exit_status != 0:
        raise RuntimeError(finished.output)
    return finished


def _table(runs: list[Finished]) -> Table:
    rows = [(f"{run.seconds:.1f}", f"{run.cpu_seconds:.1f}", f"{run.peak_megabytes:.0f}") for run in runs]
    return Table("Import", ("seconds", "CPU seconds of the program", "peak MB"), rows)
