"""`outreach customers …`: owners and grades, by rule."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach.access.roles import Permission, require
from outreach.app import customers as work_on
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, with_app

app = typer.Typer(no_args_is_help=True, help="Customers: owners by the assignment rules, grades by what they did.")


@app.command()
def place(as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Give every customer without an owner one by the assignment rules; the service does it each minute."""

    async def work(service: App) -> dict[str, int]:
        require(await acting(service, as_user), Permission.CONTACTS_ASSIGN)
        total = 0
        while placed := await service.owners.place_unowned(utc_now()):
            total += placed
        return {"assigned": total}

    emit(with_app(work), as_json)


@app.command()
def grades(
    accept: Annotated[bool, typer.Option("--accept", help="Give the customers these grades.")] = False,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """List the customers whose grade would change by what they did in the last year (B3)."""

    async def work(service: App) -> list[dict[str, Any]]:
        actor = await acting(service, as_user)
        require(actor, Permission.CONTACTS_EDIT)
        now = utc_now()
        found = await service.grades.proposals(now, limit=1_000_000)
        if accept:
            await service.grades.accept([one.company_id for one in found], actor, now)
        return [
            {
                "id": one.company_id,
                "name": one.name,
                "before": one.before,
                "after": one.grade.grade,
                "why": one.grade.why,
            }
            for one in found
        ]

    rows = with_app(work)
    words = "\n".join(f"{row['before'] or '–'} → {row['after']}  {row['name']}  ({row['why']})" for row in rows)
    emit(rows, as_json, words or "every grade is as the rules say")


@app.command()
def upkeep(as_json: AsJson = False) -> None:
    """Do once what the service does each minute: owners, mail of closed mailboxes, silent cases."""

    async def work(service: App) -> dict[str, int]:
        return await work_on.keep(service, utc_now())

    emit(with_app(work), as_json)
