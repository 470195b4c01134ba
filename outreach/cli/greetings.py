"""`outreach greetings …`: dates that are remembered with a letter, and what their owners are asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from outreach.access.roles import Actor
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.occasions import use
from outreach.cli import sequences
from outreach.cli.common import AsJson, AsUser, acting, emit, out, with_app
from outreach.crm.greetings import greetable, holiday_on

app = typer.Typer(no_args_is_help=True, help="Remembered dates: birthdays, holidays, deliveries, anniversaries.")
for name in ("preflight", "submit", "approve", "reject", "start", "pause", "resume", "cancel", "create", "edit"):
    found = next(c for c in sequences.app.registered_commands if (c.name or c.callback.__name__) == name)  # type: ignore[union-attr]
    app.command(name)(found.callback)  # type: ignore[type-var]

Id = Annotated[int, typer.Argument(help="The remembered date's id (outreach greetings due).")]


@app.command()
def holidays(
    country: Annotated[str, typer.Argument(help="ISO code of a country.")],
    year: Annotated[int | None, typer.Option("--year", help="Default: this year.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show which holidays are greeted in a country, and when."""
    wanted = year or utc_now().year
    days = {one.id: holiday_on(one, country.upper(), wanted) for one in greetable().values()}
    rows = [{"id": key, "day": day, "name": greetable()[key].en} for key, day in days.items() if day]
    if as_json:
        emit(rows, True)
        return
    for row in sorted(rows, key=lambda one: str(one["day"])):
        out.print(f"{row['day']}  {row['id']:<20} {row['name']}", highlight=False, markup=False)


@app.command()
def due(as_json: AsJson = False) -> None:
    """List the dates that wait for their owner's word."""

    async def work(service: App) -> list[dict[str, Any]]:
        return await use.waiting(service)

    rows = with_app(work)
    if as_json:
        emit(rows, True)
        return
    for row in rows:
        text = f"{row['id']:>6}  {row['on']}  {row['name']:<16} {row['address'] or '–'}  {row['owner'] or ''}"
        out.print(text, highlight=False, markup=False)


Decision = Callable[[App, int, Actor, datetime], Awaitable[Any]]


def _decide(occasion: int, as_user: str | None, as_json: bool, do: Decision) -> None:
    async def work(service: App) -> Any:
        return await do(service, occasion, await acting(service, as_user), utc_now())

    leaves = with_app(work)
    emit({"id": occasion, "leaves": leaves}, as_json, f"leaves {leaves:%Y-%m-%d %H:%M} UTC" if leaves else "done")


@app.command()
def send(occasion: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Say yes: the letter leaves on its day, in the person's hours."""
    _decide(occasion, as_user, as_json, use.send)


@app.command()
def decline(occasion: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Not this time."""
    _decide(occasion, as_user, as_json, use.decline)


@app.command()
def reconsider(occasion: Id, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Take a "no" back."""
    _decide(occasion, as_user, as_json, use.reconsider)
