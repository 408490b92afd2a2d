"""Rows 1 and 5: a ballot against one plain insert, and what a web process then weighs."""

import time
from contextlib import ExitStack
from pathlib import Path

from bench.city import City, Supply
from bench.contest import Contestant, Sample, Samples, count_errors, hold, ratios, run_round, tabulate
from bench.load import CONNECTIONS, Load, send_load
from bench.processes import Memory, family, memory_of
from bench.report import Section, Spread, Table, Target, at_least, at_most
from bench.scale import Scale
from bench.servers import (
    PLAIN_TABLE,
    Databases,
    Installation,
    granian_yardstick,
    gunicorn_yardstick,
    place_of,
    product,
)
from bench.stored import count_marks, count_stored
from survey_service.serving import THREADS_PER_WORKER

GUNICORN = "plain Flask, gunicorn"
GRANIAN = "plain Flask, granian"
OURS = "ballot"
WITH_WORKER = "ballot, and a queue worker counting"
WITHOUT_REDIS = "ballot, and the web processes counting"
_MOST_PER_SECOND = 5_000
_MOST_MEGABYTES = 150
_DRAIN_SECONDS = 60


class BallotLoad:
    """Rounds of unique ballots on one installation; every acknowledged one must be in the database."""

    def __init__(
        self, databases: Databases, installation: Installation, *, database: str, city: City, folder: Path
    ) -> None:
        self._databases = databases
        self._installation = installation
        self._place = databases.place(database)
        self._city = city
        self._supply = Supply(city.submissions, folder)
        self._stored = count_stored(self._place, city.campaign_id).ballots

    def run(self, seconds: int) -> Sample:
        """Make one round; raises RuntimeError when a ballot is missing or counted twice."""
        sample = run_round(self._databases, self._installation, lambda one: self._send(one, seconds))
        self._check(sample.load)
        return sample

    def _send(self, installation: Installation, seconds: int) -> Load:
        most = seconds * _MOST_PER_SECOND
        load = send_load(installation.url(), seconds=seconds, prepared=self._supply.take(most))
        # wrk asks for one request before it starts, and leaves one on each connection at the end.
        self._supply.spend(load.requests + CONNECTIONS + 1, most=most)
        return load

    def _check(self, load: Load) -> None:
        counts = count_stored(self._place, self._city.campaign_id)
        new = counts.ballots - self._stored
        acknowledged = load.requests - load.refused
        if not counts.is_consistent or not acknowledged <= new <= acknowledged + CONNECTIONS:
            raise RuntimeError(f"{acknowledged} ballots acknowledged, {new} stored: {counts}")
        self._stored = counts.ballots

    def wait_for_counting(self) -> None:
        """Return when everything has been counted, so that it disturbs nobody else's round."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while count_marks(self._place) and time.monotonic() < deadline:
            time.sleep(0.2)


def _yardstick(name: str, databases: Databases, installation: Installation, file: Path) -> Contestant:
    def run(seconds: int) -> Sample:
        return run_round(
            databases,
            installation,
            lambda one: send_load(one.url(), seconds=seconds, prepared=file, path="/ballots"),
        )

    return Contestant(name, run)


def measure(databases: Databases, city: City, redis_url: str, folder: Path, scale: Scale) -> Section:
    """Measure ballots beside the yardsticks, then weigh the web processes."""
    with ExitStack() as stack:
        contestants = _yardsticks(stack, databases, city, folder)
        shapes = _shapes(stack, databases, redis_url, folder)
        loads = {
            name: BallotLoad(databases, one, database=database, city=city, folder=folder / database)
            for name, (database, one) in shapes.items()
        }
        contestants.append(Contestant(OURS, loads[OURS].run))
        contestants += [
            Contestant(name, loads[name].run, settle=loads[name].wait_for_counting)
            for name in (WITH_WORKER, WITHOUT_REDIS)
        ]
        samples = hold(contestants, rounds=scale.rounds, seconds=scale.seconds)
        weights = [_heaviest_worker(one) for _, one in shapes.values()]
    return Section(
        [*_targets(samples), _memory_target(weights)],
        _tables(samples),
        [_NOTE.format(villages=scale.villages, threads=THREADS_PER_WORKER)],
    )


def _yardsticks(stack: ExitStack, databases: Databases, city: City, folder: Path) -> list[Contestant]:
    environment = {"YARDSTICK_DATABASE": place_of(databases.create("plain"))}
    databases.execute("plain", PLAIN_TABLE)
    file = Supply(city.submissions, folder).take(_MOST_PER_SECOND)
    gunicorn = stack.enter_context(gunicorn_yardstick(environment, folder=folder / "gunicorn"))
    granian = stack.enter_context(granian_yardstick(environment, folder=folder / "granian"))
    return [
        _yardstick(GUNICORN, databases, gunicorn, file),
        _yardstick(GRANIAN, databases, granian, file),
    ]


def _shapes(
    stack: ExitStack, databases: Databases, redis_url: str, folder: Path
) -> dict[str, tuple[str, Installation]]:
    """Start the product in each of its shapes, on databases of their own."""
    wanted = {
        OURS: ("ballots", f"{redis_url}/0", False),
        WITH_WORKER: ("ballots_worker", f"{redis_url}/1", True),
        WITHOUT_REDIS: ("ballots_alone", None, False),
    }
    return {
        name: (
            database,
            stack.enter_context(
                product(
                    databases.create(database, like="city"),
                    folder=folder / database,
                    redis_url=redis,
                    has_worker=has_worker,
                )
            ),
        )
        for name, (database, redis, has_worker) in wanted.items()
    }


def _heaviest_worker(installation: Installation) -> Memory:
    """Return the memory of the largest process behind a server's first one."""
    _, *workers = family(installation.pid)
    return max((memory_of(pid) for pid in workers), key=lambda memory: memory.proportional)


