"""What a lost queue forgets is found again: every sweep runs."""

import importlib
from collections.abc import Iterator
from pathlib import Path

import survey_service
from survey_service.core.jobs import Job
from survey_service.wiring import SWEEPS

PACKAGE = Path(survey_service.__file__).parent


def sweeps() -> Iterator[Job]:
    for path in PACKAGE.glob("*/jobs.py"):
        if path.parent.name == "core":
            continue
        module = importlib.import_module(f"survey_service.{path.parent.name}.jobs")
        yield from (job for name, job in vars(module).items() if name.startswith("sweep_"))


def test_every_sweep_of_a_package_runs() -> None:
    assert [job.__name__ for job in sweeps() if job not in SWEEPS] == []
