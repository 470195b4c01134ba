"""Durable coarse jobs over DBOS: about five methods, so that nothing else knows it.

A job is named, takes one string, and may be run again after a crash: what it does must bear that (leases, unique keys
and states do). Message rows are the truth about sending; no job stands for a message.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from dbos import DBOS, SetEnqueueOptions
from dbos import error as dbos_error
from sqlalchemy import event
from sqlalchemy.engine import Engine as SyncEngine

Job = Callable[[str], Awaitable[None]]

#: Written into every job: DBOS recovers only those of its own version, and ours bear a change of the program.
VERSION = "outreach-1"
QUEUE = "jobs"
#: Jobs that one process works at once: one for each mailbox under way, and the passes over folders.
CONCURRENCY = 50
POLL_SECONDS = 0.5
#: Ended jobs are forgotten after this; they tell nothing that the tables do not.
KEEP = timedelta(days=2)


@dataclass
class Schedule:
    """A job that the clock starts: cron with seconds, in UTC."""

    name: str
    cron: str


@dataclass
class Jobs:
    """The jobs of one process. Register everything, then `start`; DBOS is one to a process."""

    url: str
    executor: str
    _jobs: dict[str, Job] = field(default_factory=dict)
    _schedules: list[Schedule] = field(default_factory=list)
    _run: Any = None
    _tick: Any = None

    def register(self, name: str, job: Job, *, every: str | None = None) -> None:
        """Make a job known by name; `every` (cron with seconds) lets the clock start it, with an empty argument."""
        self._jobs[name] = job
        if every:
            self._schedules.append(Schedule(name, every))

    async def start(self) -> None:
        """Begin to work: recovers what this executor had under way when it died."""
        logging.getLogger("dbos").setLevel(logging.WARNING)
        DBOS(
            config={
                "name": "outreach",
                "system_database_url": self.url,
                "application_version": VERSION,
                "executor_id": self.executor,
                "log_level": "WARNING",
            }
        )
        self._define()
        with _wal_for(self.url):
            DBOS.launch()
        await DBOS.register_queue_async(QUEUE, worker_concurrency=CONCURRENCY, polling_interval_sec=POLL_SECONDS)
        for schedule in self._schedules:
            await self._schedule(schedule)

    def _define(self) -> None:
        jobs = self._jobs

        @DBOS.workflow(name="outreach_job")
        async def run_job(name: str, argument: str) -> None:
            await jobs[name](argument)

        self._run = run_job

    async def _schedule(self, schedule: Schedule) -> None:
        self_run = self.enqueue
        name = schedule.name

        @DBOS.workflow(name=f"outreach_tick_{name}")
        async def tick(scheduled: datetime, context: Any) -> None:
            await self_run(name, "")

        known = await DBOS.get_schedule_async(name)
        if known is not None:
            await DBOS.delete_schedule_async(name)
        await DBOS.create_schedule_async(schedule_name=name, workflow_fn=tick, schedule=schedule.cron)

    async def enqueue(self, name: str, argument: str = "") -> bool:
        """Queue a job unless one of the same name and argument waits or runs; returns whether it was queued."""
        try:
            with SetEnqueueOptions(deduplication_id=f"{name}:{argument}"):
                await DBOS.enqueue_workflow_async(QUEUE, self._run, name, argument)
        except dbos_error.DBOSQueueDeduplicatedError:
            return False
        return True

    async def adopt(self, dead: list[str]) -> int:
        """Resume what executors that are dead left pending; returns how many jobs."""
        count = 0
        for executor in dead:
            pending = await DBOS.list_workflows_async(status="PENDING", executor_id=executor)
            if pending:
                await DBOS.resume_workflows_async([item.workflow_id for item in pending])
                count += len(pending)
        return count

    async def prune(self, now: datetime) -> None:
        """Forget jobs that ended long ago."""
        before = (now - KEEP).astimezone(UTC).isoformat()
        for status in ("SUCCESS", "ERROR", "CANCELLED"):
            old = await DBOS.list_workflows_async(status=status, end_time=before, limit=5_000)
            if old:
                await DBOS.delete_workflows_async([item.workflow_id for item in old])

    async def stop(self) -> None:
        """End; what is under way is recovered at the next start."""
        await asyncio.to_thread(DBOS.destroy, workflow_completion_timeout_sec=5)


@contextlib.contextmanager
def _wal_for(url: str) -> Any:
    """DBOS opens SQLite without WAL; readers and the writer would wait for each other."""

    def prepare(connection: Any, record: Any) -> None:
        if type(connection).__module__.startswith("sqlite3"):
            cursor = connection.cursor()
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA busy_timeout=30000")
            cursor.close()

    if not url.startswith("sqlite"):
        yield
        return
    event.listen(SyncEngine, "connect", prepare)
    yield
