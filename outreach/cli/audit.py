"""`outreach audit …`: whether the trail is whole, and random samples for spot checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from outreach.access.audit import Head
from outreach.app.build import App
from outreach.cli.common import AsJson, emit, read_text, refuse, with_app

app = typer.Typer(no_args_is_help=True, help="The audit trail: verify it, draw samples, keep its head.")


def _kept(path: Path | None) -> Head | None:
    """Read a head that was kept: the lines `count N` and `hash H`. Raises ValueError in words."""
    if path is None:
        return None
    lines = [line.split(maxsplit=1) for line in read_text(path).splitlines()]
    found = {words[0]: words[1] for words in lines if len(words) == 2}
    try:
        return Head(int(found["count"]), found["hash"])
    except (KeyError, ValueError) as error:
        raise ValueError(f"{path} is no kept head: it needs the lines 'count N' and 'hash H'") from error


@app.command()
def verify(
    head: Annotated[Path | None, typer.Option("--head", help="A head that was kept elsewhere.")] = None,
    as_json: AsJson = False,
) -> None:
    """Walk the whole chain: finds edits, deletions, moved and cut-off entries; with --head a chain written anew too."""

    async def work(service: App) -> dict[str, Any]:
        fault = await service.access.verify(_kept(head))
        end = await service.access.head()
        told: dict[str, Any] = {"ok": fault is None, "entries": end.count, "hash": end.hash}
        return told | ({"fault": {"number": fault.number, "kind": fault.kind, "detail": fault.detail}} if fault else {})

    told = with_app(work)
    emit(told, as_json, f"{told['entries']} entries, the chain holds" if told["ok"] else None)
    if not told["ok"]:
        fault = told["fault"]
        refuse(
            f"the trail was changed at entry {fault['number']} ({fault['kind']}): {fault['detail']}. Compare it with a "
            "backup, and tell the auditors."
        )


@app.command()
def sample(
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many entries.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Draw a random sample of entries for a spot check."""

    async def work(service: App) -> list[dict[str, Any]]:
        return [_shown(row) for row in await service.access.sample(count)]

    rows = with_app(work)
    words = "\n".join(f"{r['number']:>7}  {r['at']:%Y-%m-%d %H:%M}  {r['action']:<24} {r['object']}" for r in rows)
    emit(rows, as_json, words or "the trail is empty")


def _shown(row: Any) -> dict[str, Any]:
    return {
        "number": row.id,
        "at": row.at,
        "actor_id": row.actor_id,
        "actor": row.actor,
        "action": row.action,
        "object": f"{row.object_type} {row.object_id}",
        "before": row.before,
        "after": row.after,
    }


@app.command("head")
def show_head(as_json: AsJson = False) -> None:
    """Print the end of the chain, to be kept elsewhere: `outreach audit head > head.txt`."""

    async def work(service: App) -> dict[str, Any]:
        end = await service.access.head()
        return {"count": end.count, "hash": end.hash}

    told = with_app(work)
    emit(told, as_json, f"count {told['count']}\nhash {told['hash']}")
