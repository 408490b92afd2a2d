"""A process that seals a campaign and is killed at a named moment of it.

    python -m tests.services.sealing.killed FOLDER DATABASE_URL CAMPAIGN_ID MOMENT

`record:begin` is before the first statement of a step, `record:end` after its last one, before its commit.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import time_machine

from survey_service.core.db import Database
from survey_service.sealing import running, service
from tests.factories.applications import make_app
from tests.factories.campaigns import NOW
from tests.support.patience import unhurried

STEPS = {
    "begin": (service, "begin_sealing"),
    "record": (service, "record_snapshot"),
    "unlink": (service, "unlink_ballots"),
    "clean": (running, "clean_files"),
    "finish": (service, "finish_sealing"),
}
MOMENTS = (
    "begin:end",
    "record:begin",
    "record:end",
    "unlink:begin",
    "unlink:end",
    "clean:begin",
    "clean:end",
    "finish:end",
)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def kill_at(moment: str) -> None:
    """Let this process die at a moment."""
    step, side = moment.split(":")
    module, name = STEPS[step]
    whole: Callable[..., Any] = getattr(module, name)

    def deadly(*arguments: Any, **named: Any) -> None:
        if side == "end":
            whole(*arguments, **named)
        kill()

    setattr(module, name, deadly)


if __name__ == "__main__":
    folder, database_url, campaign_id, moment = sys.argv[1:]
    kill_at(moment)
    app = make_app(Path(folder), Database(database_url))
    with unhurried(), time_machine.travel(NOW, tick=False), app.app_context():
        running.seal_campaign(int(campaign_id), staff=None)
