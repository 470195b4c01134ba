"""Reports: the page that is also the mail; sheet, paper and JSON of it."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from fastapi import HTTPException
from fastapi.responses import Response
from markupsafe import Markup

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.app import reporting
from outreach.reports.period import Period
from outreach.reports.weekly import make_report
from outreach.reports.words import Lang
from outreach.web.data.scope import owners
from outreach.web.i18n import N_
from outreach.web.reasons import not_sent
from outreach.web.routing import Pages, Staff

router = Pages()
KINDS = {"weekly": N_("Weekly"), "monthly": N_("Monthly"), "quarterly": N_("Quarterly")}
FORMATS = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "json": "application/json",
}


def _period(staff: Staff, label: str | None) -> Period:
    office = staff.app.settings.sender.timezone
    try:
        if label:
            return Period.parse(label, office)
        kind = staff.request.query_params.get("kind", "weekly")
        return Period.before(staff.now, kind if kind in KINDS else "weekly", office)  # type: ignore[arg-type]
    except ValueError as error:
        raise HTTPException(404) from error


async def _report(staff: Staff, period: Period) -> Any:
    settings = staff.app.settings
    return await make_report(
        staff.app.reports,
        period,
        staff.now,
        language=cast(Lang, staff.lang),
        company=settings.sender.company,
        owners=owners(staff),
        house=staff.app.indicators,
    )


@router.page("/reports", Permission.REPORTS_VIEW)
async def latest(staff: Staff) -> Response:
    """Last week's report."""
    return await _page(staff, _period(staff, None))


@router.page("/reports/{label}", Permission.REPORTS_VIEW)
async def show(staff: Staff, label: str) -> Response:
    """The report of a week, month or quarter."""
    return await _page(staff, _period(staff, label))


async def _page(staff: Staff, period: Period) -> Response:
    """The report says of which moment it is; files and mails are written of the present one."""

    async def written() -> Markup:
        report = await _report(staff, period)
        return Markup(await asyncio.to_thread(report.fragment))

    told = await staff.kept.soon(("report", period, staff.lang, owners(staff)), staff.now, written)
    following = Period.parse(_after(period), period.zone)
    return await staff.render(
        "report.html", report=told.value if told else "", period=period, kinds=KINDS,
        previous=period.previous.label, following=following.label if following.start < staff.now else "",
        receivers=len(staff.app.settings.report.recipients),
    )  # fmt: skip


def _after(period: Period) -> str:
    from datetime import timedelta

    return Period.holding(period.last + timedelta(days=1), period.kind, period.zone).label


@router.page("/reports/{label}/file.{kind}", Permission.REPORTS_VIEW)
async def file(staff: Staff, label: str, kind: str) -> Response:
    """The report as a file."""
    if kind not in FORMATS:
        raise HTTPException(404)
    report = await _report(staff, _period(staff, label))
    made = getattr(report, kind)()
    if kind == "json":
        import json

        made = json.dumps(made, ensure_ascii=False, default=str)
    async with staff.app.db.write() as conn:
        after = {"format": kind}
        await append_audit(conn, staff.actor, "report.exported", "report", label, now=staff.now, after=after)
    headers = {"content-disposition": f'attachment; filename="{report.file_name(kind)}"'}
    return Response(made, media_type=FORMATS[kind], headers=headers)


@router.action("/reports/{label}/send", Permission.REPORTS_SEND)
async def send(staff: Staff, label: str) -> Response:
    """Send the report to its readers now, as the week's own mail would: in their language, kept as it is."""
    recipients = staff.app.settings.report.recipients
    if not recipients or not staff.app.settings.mailbox:
        return staff.done(f"/reports/{label}", N_("Nobody is named: [report] recipients in config.toml."))
    period = _period(staff, label)
    report = await reporting.read_report(staff.app, period.kind, label, staff.now)
    posted = await reporting.send_report(staff.app, report, staff.now)
    async with staff.app.db.write() as conn:
        after = {"outcome": posted.outcome, "readers": len(recipients)}
        await append_audit(conn, staff.actor, "report.sent", "report", label, now=staff.now, after=after)
    if posted.outcome != "sent":
        return staff.done(f"/reports/{label}", not_sent(staff, posted))
    return staff.done(f"/reports/{label}", N_("Sent to %(count)s readers."), count=len(recipients))
