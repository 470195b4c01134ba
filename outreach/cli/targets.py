"""`outreach targets …`: what people shall reach in a quarter, and where they stand (G2)."""

from __future__ import annotations

from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from sqlalchemy import select

from outreach.access.roles import Permission, require
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, with_app
from outreach.crm.grades.rules import quarter_of
from outreach.crm.targets.standing import KINDS, Reached, elapsed, standings
from outreach.model import User

app = typer.Typer(no_args_is_help=True, help="Targets of a quarter: set them, see where people stand.")
Quarter = Annotated[str | None, typer.Option("--quarter", help="Such as 2026-Q4; without it the running one.")]


def _today(service: App) -> Any:
    return utc_now().astimezone(ZoneInfo(service.settings.sender.timezone)).date()


@app.command("list")
def list_targets(quarter: Quarter = None, as_json: AsJson = False) -> None:
    """List everybody who has a target or has reached something, with both."""

    async def work(service: App) -> list[dict[str, Any]]:
        wanted = quarter or quarter_of(_today(service))
        expected = elapsed(wanted, _today(service))
        targets = await service.targets.targets(wanted)
        reached = await service.targets.reached(wanted, utc_now())
        async with service.db.read() as conn:
            names = {row.id: row.name for row in await conn.execute(select(User.id, User.name))}  # type: ignore[call-overload]
        return [
            {
                "user": names.get(user, str(user)),
                "quarter": wanted,
                "kind": kind,
                "target": one.target,
                "reached": one.reached,
                "state": one.state,
            }
            for user in sorted({*targets, *reached}, key=lambda user: names.get(user, ""))
            for kind, one in standings(targets.get(user, {}), sum(reached.get(user, ()), Reached()), expected).items()
        ]

    rows = with_app(work)
    words = "\n".join(
        f"{row['quarter']}  {row['user']:<16} {row['kind']:<16} {_figure(row['reached']):>14} / "
        f"{_figure(row['target']):<12} {row['state'].replace('_', ' ')}"
        for row in rows
    )
    emit(rows, as_json, words or "no targets are set and nothing was reached: outreach targets set USER KIND VALUE")


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"


@app.command("set")
def set_target(
    user: Annotated[str, typer.Argument(help="The user's name.")],
    kind: Annotated[str, typer.Argument(help=f"One of {', '.join(KINDS)}.")],
    value: Annotated[float, typer.Argument(help="An amount in the company's currency, a number, or percent; 0: none.")],
    quarter: Quarter = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Set one target of somebody; 0 takes it away."""

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.TARGETS_EDIT)
        person = await service.access.user(user)
        if person is None or person.id is None:
            raise LookupError(f"there is no user {user!r}: outreach users list shows all")
        wanted = quarter or quarter_of(_today(service))
        before = await service.targets.set(wanted, person.id, {kind: value}, actor, utc_now())
        return {"user": person.name, "quarter": wanted, "kind": kind, "before": before[kind], "target": value or None}

    emit(with_app(work), as_json)