def _targets(samples: Samples) -> list[Target]:
    what = "`POST …/ballots` on PostgreSQL, requests/s"
    errors = sum(count_errors(samples, name) for name in (OURS, WITH_WORKER, WITHOUT_REDIS))
    return [
        at_least(what, 1.0, ratios(samples, OURS, GUNICORN), than="plain Flask on gunicorn (aim 1.5)"),
        at_least(what, 0.6, ratios(samples, OURS, GRANIAN), than="plain Flask on granian"),
        Target("… errors and lost or doubled ballots", "0", str(errors), errors == 0),
        _shape("… with a queue worker counting on the same cores", samples, WITH_WORKER),
        _shape("… without Redis, the web processes counting", samples, WITHOUT_REDIS),
    ]


def _shape(what: str, samples: Samples, name: str) -> Target:
    measured = (ratios(samples, name, GUNICORN), ratios(samples, name, GRANIAN))
    return Target(what, "–", " and ".join(f"{one.shown(2)} ×" for one in measured))


def _memory_target(weights: list[Memory]) -> Target:
    what = "memory of a web worker after the load (PSS; the largest of three shapes)"
    heaviest = Spread.of([max(memory.proportional for memory in weights)])
    found = at_most(what, _MOST_MEGABYTES, heaviest, unit="MB")
    resident = max(memory.resident for memory in weights)
    return Target(found.what, found.wanted, f"{found.measured} (RSS {resident:.0f} MB)", found.is_met)


def _tables(samples: Samples) -> list[Table]:
    return [tabulate("Ballots", samples, what="ballot")]


_NOTE = (
    "Each server has two processes; the yardsticks have four threads in each, the product {threads}, as it "
    "is always served. The yardsticks parse the same JSON of twelve answers and insert one row with one "
    "commit. Every ballot of ours has a household code, a ticket and a secret of its own; after each round "
    "participations, ballots and receipts are counted and compared with what was acknowledged. The first of "
    "our lines is the way of the ballot itself: events go to Redis, and who counts runs elsewhere. In the "
    "other two {villages} villages are counted on the same cores meanwhile."
)
