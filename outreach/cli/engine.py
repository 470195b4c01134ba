"""`outreach run` and `worker`: the engine without the web (`serve` stands in outreach/main.py)."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from typing import Annotated, Any

import typer

from outreach.app.engine import Engine
from outreach.cli.common import AsJson, emit, opened, run, warn_hold
from outreach.cli.progress import watch


def run_engine(
    until_idle: Annotated[bool, typer.Option("--until-idle", help="End when nothing is due any more.")] = False,
    max_seconds: Annotated[float | None, typer.Option("--max-seconds", help="End after this long.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send, read the inboxes, run what is due: for cron, scripts and trials."""

    async def work() -> dict[str, Any]:
        async with opened() as service:
            warn_hold(service)
            engine = Engine(service)
            _stop_on_signals(engine)
            async with watch(service, engine, quiet=as_json):
                totals = await engine.until_idle(max_seconds, forever=not until_idle)
        return totals.as_dict()

    emit(run(work, loop_factory=_fast_loop()), as_json)


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's loop where there is one; for this command alone, not as the policy of the whole process."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _stop_on_signals(engine: Engine) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, engine.end)


def worker(as_json: AsJson = False) -> None:
    """Run the jobs alone; any number, on any machine, with the same database. --json: its process, at the start."""

    from outreach.app.service import work_forever  # the job engine, which no other command needs

    async def work() -> None:
        async with opened() as service:
            warn_hold(service)
            told = {"pid": os.getpid()}
            await work_forever(service, lambda: emit(told, True) if as_json else None)

    run(work)
