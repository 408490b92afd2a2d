"""Start real servers for tests and stop them by their own process, whatever happens in between."""

import os
import pwd
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.patience import PATIENCE_SECONDS

STOP_TIMEOUT_SECONDS = 20
POLL_SECONDS = 0.02


def free_port() -> int:
    """Return a TCP port that the system gives to nobody else for a minute, but lets a server listen on.

    That is what it does with a port on which a connection has just ended.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = listener.accept()
            # The port stays with whoever hangs up first.
            accepted.close()
            client.recv(1)
    return port


def is_listening(port: int) -> bool:
    """Tell whether something on this machine accepts connections at the port."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def unprivileged_user(preferred: str) -> str | None:
    """Return whom a server that refuses root has to run as; None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return preferred if preferred in names else "nobody"


@contextmanager
def temporary_folder(prefix: str, *, owner: str | None = None) -> Iterator[Path]:
    """Give a folder with a short path (Unix sockets need that) that belongs to the owner."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        if owner is not None:
            entry = pwd.getpwnam(owner)
            os.chown(name, entry.pw_uid, entry.pw_gid)
        yield Path(name)


def with_user(command: Sequence[str], user: str | None) -> list[str]:
    """Return the command that runs as the user, and that is interrupted should the tests be killed."""
    prefix = ["setpriv", "--pdeathsig", "INT"]
    if user is not None:
        entry = pwd.getpwnam(user)
        prefix += [f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups"]
    return [*prefix, "--", *command]


@contextmanager
def running(
    command: Sequence[str],
    *,
    folder: Path,
    is_ready: Callable[[], bool],
    user: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a folder until the block ends; its output is kept in `server.log` there."""
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            with_user(command, user),
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_ready(process, is_ready, log)
        yield process
    finally:
        stop(process)


def wait_until_ready(process: subprocess.Popen[bytes], is_ready: Callable[[], bool], log: Path) -> None:
    """Return once the server is ready; raise RuntimeError with its output when it ends or takes too long."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} does not start:\n{log.read_text(errors='replace')}")
        time.sleep(POLL_SECONDS)


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a server, which all of ours take as a quick and clean end; kill it when it does not end."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(STOP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
