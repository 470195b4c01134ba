"""`outreach orders …`: what customers bought, from the list of another system."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select

from outreach.access.roles import Permission, require
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, err, with_app
from outreach.model import Company, Order
from outreach.model.base import table

app = typer.Typer(no_args_is_help=True, help="Orders: import them, list them.")
ORDERS, COMPANIES = table(Order), table(Company)


@app.command("import")
def import_orders(
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: number, company or email, date, amount, currency.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Import orders. An order is known by its number: importing twice changes nothing."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.ORDERS_IMPORT)
        return (await service.orders.import_file(file, actor, utc_now())).as_dict()

    done = with_app(work)
    for refused in done["rejects"][:20]:
        err.print(f"line {refused['line']}: {refused['reason']}", highlight=False, markup=False)
    words = "read {read}, added {added}, updated {updated}, unchanged {unchanged}, rejected {rejected}"
    emit(done, as_json, words.format(**done))


@app.command("list")
def list_orders(
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The newest so many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List orders, the newest first."""

    async def work(service: App) -> list[dict[str, Any]]:
        names = ("id", "number", "ordered_on", "delivered_on", "amount", "currency", "company_id")
        columns = [ORDERS.c[name] for name in names]
        joined = ORDERS.join(COMPANIES, COMPANIES.c.id == ORDERS.c.company_id)
        query = select(*columns, COMPANIES.c.name.label("company")).select_from(joined)
        async with service.db.read() as conn:
            rows = await conn.execute(query.order_by(ORDERS.c.ordered_on.desc(), ORDERS.c.id.desc()).limit(limit))
            return [dict(row._mapping) for row in rows]

    rows = with_app(work)
    words = "\n".join(
        f"{row['ordered_on']}  {row['number']:<16} {row['amount']:>12,.2f} {row['currency']}  {row['company']}"
        for row in rows
    )
    emit(rows, as_json, words or "no orders yet: outreach orders import FILE")
