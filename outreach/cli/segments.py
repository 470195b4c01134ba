"""`outreach segments …`: how many, who, and what each condition costs."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.audience import segment
from outreach.cli.common import AsJson, emit, out, refuse, with_app

app = typer.Typer(no_args_is_help=True, help="Segments: audiences in words.")

Expression = Annotated[
    str,
    typer.Argument(metavar="EXPR", help="e.g. 'region = Europe and not tag = competitor'; or a stored segment's name."),
]


async def _resolved(service: App, expression: str) -> str:
    """A stored segment goes by its name; anything else is a segment's text."""
    stored = await service.audience.segment_named(expression.strip())
    return str(stored["expression"]) if stored else expression


@app.command()
def count(expression: Expression, as_json: AsJson = False) -> None:
    """Count a segment, say what each condition costs, and why people could not be mailed now."""

    async def work(service: App) -> dict[str, Any]:
        text, now = await _resolved(service, expression), utc_now()
        people = await service.audience.count(text, now)
        everybody = await service.audience.count("", now)
        lines = await service.audience.explain(text, now)
        reach = await service.audience.reach(text, now)
        return {"count": people, "everyone": everybody, "conditions": lines, "reach": reach}

    found = with_app(work)
    if as_json:
        emit(found, True)
        return
    out.print(f"{found['count']:,} of {found['everyone']:,}", highlight=False)
    for line in found["conditions"]:
        change = f"−{line['removed']:,}" if "removed" in line else f"+{line['added']:,}"
        words = f"  {'  ' * line['depth']}{line['text'][:60]:<60} {line['left']:>10,}  {change}"
        out.print(words, highlight=False, markup=False)
    for reason, people in found["reach"].items():
        out.print(f"{reason.replace('_', ' '):<15} {people:>10,}", highlight=False)


@app.command()
def show(
    expression: Expression,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500)] = 12,
    as_json: AsJson = False,
) -> None:
    """Show some people of a segment."""

    async def work(service: App) -> Any:
        return await service.audience.sample(await _resolved(service, expression), utc_now(), limit)

    rows = with_app(work)
    if as_json:
        emit([row.as_dict() for row in rows], True)
        return
    for row in rows:
        out.print(f"{row.email or '–':<36} {row.name[:24]:<24} {row.country or '--'}", highlight=False, markup=False)


@app.command()
def check(expression: Expression, as_json: AsJson = False) -> None:
    """Check a segment's spelling; no database needed. Prints the stored form, or the place of the error."""
    try:
        tree = segment.parse(expression)
    except segment.SegmentError as error:
        if as_json:
            emit({"ok": False, "error": error.as_dict()}, True)
            raise typer.Exit(1) from None
        refuse(f"{error}\n{error.pointer()}")
    text = segment.to_text(tree)
    emit({"ok": True, "text": text, "tree": segment.to_json(tree)}, as_json, text)


@app.command()
def save(
    name: Annotated[str, typer.Argument(help="The segment's name.")],
    expression: Annotated[str, typer.Argument(metavar="EXPR", help="Its text.")],
    as_json: AsJson = False,
) -> None:
    """Store a segment under a name; the same name replaces."""

    async def work(service: App) -> int:
        return await service.audience.save_segment(name, expression, None, utc_now())

    number = with_app(work)
    emit({"id": number, "name": name}, as_json, f"stored as “{name}”")


@app.command("list")
def list_segments(as_json: AsJson = False) -> None:
    """List the stored segments."""

    async def work(service: App) -> list[dict[str, Any]]:
        return await service.audience.segments()

    rows = with_app(work)
    if as_json:
        emit(rows, True)
        return
    for row in rows:
        out.print(f"{row['name']:<30} {row['expression']}", highlight=False, markup=False)


@app.command()
def delete(name: Annotated[str, typer.Argument(help="The segment's name.")], as_json: AsJson = False) -> None:
    """Delete a stored segment. Campaigns keep the text that they were made with."""

    async def work(service: App) -> bool:
        return await service.audience.delete_segment(name)

    if not with_app(work):
        refuse(f"there is no stored segment “{name}”; see  outreach segments list")
    emit({"deleted": name}, as_json, f"deleted “{name}”")
