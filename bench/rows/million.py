"""Rows 2, 3 and 4: what a million stored ballots change for a ballot, a score table and a recount."""

import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.city import USERNAME, City
from bench.contest import Contestant, Sample, Samples, hold, ratios, tabulate
from bench.processes import Finished, run_to_end
from bench.report import Say, Section, Spread, Table, Target, at_most
from bench.rows.ballots import BallotLoad
from bench.scale import FEW, Scale
from bench.servers import Databases, Installation, product, program
from bench.stored import store_ballots
from bench.surroundings import command_environment
from survey_service.mass_evaluation.verdicts import Turnout
from survey_service.reports.queries import list_releases, list_totals
from survey_service.reports.service import join_totals

_MOST_RATIO = 1.1
_MOST_SCORE_MS = 50
_MOST_DISCLOSURE_MS = 10
_MOST_RECOUNT_SECONDS = 30
_MOST_RECOUNT_MEGABYTES = 300
_SCORE_REQUESTS = 60
_NOT_FOUND = 404
_FEW, _MANY = "few", "many"


def measure(
    databases: Databases, city: City, redis_url: str, folder: Path, scale: Scale, say: Say
) -> Section:
    """Store the ballots, count them, and measure on them."""
    sizes = {_FEW: FEW, _MANY: scale.stored}
    seconds = {name: _fill(databases, name, city, size, folder, say) for name, size in sizes.items()}
    recounts = [_recount(databases, folder, "--check") for _ in range(scale.repeats)]
    with ExitStack() as stack:
        ours = {
            name: stack.enter_context(
                product(databases.cluster.url(name), folder=folder / name, redis_url=f"{redis_url}/{number}")
            )
            for number, name in enumerate(sizes, 3)
        }
        scores = _measure_scores(ours[_MANY], city)
        samples = hold(
            [_contestant(databases, one, name, city, folder) for name, one in ours.items()],
            rounds=scale.rounds,
            seconds=scale.seconds,
        )
    after = _recount(databases, folder)
    return Section(
        [
            *_cost_targets(samples, scale),
            _score_target(scores, scale),
            _disclosure_target(databases.cluster.url(_MANY), city.campaign_id),
            *_recount_targets(recounts, scale),
        ],
        [
            tabulate("A ballot beside many", _titled(samples, sizes), what="ballot"),
            _wal_table(samples, sizes),
        ],
        [
            f"The {scale.stored:,} ballots were written in bulk in {seconds[_MANY]:.0f} s and counted by the "
            f"product's own rebuild; what came in meanwhile was counted in {after.seconds:.0f} s."
        ],
    )


def _fill(databases: Databases, name: str, city: City, size: int, folder: Path, say: Say) -> float:
    databases.create(name, like="city")
    started = time.monotonic()
    store_ballots(databases.place(name), city, size)
    seconds = time.monotonic() - started
    say(f"stored {size:,} ballots in {seconds:.0f} s")
    finished = _rebuild(databases.cluster.url(name), folder)
    say(f"counted them in {finished.seconds:.0f} s, {finished.peak_megabytes:.0f} MB")
    return seconds


def _recount(databases: Databases, folder: Path, *options: str) -> Finished:
    return _rebuild(databases.cluster.url(_MANY), folder, *options)


