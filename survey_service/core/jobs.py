"""Jobs: plain, idempotent functions that run after a commit, here or by a queue worker.

Any number of equal jobs may be waiting: each process holds them together for a second and passes on one.
What a lost queue forgets is found again by the sweeps, which look at the database itself.
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from threading import Event as Signal
from threading import Lock, Thread
from typing import Protocol

from flask import Flask
from redis import Redis, RedisError
from rq import Queue

from survey_service.core.events import Event
from survey_service.core.logs import log_failure

Job = Callable[..., None]

HOLD_SECONDS = 1.0
SWEEP_SECONDS = 5.0
REDIS_SECONDS = 1.0
JOB_TIMEOUT_SECONDS = 600
QUEUE_NAME = "survey"
FAILURE_TTL_SECONDS = 7 * 24 * 3600
"""Redis would otherwise keep a failed job for a year."""

log = logging.getLogger(__name__)


class Sender(Protocol):
    """Takes one job away to be done."""

    def __call__(self, job: Job, arguments: Mapping[str, object]) -> None: ...


class RunHere:
    """Runs a job at once in this process; a failure is logged, and the next sweep tries again."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def __call__(self, job: Job, arguments: Mapping[str, object]) -> None:
        with self._app.app_context():
            try:
                job(**arguments)
            except Exception as error:  # The thread must live on, whatever a job meets.
                log_failure(log, f"job {job.__name__} failed; the next sweep tries again", error)


def run_each(job: Callable[[int], None], ids: Iterable[int]) -> None:
    """Run a job for one id after another: one that fails does not let the others wait."""
    for one in ids:
        try:
            job(one)
        except Exception as error:  # A sweep must go on, whatever one of its jobs meets.
            log_failure(log, f"job {job.__name__} failed for {one}; the next sweep tries again", error)


class SendToQueue:
    """Hands a job to RQ on Redis; when Redis is away the sweep of a worker does the work."""

    def __init__(self, redis_url: str) -> None:
        connection = Redis.from_url(
            redis_url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS
        )
        self.queue = Queue(QUEUE_NAME, connection=connection)

    def __call__(self, job: Job, arguments: Mapping[str, object]) -> None:
        try:
            self.queue.enqueue(
                job,
                kwargs=dict(arguments),
                job_timeout=JOB_TIMEOUT_SECONDS,
                result_ttl=0,
                failure_ttl=FAILURE_TTL_SECONDS,
            )
        except RedisError as error:
            log.warning("queue unreachable (%s); the sweep takes over", type(error).__name__)


class Dispatcher:
    """Turns committed events into jobs, holds equal ones together, and runs the sweeps.

    `at_once` are jobs that whoever made the event waits for; they are done here, whatever the queue is.
    `sources` are asked at every flush for events that nobody committed: what this process has counted.
    """

    def __init__(
        self,
        send: Sender,
        *,
        handlers: Mapping[type[Event], Sequence[Job]],
        at_once: Mapping[type[Event], Sequence[Job]],
        run_here: Sender,
        sweeps: Sequence[Job] = (),
        sources: Sequence[Callable[[], Sequence[Event]]] = (),
    ) -> None:
        self._send = send
        self._handlers = handlers
        self._at_once = at_once
        self._run_here = run_here
        self._sweeps = sweeps
        self._sources = sources
        self._pending: dict[tuple[Job, tuple[tuple[str, object], ...]], None] = {}
        self._lock = Lock()
        self._stop = Signal()

    def announce(self, events: Sequence[Event]) -> None:
        """Do the jobs that nobody can wait for, and remember the others; equal jobs melt into one."""
        for event in events:
            for job in self._at_once.get(type(event), ()):
                self._run_here(job, asdict(event))
        jobs = {
            (job, tuple(asdict(event).items())): None
            for event in events
            for job in self._handlers.get(type(event), ())
        }
        with self._lock:
            self._pending |= jobs

    def flush(self) -> int:
        """Send what is waiting and return how many jobs that were."""
        for source in self._sources:
            self.announce(source())
        with self._lock:
            pending, self._pending = self._pending, {}
        for job, arguments in pending:
            self._send(job, dict(arguments))
        return len(pending)

    def drain(self) -> None:
        """Send until nothing more follows (tests and commands that wait for the end)."""
        while self.flush():
            pass

    def start(self, *, sweep: Sender | None) -> Thread:
        """Flush every second in a thread of this process; with `sweep`, also look for forgotten work."""
        thread = Thread(target=self._run, args=(sweep,), name="dispatcher", daemon=True)
        thread.start()
        return thread

    def stop(self) -> None:
        self._stop.set()

    def _run(self, sweep: Sender | None) -> None:
        rounds_between_sweeps = int(SWEEP_SECONDS / HOLD_SECONDS)
        rounds = 0
        while not self._stop.wait(HOLD_SECONDS):
            self.flush()
            rounds += 1
            if sweep and rounds % rounds_between_sweeps == 0:
                for job in self._sweeps:
                    sweep(job, {})
