"""Reports on demand and by the clock: read, kept as they were, mailed to those whom they concern (A10)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast
from uuid import uuid4
from zoneinfo import ZoneInfo

from outreach.app.build import App
from outreach.app.post import Posted, post
from outreach.config import ConfigError
from outreach.db import instance
from outreach.reports.period import Kind, Period
from outreach.reports.weekly import Report, make_report
from outreach.reports.words import Lang

#: A mail server that refused the report is asked again after this long, until the day is over.
RETRY = timedelta(hours=1)


async def read_report(app: App, kind: Kind, period: str | None, now: datetime, language: str | None = None) -> Report:
    """Read a report. Without `period`: the running one, or the one before while nothing has happened in this.

    Raises ValueError on a period that cannot be read or is of another kind.
    """
    zone = app.settings.sender.timezone
    if period is not None:
        wanted = Period.parse(period, zone)
        if wanted.kind != kind:
            raise ValueError(f"{period} is a {wanted.kind} period: use  outreach report {wanted.kind}")
        return await _read(app, wanted, now, language)
    running = Period.holding(now.astimezone(ZoneInfo(zone)).date(), kind, zone)
    report = await _read(app, running, now, language)
    return report if report.data.cells else await _read(app, running.previous, now, language)


async def _read(app: App, period: Period, now: datetime, language: str | None) -> Report:
    lang = cast(Lang, language or app.settings.report.language)
    company = app.settings.sender.company
    return await make_report(app.reports, period, now, language=lang, company=company, house=app.indicators)


async def send_report(app: App, report: Report, now: datetime) -> Posted:
    """Keep the figures as they are now and mail the report from the first mailbox that can send.

    Raises ConfigError when nobody is to get it or no mailbox is configured.
    """
    recipients = list(app.settings.report.recipients)
    if not recipients:
        raise ConfigError(
            'nobody is to get the report: add  recipients = ["…"]  under [report] in the configuration',
            '没有报告收件人：请在配置的 [report] 下添加  recipients = ["…"]',
        )
    if not app.settings.mailbox:
        raise ConfigError(
            "there is no mailbox to send the report from: add a [[mailbox]] to the configuration",
            "没有可用来发送报告的发件邮箱：请在配置中添加 [[mailbox]]",
        )
    box = app.settings.mailbox[0]
    kept = await app.reports.keep(report.period.kind, report.period.label, report.json(), now)
    domain = box.address.rpartition("@")[2]
    data = report.mail(box.address, recipients, f"{uuid4().hex}@{domain}")
    posted = await post(app, box, recipients, data, now)
    if posted.outcome != "refused":  # in doubt counts as sent: nobody gets it twice
        await app.reports.mark_sent(kept, now)
    return posted


def is_due(app: App, now: datetime) -> bool:
    """Whether the report's weekday and hour (office time) have come."""
    wanted = app.settings.report
    local = now.astimezone(ZoneInfo(app.settings.sender.timezone))
    return local.isoweekday() == wanted.weekday and local.hour >= wanted.hour


async def send_weekly_if_due(app: App, now: datetime) -> bool:
    """Write and send last week's report if its hour has come and it was not sent; returns whether it was."""
    if not app.settings.report.recipients or not is_due(app, now) or await instance.held(app.db):
        return False
    period = Period.before(now, "weekly", app.settings.sender.timezone)
    kept = await app.reports.last("weekly", period.label)
    if kept is not None and (kept["sent_at"] is not None or now - kept["created_at"] < RETRY):
        return False
    report = await _read(app, period, now, None)
    return (await send_report(app, report, now)).outcome == "sent"
