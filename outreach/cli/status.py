"""A campaign's state on a terminal: once, or live."""

from __future__ import annotations

import asyncio
from datetime import datetime

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.progress import MailboxProgress, Progress, progress
from outreach.cli.common import out
from outreach.sending.texts import explain

#: In these states a campaign will not change by itself any more.
ENDED = ("finished", "cancelled", "draft", "archived")
LOOK_SECONDS = 1.0


def shown(found: Progress, now: datetime) -> RenderableType:
    """Return what a person wants to know of a campaign under way."""
    head = Text.assemble((found.name, "bold"), f"  campaign {found.id}: {found.state}")
    if found.confirm_needed:
        head.append("\nits start was missed by more than its window: start it again, or cancel it", "yellow")
    if found.state == "paused" and found.paused_reason:
        head.append(f"\npaused: {found.paused_reason}", "yellow")
    bar = ProgressBar(total=max(found.total, 1), completed=found.done, width=60)
    parts: list[RenderableType] = [head, bar, _counts(found, now)]
    if found.mailboxes:
        parts.append(_mailboxes(found, now))
    parts += [Text(line, "yellow") for line in _why(found)]
    if found.in_doubt:
        parts.append(Text(f"in doubt: see  outreach messages doubt --campaign {found.id}", "red"))
    return Group(*parts)


def _counts(found: Progress, now: datetime) -> Table:
    table = Table.grid(padding=(0, 2))
    later = f"next try {_when(found.deferred_next, now)}" if found.deferred_next else ""
    reasons = ", ".join(f"{reason} {number}" for reason, number in sorted(found.failed_by_reason.items()))
    rows = (
        ("queued", found.queued, ""),
        ("in hand", found.in_hand, ""),
        ("sent", found.sent, f"{found.pace} in the last minute"),
        ("deferred", found.deferred, later),
        ("failed", found.failed, reasons),
        ("in doubt", found.in_doubt, ""),
        ("left out", found.left_out, ""),
    )
    for name, number, note in rows:
        table.add_row(name, Text(f"{number:,}", justify="right"), Text(note, "dim"))
    if found.ends_at is not None:
        table.add_row("ends about", "", _when(found.ends_at, now))
    return table


def _mailboxes(found: Progress, now: datetime) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for name in ("mailbox", "state", "waiting", "minute", "hour", "day", "next"):
        table.add_column(name, justify="left" if name in ("mailbox", "state", "next") else "right")
    for box in found.mailboxes:
        state = f"{box.state} until {_when(box.resumes_at, now)}" if box.resumes_at else box.state
        paces = [_pace(box, window) for window in ("minute", "hour", "day")]
        table.add_row(box.name, state, f"{box.waiting:,}", *paces, _when(box.next_due, now))
    return table


def _pace(box: MailboxProgress, window: str) -> str:
    limit = box.limits.get(window)
    return f"{box.used[window]:,}" + (f" of {limit:,}" if limit else "")


def _why(found: Progress) -> list[str]:
    stopped = [box for box in found.mailboxes if box.reason]
    return [f"{box.name}: {explain(box.reason)}" for box in stopped]


def _when(moment: datetime | None, now: datetime) -> str:
    """A moment as the terminal's user reads a clock; what is past is now."""
    if moment is None:
        return "–"
    if moment <= now:
        return "now"
    local = moment.astimezone()
    return f"{local:%H:%M:%S}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"


async def watch(app: App, campaign_id: int) -> Progress:
    """Show a campaign until it ends or the user has seen enough (Ctrl-C)."""
    found = await progress(app, campaign_id, utc_now())
    with Live(shown(found, utc_now()), console=out, refresh_per_second=4) as live:
        while found.state not in ENDED:
            await asyncio.sleep(LOOK_SECONDS)
            found = await progress(app, campaign_id, utc_now())
            live.update(shown(found, utc_now()))
    return found
