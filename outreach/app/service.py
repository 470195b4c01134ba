"""The long-running processes: `serve` (web, public endpoints, jobs) and `worker` (jobs alone)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import structlog

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.jobs import JobHost

log = structlog.get_logger(__name__)

Serve = Callable[[Any, str, int], Any]


@contextlib.asynccontextmanager
async def jobs_running(app: App) -> AsyncIterator[JobHost]:
    """Run this process's share of the jobs while the block lasts."""
    host = JobHost(app, clock=utc_now)
    await host.start()
    try:
        yield host
    finally:
        await host.stop()


async def work_forever(app: App, began: Callable[[], object] = lambda: None) -> None:
    """Run jobs until SIGTERM or SIGINT; `began` is called when these are heeded."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    began()
    async with jobs_running(app):
        await stop.wait()


async def serve_forever(app: App, *, host: str | None, port: int | None, workers: int, asgi: Any, serve: Serve) -> None:
    """Serve the pages and run the jobs until the server ends; `workers` more processes share the jobs."""
    children = [await _spawn() for _ in range(workers)]
    try:
        async with jobs_running(app):
            await serve(asgi, host or app.settings.web.host, port or app.settings.web.port)
    finally:
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        await asyncio.gather(*(child.wait() for child in children))


async def _spawn() -> asyncio.subprocess.Process:
    config = os.environ.get("OUTREACH_CONFIG")
    options = ["--config", config] if config else []
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "outreach", *options, "worker")
