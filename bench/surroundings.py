"""The environment of every program of the benchmark: its own keys and folder, nothing of the host's."""

import os
from collections.abc import Mapping
from pathlib import Path

_SECRET = "benchmark-only-" * 4


def set_up(folder: Path) -> None:
    """Give this process and all it starts the settings of a benchmark."""
    os.environ |= {
        "SECRET_KEY": _SECRET,
        "MASTER_KEY": _SECRET,
        "DATA_DIR": str(folder),
        "PUBLIC_URL": "https://bench.invalid",
        "REDIS_URL": "",
        "DATABASE_URL": "",
    }


def command_environment(database_url: str) -> Mapping[str, str]:
    """Return the environment of a command on a database."""
    return os.environ | {"DATABASE_URL": database_url}
