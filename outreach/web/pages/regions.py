"""Customers, replies and deals by the seven regions (C6)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi.responses import Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission
from outreach.model.enums import Region
from outreach.web.data.customer import visible_company
from outreach.web.data.tables import COMPANY, CONTACT, DEAL, INBOUND, ORDER
from outreach.web.routing import Pages, Staff

router = Pages()
PERIODS = {"30": 30, "90": 90, "365": 365}


@router.page("/customers/regions", Permission.REPORTS_VIEW)
async def show(staff: Staff) -> Response:
    """Bars by region; every figure leads to the people behind it."""
    chosen = staff.request.query_params.get("days", "90")
    days = PERIODS.get(chosen, 90)
    since = staff.now - timedelta(days=days)
    async with staff.app.db.read() as conn:
        rows = await _figures(conn, staff, since)
    top = {
        name: max((row[name] for row in rows), default=0) or 1 for name in ("customers", "replies", "deals", "orders")
    }
    totals = {name: sum(row[name] for row in rows) for name in top}
    return await staff.render(
        "regions.html", rows=rows, top=top, totals=totals, days=days, periods=PERIODS, currency=staff.app.money.currency
    )


async def _figures(conn: AsyncConnection, staff: Staff, since: Any) -> list[dict[str, Any]]:
    seen = visible_company(staff)
    customers = await _count(conn, select(COMPANY.c.region, func.count()).where(seen))
    replied = (
        select(CONTACT.c.region, func.count())
        .select_from(
            INBOUND.join(CONTACT, CONTACT.c.id == INBOUND.c.contact_id).join(
                COMPANY, COMPANY.c.id == CONTACT.c.company_id
            )
        )
        .where(INBOUND.c.kind == "reply", INBOUND.c.received_at >= since, seen)
    )
    replies = {row[0]: row[1] for row in await conn.execute(replied.group_by(CONTACT.c.region))}
    deals = await _money(conn, staff, DEAL, DEAL.c.stage.not_in(("paid", "lost")) & seen)
    orders = await _money(conn, staff, ORDER, (ORDER.c.ordered_on >= since.date()) & seen)
    return [
        {
            "region": str(region),
            "customers": customers.get(str(region), 0),
            "replies": replies.get(str(region), 0),
            "deals": deals.get(str(region), (0.0, 0))[0],
            "deal_count": deals.get(str(region), (0.0, 0))[1],
            "orders": orders.get(str(region), (0.0, 0))[0],
            "order_count": orders.get(str(region), (0.0, 0))[1],
        }
        for region in Region
    ]


async def _count(conn: AsyncConnection, query: Any) -> Mapping[str, int]:
    return {row[0]: row[1] for row in await conn.execute(query.group_by(COMPANY.c.region))}


async def _money(conn: AsyncConnection, staff: Staff, source: Any, where: Any) -> dict[str, tuple[float, int]]:
    """Sums in the company's currency and counts by region; amounts without a rate count as nothing."""
    query = (
        select(COMPANY.c.region, source.c.currency, func.sum(source.c.amount), func.count())
        .select_from(source.join(COMPANY, COMPANY.c.id == source.c.company_id))
        .where(where)
        .group_by(COMPANY.c.region, source.c.currency)
    )
    found: dict[str, tuple[float, int]] = {}
    for region, currency, amount, count in await conn.execute(query):
        before = found.get(region, (0.0, 0))
        found[region] = (before[0] + (staff.app.money.own(amount, currency) or 0.0), before[1] + count)
    return found