def _rebuild(url: str, folder: Path, *options: str) -> Finished:
    """Run the product's rebuild; raises RuntimeError when it finds a difference."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [program("survey-service"), "rebuild", *options]
    finished = run_to_end(command, environment=command_environment(url), folder=folder)
    if finished.exit_status != 0:
        raise RuntimeError(finished.output)
    return finished


def _contestant(
    databases: Databases, installation: Installation, name: str, city: City, folder: Path
) -> Contestant:
    load = BallotLoad(databases, installation, database=name, city=city, folder=folder / name)
    return Contestant(name, load.run)


def _titled(samples: Samples, sizes: dict[str, int]) -> Samples:
    return {f"{size:,} ballots stored": samples[name] for name, size in sizes.items()}


def _per_round(samples: Samples, figure: Callable[[Sample], float]) -> Spread:
    pairs = zip(samples[_MANY], samples[_FEW], strict=True)
    return Spread.of(figure(many) / figure(few) for many, few in pairs)


def _cost_targets(samples: Samples, scale: Scale) -> list[Target]:
    cpu = _per_round(samples, lambda sample: sample.cpu_ms)
    seconds = Spread.of(1 / ratio for ratio in ratios(samples, _MANY, _FEW).values)
    what = f"a ballot with {scale.stored:,} stored against one with {FEW:,}"
    wal = Spread.of(sample.wal_bytes for sample in samples[_MANY])
    return [
        at_most(f"{what}, CPU (web + database)", _MOST_RATIO, cpu, unit="×", places=2),
        at_most("… seconds per ballot", _MOST_RATIO, seconds, unit="×", places=2),
        Target("… write-ahead log per ballot", "shown", f"{wal.shown()} bytes"),
    ]


def _wal_table(samples: Samples, sizes: dict[str, int]) -> Table:
    rows = [
        (f"{size:,} ballots stored", *(f"{sample.wal_bytes:,.0f}" for sample in samples[name]))
        for name, size in sizes.items()
    ]
    headings = ("", *(f"round {number}" for number, _ in enumerate(samples[_MANY], 1)))
    return Table("Bytes of write-ahead log per ballot", headings, rows)


def _measure_scores(installation: Installation, city: City) -> Spread | None:
    """Return the milliseconds of the score table, or None where this version does not have it yet."""
    body = json.dumps({"username": USERNAME, "password": city.password}).encode()
    token = json.loads(_fetch(installation.url("/api/v1/auth/token"), body=body))["token"]
    url = installation.url(f"/api/v1/campaigns/{city.campaign_id}/scores")
    try:
        return Spread.of(_timed(url, token) for _ in range(_SCORE_REQUESTS))
    except HTTPError as error:
        if error.code == _NOT_FOUND:
            return None
        raise


def _timed(url: str, token: str) -> float:
    started = time.perf_counter()
    _fetch(url, token=token)
    return 1e3 * (time.perf_counter() - started)


def _fetch(url: str, *, body: bytes | None = None, token: str = "") -> bytes:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(url, data=body, headers=headers)  # noqa: S310  Our own server on this machine.
    with urlopen(request) as answer:  # noqa: S310
        content: bytes = answer.read()
    return content


def _score_target(scores: Spread | None, scale: Scale) -> Target:
    what = f"`GET …/scores` for {scale.villages} subjects at {scale.stored:,} ballots"
    if scores is None:
        return Target(what, f"≤ {_MOST_SCORE_MS} ms", "not there yet")
    return at_most(what, _MOST_SCORE_MS, scores, unit="ms")


def _disclosure_target(url: str, campaign_id: int) -> Target:
    """Measure what disclosure control adds to a reader: the totals; parts were withheld before storing."""
    with Session(create_engine(url)) as session:
        found = list_releases(session, campaign_id)
        places = [(one.place.path, Turnout(one.place.returned, 1)) for one in found]

        def milliseconds() -> float:
            started = time.perf_counter()
            join_totals(list_totals(session, campaign_id, within_path="/"), places)
            return 1e3 * (time.perf_counter() - started)

        spread = Spread.of(milliseconds() for _ in range(_SCORE_REQUESTS))
    what = f"… of it disclosure control (totals of {len(places)} subjects)"
    return at_most(what, _MOST_DISCLOSURE_MS, spread, unit="ms", places=1)


def _recount_targets(recounts: list[Finished], scale: Scale) -> list[Target]:
    what = f"`survey-service rebuild --check` of {scale.stored:,} ballots"
    seconds = Spread.of(run.seconds for run in recounts)
    peak = Spread.of(run.peak_megabytes for run in recounts)
    return [
        at_most(what, _MOST_RECOUNT_SECONDS, seconds, unit="s", places=1),
        at_most("… peak memory of its process", _MOST_RECOUNT_MEGABYTES, peak, unit="MB"),
    ]
