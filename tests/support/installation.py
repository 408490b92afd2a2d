"""Whole installations as operators run them: real processes of `survey-service`, spoken to over HTTP only."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPMessage
from pathlib import Path
from typing import Any

from tests.support.patience import PATIENCE_SECONDS
from tests.support.servers import free_port, is_listening, running

PROGRAM = Path(sys.executable).parent / "survey-service"


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: HTTPMessage


def call(
    port: int, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
) -> Answer:
    """Send one JSON request to a process on this machine; raises OSError when it does not answer, or half."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    sent = {"Content-Type": "application/json"} if body is not None else {}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    try:
        connection.request(method, path, None if body is None else json.dumps(body), sent | headers)
        response = connection.getresponse()
        content = response.read()
    except HTTPException as error:
        raise ConnectionError from error
    finally:
        connection.close()
    is_json = "json" in response.headers.get("Content-Type", "")
    return Answer(response.status, json.loads(content) if is_json and content else content, response.headers)


@dataclass
class Installation:
    """One database, any number of web processes, a worker or none."""

    folder: Path
    environment: dict[str, str]
    ports: list[int] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)

    def run(self, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a command of the program to its end."""
        return subprocess.run(
            [str(PROGRAM), *arguments],
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            **options,
        )

    def start_web(self, port: int | None = None) -> int:
        """Start a web process and return its port."""
        port = port or free_port()
        command = [str(PROGRAM), "serve", "--port", str(port)]
        self._start(command, f"web-{port}", lambda: is_listening(port))
        self.ports.append(port)
        return port

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start([str(PROGRAM), "worker"], "worker", lambda: True)

    def _start(self, command: Sequence[str], name: str, is_ready: Any) -> subprocess.Popen[bytes]:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        process = self._stack.enter_context(
            running(command, folder=folder, is_ready=is_ready, environment=self.environment)
        )
        self.processes.append(process)
        return process

    def call(self, method: str, path: str, body: Any = None, *, web: int = 0, **options: Any) -> Answer:
        """Send a request to one of the web processes."""
        return call(self.ports[web % len(self.ports)], method, path, body, **options)

    def stop(self) -> None:
        self._stack.close()


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its children at once, as a power cut would."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for pid in (process.pid, *map(int, children)):
        # A child may have ended by itself in this very moment.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@contextmanager
def installation(
    folder: Path, *, database_url: str | None = None, redis_url: str | None = None, **settings: str
) -> Iterator[Installation]:
    """Give an installation that is stopped at the end; without addresses it is the small one."""
    # A checkout that is tested beside the installed one names itself by PYTHONPATH.
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "PYTHONPATH") if name in os.environ}
    environment = kept | {"DATA_DIR": str(folder), "SECRET_KEY": "secret", "PUBLIC_URL": "http://127.0.0.1"}
    environment |= {"DATABASE_URL": database_url} if database_url else {}
    environment |= {"REDIS_URL": redis_url} if redis_url else {}
    made = Installation(folder, environment | settings)
    try:
        yield made
    finally:
        made.stop()
