"""`LongQueue`: who works on long jobs, where an archive has Spark for them.

A job for a table is long if it says so (`QUEUE=long`) or asks for more time than a job that asks for none; CasJobs asks
for time by the names of its queues. Such a job goes to a worker of this queue: a process like others, but one that may
start Spark, and keeps it (`spark_room`). It is made when the first long job comes. To stop a job ends its worker, and
so its Spark. Without the setting `spark` there is no such queue, and all jobs are done by the workers of everybody.
"""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

from skydex.errors import BadParameterError
from skydex.jobs import Job, Staffing, WorkerLimits
from skydex.settings import Settings
from skydex.web.dispatch import Dispatcher, Exchange, Rules
from skydex.web.spark_room import PRELOAD, open_spark_room
from skydex.web.spool import SpoolLimits

__all__ = ["EMBEDDED", "ENGINE", "LONG", "QUEUE", "SHORT", "LongQueue", "check_queue"]

QUEUE = "QUEUE"
"""The parameter of a job by which it chooses."""
SHORT, LONG = "short", "long"
ENGINE, EMBEDDED = "spark", "embedded"
"""What documents of jobs call what does them."""
_FOR_TABLES = frozenset({"tap", "casjobs"})
"""Kinds of jobs that Spark can do: those for tables."""
_MOST_RESIDENT_MB = 1 << 20


class LongQueue:
    """The workers of long jobs.

    Parameters
    ----------
    directory : Path
        The archive.
    settings : Settings
        The operator's choices, `spark` among them.
    """

    def __init__(self, directory: Path, settings: Settings) -> None:
        self._settings = settings
        spool = SpoolLimits(settings.spool_memory_kb << 10, settings.spool_mb << 20, settings.temp_dir)
        rules = Rules(
            n_workers=settings.spark_jobs,
            time_s=settings.job_time_s,
            queue_length=0,
            queue_wait_s=settings.queue_wait_s,
            spool=spool,
            is_for_jobs=True,
        )
        staffing = Staffing(
            functools.partial(open_spark_room, directory, settings),
            WorkerLimits(None, growth_mb=_MOST_RESIDENT_MB),
            PRELOAD,
            settings.temp_dir,
            settings.log_level,
        )
        self._dispatcher = Dispatcher(staffing, rules)
        self._starting = asyncio.Lock()
        self._has_started = False

    @property
    def n_jobs(self) -> int:
        """Jobs that can be worked on at once."""
        return self._dispatcher.n_jobs

    def takes(self, job: Job) -> bool:
        """Whether a job is done here."""
        if job.kind not in _FOR_TABLES or job.queue == SHORT:
            return False
        is_long = job.queue == LONG or job.duration_s > self._settings.job_time_s
        return is_long or self._settings.spark_takes == "all"

    async def submit_job(self, request: Any, *, time_s: float) -> Exchange:
        """Give a job to a worker, however long it takes until one is free."""
        async with self._starting:
            if not self._has_started:
                await self._dispatcher.start()
                self._has_started = True
        return await self._dispatcher.submit_job(request, time_s=time_s)

    async def stop(self) -> None:
        """End every worker, and Spark with them."""
        await self._dispatcher.stop()


def check_queue(settings: Settings, job: Job) -> None:
    """Refuse a queue that does not exist, where there are any.

    Raises
    ------
    BadParameterError
        It is neither `short` nor `long`.
    """
    if settings.spark is not None and job.queue not in ("", SHORT, LONG):
        raise BadParameterError(QUEUE, f'must be "{SHORT}" or "{LONG}".')
