"""Load from wrk: sixteen connections, each with one request under way at any time."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 16
TIMEOUT_SECONDS = 30
_SCRIPT = Path(__file__).with_name("requests.lua")


@dataclass(frozen=True)
class Load:
    """What wrk saw; `refused` are answers from 400 up, `broken` connections that failed or timed out."""

    requests: int
    seconds: float
    refused: int
    broken: int
    median_ms: float
    p99_ms: float

    @property
    def errors(self) -> int:
        return self.refused + self.broken

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def send_load(url: str, *, seconds: int, prepared: Path | None = None, path: str | None = None) -> Load:
    """Keep the connections busy for some seconds with GETs of `url`, or with POSTs from a file.

    Each line of the file holds a path, a tab and a JSON body; `path` replaces the paths of all lines.
    wrk leaves at the end: up to CONNECTIONS requests that it no longer counts are still served.
    """
    command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"]
    command += ["--timeout", f"{TIMEOUT_SECONDS}s", "--script", str(_SCRIPT), url]
    command += ["--", *(str(one) for one in (prepared, path) if one is not None)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603  wrk, our words.
    said = json.loads(result.stdout.splitlines()[-1])
    return Load(
        requests=said["requests"],
        seconds=said["microseconds"] / 1e6,
        refused=said["refused"],
        broken=said["broken"],
        median_ms=said["median_us"] / 1e3,
        p99_ms=said["p99_us"] / 1e3,
    )
