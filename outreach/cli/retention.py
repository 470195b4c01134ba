"""`outreach retention`: forget what was kept long enough."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach.access.roles import OPERATOR
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, emit, with_app


def retention(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; nothing is changed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget raw mails, events, sessions and silent contacts older than [retention] says; `serve` does it daily."""
    from outreach.app.retention import run_retention, too_old

    async def work(service: App) -> dict[str, Any]:
        now = utc_now()
        done = await too_old(service, now) if dry_run else await run_retention(service, now, OPERATOR)
        return done.as_dict()

    emit(with_app(work), as_json)
