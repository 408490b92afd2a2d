"""A process that prints a run and is killed before it can keep its second part.

python -m tests.services.print_runs.killed FOLDER DATABASE_URL RUN_ID
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import time_machine

from survey_service.core.db import Database
from survey_service.print_runs import jobs, printing
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW
from tests.support.patience import unhurried

keep_part = printing.keep_part
kept: list[int] = []


def keep_one(*arguments: Any, number: int, **named: Any) -> Any:
    """Keep the first part; die with the second one printed and not kept."""
    if kept:
        os.kill(os.getpid(), signal.SIGKILL)
    kept.append(number)
    return keep_part(*arguments, number=number, **named)


if __name__ == "__main__":
    folder, database_url, run_id = sys.argv[1:]
    printing.keep_part = keep_one
    app = make_app(Path(folder), Database(database_url))
    with unhurried(), time_machine.travel(NOW, tick=False), app.app_context():
        jobs.print_parts(int(run_id))
