"""The weekly report by its clock: written once a week, mailed to those whom it concerns (A10)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from outreach.app.build import App


def is_due(app: App, now: datetime) -> bool:
    """Whether the report's weekday and hour (office time) have come."""
    wanted = app.settings.report
    local = now.astimezone(ZoneInfo(app.settings.sender.timezone))
    return local.isoweekday() == wanted.weekday and local.hour >= wanted.hour


async def send_weekly_if_due(app: App, now: datetime) -> bool:
    """Write and send last week's report if its hour has come and it was not written; returns whether it was."""
    from outreach.reports.weekly import send_weekly

    if not app.settings.report.recipients or not is_due(app, now):
        return False
    return bool(await send_weekly(app, now))
