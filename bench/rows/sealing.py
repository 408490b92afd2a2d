"""Row 5: sealing a campaign with a million ballots."""

import time
from pathlib import Path

import psycopg

from bench.city import City
from bench.processes import Finished, run_to_end
from bench.report import Say, Section, Spread, at_most
from bench.scale import Scale
from bench.servers import Databases, program
from bench.stored import store_ballots
from bench.surroundings import command_environment

_MOST_SECONDS = 60
_MOST_MEGABYTES = 500
_NAME = "sealed"

_TEXTS = """
INSERT INTO ballot_text (campaign_id, subject_id, item, id, text)
SELECT campaign_id, subject_id, 'remark', decode(md5('text' || n), 'hex'), repeat('路灯坏了，请修。', 4)
FROM (SELECT *, row_number() OVER () AS n FROM ballot) AS numbered WHERE n % 2 = 0"""
"""Every other ballot comes with a text."""
_CLOSE = "UPDATE campaign SET closed_at = now(), closes_at = now(), accepts_until = now() WHERE id = %s"


def measure(databases: Databases, city: City, folder: Path, scale: Scale, say: Say) -> Section:
    """Store ballots and texts, count them, close the campaign, and seal it."""
    folder.mkdir(parents=True, exist_ok=True)
    databases.create(_NAME, like="city")
    started = time.monotonic()
    store_ballots(databases.place(_NAME), city, scale.stored)
    with psycopg.connect(databases.place(_NAME), autocommit=True) as connection:
        connection.execute(_TEXTS)
    say(f"stored {scale.stored:,} ballots in {time.monotonic() - started:.0f} s")
    _run(databases, folder, "rebuild")
    with psycopg.connect(databases.place(_NAME), autocommit=True) as connection:
        connection.execute(_CLOSE, [city.campaign_id])
    sealing = _run(databases, folder, "seal", str(city.campaign_id))
    what = f"`survey-service seal` of {scale.stored:,} ballots of {scale.villages} subjects"
    return Section(
        [
            at_most(what, _MOST_SECONDS, Spread.of([sealing.seconds]), unit="s", places=1),
            at_most(
                "… peak memory of its process",
                _MOST_MEGABYTES,
                Spread.of([sealing.peak_megabytes]),
                unit="MB",
            ),
        ],
        [],
        [f"Sealing needed {sealing.cpu_seconds:.0f} s of CPU in its own process."],
    )


def _run(databases: Databases, folder: Path, *arguments: str) -> Finished:
    """Run a command of the product; raises RuntimeError when it fails."""
    environment = command_environment(databases.cluster.url(_NAME))
    finished = run_to_end([program("survey-service"), *arguments], environment=environment, folder=folder)
    if finished.exit_status != 0:
        raise RuntimeError(finished.output)
    return finished
