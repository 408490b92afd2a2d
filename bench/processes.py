"""What processes cost: CPU seconds of a whole family, and the memory of each member."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_KIB_PER_MB = 1_000_000 / 1024
_LOOK_SECONDS = 0.05
_PARENT, _USER, _CHILDREN_SYSTEM = 1, 11, 14
"""Places in `/proc/<pid>/stat` behind the program's name (proc(5) counts from 1, and from the pid)."""


@dataclass(frozen=True)
class Memory:
    """Megabytes of one process; the proportional size shares out what several processes have in common."""

    resident: float
    proportional: float


@dataclass(frozen=True)
class Finished:
    """A command that ran to its end, with what it used in seconds and megabytes."""

    exit_status: int
    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    output: str


def _read_stat(pid: int) -> list[str] | None:
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def family(root: int) -> list[int]:
    """Return a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir(_PROC):
        if name.isdigit() and (stat := _read_stat(int(name))) is not None:
            children.setdefault(int(stat[_PARENT]), []).append(int(name))
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(*roots: int) -> float:
    """Return the CPU seconds that families have used so far, children that have ended included."""
    members = {pid for root in roots for pid in family(root)}
    stats = [stat for pid in members if (stat := _read_stat(pid)) is not None]
    ticks = sum(int(field) for stat in stats for field in stat[_USER : _CHILDREN_SYSTEM + 1])
    return ticks / _TICKS_PER_SECOND


def memory_of(pid: int) -> Memory:
    """Return the memory of one process."""
    sizes = {}
    for line in (_PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]:
        name, kib, *_ = line.split()
        sizes[name] = int(kib) / _KIB_PER_MB
    return Memory(resident=sizes["Rss:"], proportional=sizes["Pss:"])


def run_to_end(command: Sequence[str], *, environment: Mapping[str, str], folder: Path) -> Finished:
    """Run a command and return what it used; its output is kept whatever it exits with."""
    started = time.monotonic()
    peak = 0.0
    with (folder / "command.log").open("w+", encoding="utf-8") as output:
        process = subprocess.Popen(  # noqa: S603  Commands of the benchmark itself.
            command, env=environment, cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
        # What wait4 tells about the peak begins with our own size, which a child has before its exec.
        while not _has_ended(process.pid):
            peak = max(peak, _peak_megabytes(process.pid))
            time.sleep(_LOOK_SECONDS)
        seconds = time.monotonic() - started
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Finished(
            exit_status=process.returncode,
            seconds=seconds,
            cpu_seconds=usage.ru_utime + usage.ru_stime,
            peak_megabytes=peak,
            output=output.read(),
        )


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _peak_megabytes(pid: int) -> float:
    """Return the high-water mark of a process's resident size; 0 when it has just ended."""
    for line in (_PROC / str(pid) / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "VmHWM":
            return int(value.split()[0]) / _KIB_PER_MB
    return 0.0
