"""`outreach sequences …`: steps for whoever is enrolled. Submit, approve, start, pause, cancel: as any campaign."""

from __future__ import annotations

import tomllib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.access.roles import Actor
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.sequences import use
from outreach.campaigns.definition import DefinitionError
from outreach.campaigns.plan import explain_skip
from outreach.cli import campaigns
from outreach.cli.common import AsJson, AsUser, acting, emit, out, read_text, refuse, to_json, with_app

app = typer.Typer(no_args_is_help=True, help="Sequences: steps of mail, call or task for whoever is enrolled.")
for name in ("preflight", "submit", "approve", "reject", "start", "pause", "resume", "cancel"):
    app.command(name)(getattr(campaigns, name))

Id = Annotated[int, typer.Argument(help="The sequence's id.")]
Address = Annotated[str, typer.Argument(help="The person's e-mail address.")]


def read_file(file: Path) -> dict[str, Any]:
    """A sequence file as a dict. Raises DefinitionError."""
    try:
        return tomllib.loads(read_text(file))
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"{file}: {error}") from error


@app.command()
def create(
    file: Annotated[Path, typer.Argument(help="A sequence file (TOML); docs/sequences.md shows one.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Store a sequence as a draft."""

    async def work(service: App) -> int:
        return await use.create(service, read_file(file), await acting(service, as_user), utc_now(), str(file))

    number = with_app(work)
    emit({"id": number}, as_json, f"sequence {number} is a draft: next  outreach sequences preflight {number}")


@app.command()
def edit(
    sequence: Id,
    file: Annotated[Path, typer.Argument(help="The file as it shall be now.")],
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Replace a sequence's content; approvals are void, and everybody in it waits until it is approved again."""

    async def work(service: App) -> str:
        await use.edit(service, sequence, read_file(file), await acting(service, as_user), utc_now())
        return str((await service.campaigns.one(sequence)).state)

    state = with_app(work)
    emit({"id": sequence, "state": state}, as_json, f"sequence {sequence}: {state}")


@app.command("list")
def list_sequences(as_json: AsJson = False) -> None:
    """List sequences and remembered dates, newest first."""

    async def work(service: App) -> list[dict[str, Any]]:
        rows = [row for row in await service.campaigns.all(limit=1_000) if row.kind != "campaign"]
        return [{"id": r.id, "kind": r.kind, "name": r.name, "state": r.state} for r in rows]

    rows = with_app(work)
    if as_json:
        emit(rows, True)
        return
    for row in rows:
        out.print(f"{row['id']:>5}  {row['kind']:<8}  {row['state']:<10}  {row['name']}", highlight=False, markup=False)


@app.command()
def status(sequence: Id, as_json: AsJson = False) -> None:
    """Show the state, what became of every mail, and where people stand."""

    async def work(service: App) -> dict[str, Any]:
        return await use.status(service, sequence)

    emit(with_app(work), as_json)


@app.command()
def enrol(
    sequence: Id,
    addresses: Annotated[list[str] | None, typer.Argument(help="People's e-mail addresses.")] = None,
    segment: Annotated[str | None, typer.Option("--segment", help="Everybody of this segment expression.")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Put people into a running sequence. Says who was left out and why."""
    if bool(addresses) == bool(segment):
        refuse("name addresses, or a segment with --segment")

    async def work(service: App) -> dict[str, Any]:
        now = utc_now()
        people = await (
            use.by_expression(service, segment, now) if segment else use.by_address(service, addresses or [])
        )
        return await use.enrol(service, sequence, people, await acting(service, as_user), now)

    told = with_app(work)
    reasons: dict[str, int] = {}
    for reason in told["refused"].values():
        reasons[reason] = reasons.get(reason, 0) + 1
    words = "\n".join(f"left out {count:>6}  {explain_skip(reason, 'en')}" for reason, count in reasons.items())
    emit({"enrolled": len(told["enrolled"]), "refused": reasons}, as_json, f"enrolled {len(told['enrolled'])}\n{words}")


@app.command()
def people(sequence: Id, as_json: AsJson = False) -> None:
    """List who is or was in it: state, reason, next step and when. With --json: JSON Lines."""

    async def work(service: App) -> list[dict[str, Any]]:
        return await use.people(service, sequence, limit=100_000)

    for row in with_app(work):
        if as_json:
            typer.echo(to_json(row))
        else:
            due = row["due_at"].isoformat(timespec="minutes") if row["due_at"] else ""
            text = f"{row['state']:<9} {row['address'] or '–':<40} step {row['step']}  {due}  {row['reason'] or ''}"
            out.print(text, highlight=False, markup=False)


Person = Callable[[App, int, int, Actor, datetime], Awaitable[None]]


def _person(sequence: int, address: str, as_user: str | None, as_json: bool, do: Person) -> None:
    async def work(service: App) -> None:
        (contact_id,) = await use.by_address(service, [address])
        await do(service, sequence, contact_id, await acting(service, as_user), utc_now())

    with_app(work)
    emit({"id": sequence, "address": address}, as_json, "done")


@app.command("pause-person")
def pause_person(
    sequence: Id,
    address: Address,
    until: Annotated[datetime | None, typer.Option("--until", help="The day on which it goes on (UTC).")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Hold one person's steps."""
    end = until.replace(tzinfo=UTC) if until else None
    _person(sequence, address, as_user, as_json, lambda s, c, p, a, n: use.pause_person(s, c, p, a, n, end))


@app.command("resume-person")
def resume_person(sequence: Id, address: Address, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """Let one person's steps go on; a stop by hand is taken back in the same way."""
    _person(sequence, address, as_user, as_json, use.resume_person)


@app.command("stop-person")
def stop_person(sequence: Id, address: Address, as_user: AsUser = None, as_json: AsJson = False) -> None:
    """End it for one person; what waits in the outbox never leaves."""
    _person(sequence, address, as_user, as_json, use.stop_person)
