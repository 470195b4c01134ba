"""Progress of long work on a terminal: how many have left, at what pace, what is in doubt."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from sqlalchemy import case, func, select

from outreach.app.build import App
from outreach.app.engine import Engine
from outreach.cli.common import err
from outreach.model import Campaign, Message
from outreach.model.base import table
from outreach.outbox.state import TERMINAL

MESSAGES, CAMPAIGNS = table(Message), table(Campaign)


def bar() -> Progress:
    """The bar that every long command shows, on stderr."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=err,
        transient=True,
    )


@contextlib.asynccontextmanager
async def watch(app: App, engine: Engine, *, quiet: bool) -> AsyncIterator[None]:
    """Show a bar for each campaign under way while the block runs; nothing when quiet or not on a terminal."""
    if quiet or not err.is_terminal:
        yield
        return
    with bar() as progress:
        watcher = asyncio.create_task(_watch(app, engine, progress))
        try:
            yield
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher


async def _watch(app: App, engine: Engine, progress: Progress) -> None:
    shown: dict[int, object] = {}
    while True:
        for row in await _under_way(app):
            if row.id not in shown:
                shown[row.id] = progress.add_task(row.name[:40], total=row.total, note="")
            note = f"in doubt {row.doubt}" if row.doubt else ""
            progress.update(shown[row.id], completed=row.done, total=row.total, note=note)  # type: ignore[arg-type]
        await asyncio.sleep(0.5)


async def _under_way(app: App):  # type: ignore[no-untyped-def]
    done = func.sum(case((MESSAGES.c.state.in_([s.value for s in TERMINAL]), 1), else_=0))
    doubt = func.sum(case((MESSAGES.c.state == "in_doubt", 1), else_=0))
    query = (
        select(CAMPAIGNS.c.id, CAMPAIGNS.c.name, func.count().label("total"), done.label("done"), doubt.label("doubt"))
        .join(MESSAGES, MESSAGES.c.campaign_id == CAMPAIGNS.c.id)
        .where(CAMPAIGNS.c.state.in_(("running", "pilot")))
        .group_by(CAMPAIGNS.c.id, CAMPAIGNS.c.name)
    )
    async with app.db.read() as conn:
        return (await conn.execute(query)).all()
