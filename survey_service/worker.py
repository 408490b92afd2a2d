"""The queue worker: jobs from Redis, and the sweep that goes on even when Redis is away."""

import logging
import time

import click
from flask import Flask
from redis import Redis, RedisError
from rq import Queue, SimpleWorker

from survey_service.core.jobs import QUEUE_NAME, RunHere

_RETRY_SECONDS = 5

log = logging.getLogger(__name__)


def run_worker(app: Flask, *, is_burst: bool = False) -> None:
    """Work until stopped; jobs run in this process, one after another.

    Jobs are short and idempotent, and a forked child for each would cost more than the job.
    """
    redis_url = app.extensions["settings"].redis_url
    if redis_url is None:
        raise click.ClickException("Without REDIS_URL there is no queue; the web process does the work.")
    app.extensions["dispatcher"].start(sweep=RunHere(app))
    with app.app_context():
        while True:
            try:
                connection = Redis.from_url(redis_url)
                worker = SimpleWorker([Queue(QUEUE_NAME, connection=connection)], connection=connection)
                worker.work(burst=is_burst, logging_level="WARNING")
            except RedisError as error:
                log.warning("queue unreachable (%s); the sweep goes on", type(error).__name__)
                time.sleep(_RETRY_SECONDS)
                continue
            return
