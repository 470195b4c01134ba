"""`outreach suppress …`: who must never be mailed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.access.roles import Permission, require
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.cli.common import AsJson, AsUser, acting, emit, out, read_text, refuse, to_json, with_app
from outreach.model.enums import SuppressionReason
from outreach.suppression.lists import read_entries
from outreach.suppression.store import Listed

app = typer.Typer(no_args_is_help=True, help="The suppression list: who must never be mailed.")

Entry = Annotated[str, typer.Argument(metavar="ENTRY", help="An address, or a domain (its subdomains included).")]
Reason = Annotated[SuppressionReason, typer.Option("--reason", help="Why.")]


@app.command()
def add(
    entries: Annotated[list[str] | None, typer.Argument(metavar="ENTRY…", help="Addresses or domains.")] = None,
    file: Annotated[Path | None, typer.Option("--file", help="A text file, one entry a line.")] = None,
    reason: Reason = SuppressionReason.MANUAL,
    source: Annotated[str, typer.Option("--source", help="Who said so, e.g. “by telephone”.")] = "command line",
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Put addresses or domains on the list. It holds at once and for every list; adding twice changes nothing."""
    wanted = list(entries or []) + ([entry for _, entry in read_entries(read_text(file))] if file else [])
    if not wanted:
        raise typer.BadParameter("name an address or domain, or --file FILE")

    async def work(service: App) -> dict[str, Any]:
        actor = await acting(service, as_user)
        require(actor, Permission.SUPPRESSION_ADD)
        return await service.suppression.import_entries(wanted, reason, source=source, now=utc_now(), actor=actor)

    result = with_app(work)
    emit(result, as_json, f"added {result['added']}, known {result['known']}")
    if result["refused"]:
        refuse(f"neither address nor domain: {', '.join(result['refused'][:20])}")


@app.command()
def remove(
    entry: Entry,
    force: Annotated[bool, typer.Option("--force", help="Even what the person asked for; needs --why.")] = False,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the audit trail.")] = "",
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Take an entry off the list. What a person asked for needs --force and --why."""

    async def work(service: App) -> bool:
        actor = await acting(service, as_user)
        require(actor, Permission.SUPPRESSION_REMOVE)
        return await service.suppression.remove(entry, now=utc_now(), force=force, why=why, actor=actor)

    removed = with_app(work)
    emit({"removed": removed}, as_json, "removed" if removed else "it was not on the list")


@app.command()
def check(entry: Entry, as_json: AsJson = False) -> None:
    """Say whether an address or domain may be mailed, and what stops it."""

    async def work(service: App) -> dict[str, Any]:
        lines = [listed.as_dict() for listed in await service.suppression.check(entry)]
        refusal = service.policy.verdict(entry if "@" in entry else f"x@{entry}")
        if refusal is not None:
            lines.append(
                {"entry": entry, "key": None, "reason": "policy", "source": refusal.rule, "at": None, "by_user": None}
            )
        return {"entry": entry, "suppressed": bool(lines), "because": lines}

    found = with_app(work)
    words = [f"{line['reason']:<13} {line['entry'] or line['key']}  {line['source']}" for line in found["because"]]
    emit(found, as_json, "\n".join(words) if words else f"{entry} may be mailed")


@app.command("list")
def list_entries(
    reason: Annotated[SuppressionReason | None, typer.Option("--reason")] = None,
    search: Annotated[str, typer.Option("--search", help="Part of an address or domain.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """List the entries."""

    async def work(service: App) -> tuple[int, list[Listed]]:
        wanted = str(reason) if reason else None
        store = service.suppression
        return await store.count(reason=wanted, search=search), list(
            await store.list(reason=wanted, search=search, limit=limit)
        )

    total, rows = with_app(work)
    if as_json:
        emit({"total": total, "entries": [row.as_dict() for row in rows]}, True)
        return
    for row in rows:
        out.print(
            f"{row.at:%Y-%m-%d}  {row.reason:<13} {row.entry or row.key}  {row.source}", highlight=False, markup=False
        )


@app.command()
def export(
    to: Annotated[Path | None, typer.Option("--out", help="A file; else it is printed.")] = None,
    as_user: AsUser = None,
    as_json: AsJson = False,
) -> None:
    """Export the whole list as JSON Lines. The export is on record."""

    async def work(service: App) -> int:
        actor = await acting(service, as_user)
        require(actor, Permission.CONTACTS_EXPORT)
        file = to.open("w", encoding="utf-8") if to else sys.stdout
        count = 0
        try:
            async for listed in service.suppression.export():
                file.write(to_json(listed.as_dict()) + "\n")
                count += 1
        finally:
            if to:
                file.close()
        async with service.db.write() as conn:
            after = {"entries": count}
            await append_audit(conn, actor, "suppression.exported", "suppression", "", now=utc_now(), after=after)
        return count

    count = with_app(work)
    if to is not None:
        emit({"file": str(to), "entries": count}, as_json, f"{count} entries: {to}")
